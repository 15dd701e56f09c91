"""The only reader of the environment."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, field_validator, model_validator
from pydantic_settings import BaseSettings

from chassis.dead_letters.cap import Limits
from chassis.kafka import KafkaClient
from chassis.oidc import safe_url
from chassis.postgres import DatabaseUrl
from chassis.settings import environment
from contracts.events import Text
from services.aggregation.files_handled import USUAL_SAMPLE, sample_of


class SignIn(BaseModel):
    """AGGREGATION_OIDC_… variables. Without an issuer nobody sees more than the public does."""

    issuer: str | None = Field(None, description="The OpenID Connect provider, exactly as it calls itself.")
    audience: str = Field("", description="What the provider's access tokens call this API (`aud`).")
    departments_claim: str = Field(
        "hailong_departments", description="Lists ids of units or groups, or holds `*` for all."
    )
    local: bool = Field(False, description="Let the issuer be on this machine and without TLS.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.issuer is not None:
            safe_url(self.issuer, local=self.local)
            if not self.audience:
                raise ValueError("an issuer wants an audience beside it")
        return self


class Settings(BaseSettings):
    """AGGREGATION_… variables."""

    model_config = environment("AGGREGATION_")

    database_url: DatabaseUrl = "postgresql://postgres@127.0.0.1:5433/aggregation"
    kafka: KafkaClient = KafkaClient()
    oidc: SignIn = SignIn()
    host: str = "127.0.0.1"
    port: int = 8003
    operations_host: str = "127.0.0.1"
    operations_port: int = 8023
    worker_operations_port: int = 8013
    https: bool = Field(True, description="Callers come by HTTPS: answers say so (HSTS).")
    log_level: str = "INFO"
    batch: int = Field(1_000, ge=1, description="Records in one database transaction, at most.")
    batch_seconds: float = Field(0.1, gt=0, description="How long a batch waits to be filled, at most.")
    stall_seconds: float = Field(
        30.0,
        gt=0,
        description="A worker that has records to count, and counts none for so long, ends itself.",
    )
    dead_letter_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="The worker stops when more of its last messages than this share cannot be read.",
    )
    dead_letter_window: int = Field(1_000, ge=1, description="How many last messages those are.")
    dead_letter_least: int = Field(50, ge=1, description="So few unreadable messages never stop it.")
    at_once: int = Field(128, ge=1, description="Requests answered at a time; more get 503.")
    live_clients: int = Field(2_000, ge=1, description="Live streams at a time; more are asked to come back.")
    live_slow_seconds: float = Field(
        30.0, gt=0, description="A live stream whose reader takes nothing for so long is dropped."
    )
    live_heartbeat_seconds: float = Field(15.0, gt=0, description="How often a quiet live stream shows life.")
    files_handled_file: Path | None = Field(
        None, description="CSV with the header unit_id,year,files: how many files each office handled."
    )
    required_sample: str = Field(
        USUAL_SAMPLE,
        description="How many percent of a year's files have to be rated: of up to so many files so many.",
    )
    reports: int = Field(2, ge=1, description="Reports made at a time; more are asked to come back.")
    report_queue: int = Field(
        20, ge=1, description="Reports that wait to be made in the background; more are asked to come back."
    )
    city_name_vi: str = "Thành phố Đà Nẵng"
    city_name_en: str = "Da Nang City"

    @field_validator("required_sample")
    @classmethod
    def _sample(cls, text: str) -> str:
        sample_of(text)
        return text

    @property
    def city_name(self) -> Text:
        return Text(vi=self.city_name_vi, en=self.city_name_en)

    @property
    def dead_letter_limits(self) -> Limits:
        return Limits(self.dead_letter_window, self.dead_letter_share, self.dead_letter_least)
