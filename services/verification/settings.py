"""Verification's settings: environment variables with the prefix VERIFICATION_, read here alone."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from chassis.dead_letters.cap import Limits
from chassis.kafka import KafkaClient
from chassis.postgres import DatabaseUrl
from chassis.settings import environment
from services.verification.domain import sending


class Settings(BaseSettings):
    """`sms_http_*` count where `sms_gateway` is `http`; `outbox_dir` where it is `outbox`.

    `sms_http_body` holds `$to` and `$text`, escaped for its content type. `sms_http_headers` is a JSON object
    and carries the credentials.
    """

    model_config = environment("VERIFICATION_")

    host: str = "127.0.0.1"
    port: int = 8002
    operations_host: str = "127.0.0.1"
    operations_port: int = 8022
    worker_operations_port: int = 8012
    https: bool = Field(True, description="Callers come by HTTPS: answers say so (HSTS).")
    kafka: KafkaClient = KafkaClient()
    database_url: DatabaseUrl = "postgresql://postgres@127.0.0.1:5433/verification"
    keys_dir: Path = Path(".local/keys")
    log_level: str = "INFO"
    at_once: int = Field(128, ge=1, description="Requests answered at a time; more get 503.")
    repeat_days: int = Field(
        7, ge=1, description="How long callers may send the same rating again and be recognised."
    )
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

    sms_per_day: int = Field(5_000, ge=1, description="SMS of a city day, all together.")
    sms_per_phone: int = Field(5, ge=1, description="SMS of a day to one phone.")
    sms_per_origin: int = Field(300, ge=1, description="SMS of a day for ratings from one address block.")
    sms_unknown_origin: int = Field(
        100, ge=1, description="SMS of a day for all ratings together that came from nobody knows where."
    )
    sms_pauses: tuple[float, ...] = Field(
        (30, 120, 600),
        description="Least seconds between the SMS of a day to one phone; the last for all further ones.",
    )
    sms_withheld_alarm: int = Field(
        100, ge=1, description="As many SMS withheld within an hour of the clock raise the alarm."
    )

    @property
    def dead_letter_limits(self) -> Limits:
        return Limits(self.dead_letter_window, self.dead_letter_share, self.dead_letter_least)

    @property
    def sms_limits(self) -> sending.Limits:
        return sending.Limits(
            per_day=self.sms_per_day,
            per_phone=self.sms_per_phone,
            per_origin=self.sms_per_origin,
            unknown_origin=self.sms_unknown_origin,
            pauses=tuple(timedelta(seconds=each) for each in self.sms_pauses),
            withheld_alarm=self.sms_withheld_alarm,
        )
