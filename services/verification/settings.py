"""Verification's settings: environment variables with the prefix VERIFICATION_, read here alone."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.dead_letters.cap import Limits
from chassis.kafka import KafkaClient


class Settings(BaseSettings):
    """`sms_http_*` count where `sms_gateway` is `http`; `outbox_dir` where it is `outbox`.

    `sms_http_body` holds `$to` and `$text`, escaped for its content type. `sms_http_headers` is a JSON object
    and carries the credentials.
    """

    model_config = SettingsConfigDict(env_prefix="VERIFICATION_")

    host: str = "127.0.0.1"
    port: int = 8002
    worker_port: int = 8012
    kafka_bootstrap: str = "127.0.0.1:9092"
    database_url: str = "postgresql://postgres@127.0.0.1:5433/verification"
    keys_dir: Path = Path(".local/keys")
    log_level: str = "INFO"
    at_once: int = Field(128, ge=1, description="Requests answered at a time; more get 503.")
    waits_at_once: int = Field(1_000, ge=1, description="The same, of those who ask for an outcome.")

    dead_letter_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="The worker stops when more of its last messages than this share cannot be read.",
    )
    dead_letter_window: int = Field(1_000, ge=1, description="How many last messages those are.")
    dead_letter_least: int = Field(50, ge=1, description="So few unreadable messages never stop it.")

    proof_of_work_maxnumber: int = Field(
        100_000,
        ge=1_000,
        le=100_000_000,
        description="A device tries half as many numbers on average; some 1 to 3 seconds on a phone.",
    )

    sms_gateway: Literal["outbox", "http"] = "outbox"
    outbox_dir: Path = Path(".local/outbox")
    sms_http_url: str = ""
    sms_http_method: Literal["POST", "PUT"] = "POST"
    sms_http_body: str = '{"to": "$to", "text": "$text"}'
    sms_http_content_type: str = "application/json"
    sms_http_headers: dict[str, SecretStr] = {}

    @property
    def kafka(self) -> KafkaClient:
        return KafkaClient(bootstrap=self.kafka_bootstrap)

    @property
    def dead_letter_limits(self) -> Limits:
        return Limits(self.dead_letter_window, self.dead_letter_share, self.dead_letter_least)
