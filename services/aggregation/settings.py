"""The only reader of the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from chassis.dead_letters.cap import Limits
from chassis.kafka import KafkaClient
from chassis.postgres import DatabaseUrl
from chassis.settings import FromEnvironment, LogLevel, Port, ReadBy, Seconds, Unit, environment
from chassis.sign_in import SignIn
from chassis.traces import Traces
from contracts.events import Text
from services.aggregation.files_handled import USUAL_SAMPLE, sample_of

SERVE, WORKER = ReadBy(("serve",)), ReadBy(("worker",))
BOTH = ReadBy(("serve", "worker"))
SHOWN = ReadBy(("serve", "report"))
Messages = Annotated[int, Field(ge=1), Unit("messages"), WORKER]


class Settings(FromEnvironment):
    """AGGREGATION_… variables."""

    model_config = environment("AGGREGATION_")

    database_url: DatabaseUrl = Field(
        "postgresql://postgres@127.0.0.1:5433/aggregation",
        description="The database, as libpq understands it: docs/transport-security.md.",
    )
    kafka: KafkaClient = KafkaClient()
    oidc: SignIn = SignIn()
    host: Annotated[str, SERVE] = Field(
        "127.0.0.1", description="The interface that readers of figures reach."
    )
    port: Annotated[Port, SERVE] = Field(8003, description="Its port.")
    operations_host: Annotated[str, BOTH] = Field(
        "127.0.0.1", description="The interface of `/metrics` and of a `/readyz` with details."
    )
    operations_port: Annotated[Port, SERVE] = Field(8023, description="Its port, of the API.")
    worker_operations_port: Annotated[Port, WORKER] = Field(8013, description="Its port, of the worker.")
    https: Annotated[bool, SERVE] = Field(True, description="Callers come by HTTPS: answers say so (HSTS).")
    log_level: LogLevel = Field("INFO", description="What is logged: this and worse.")
    traces: Traces = Traces()
    batch: Annotated[int, Unit("records"), WORKER] = Field(
        4_000, ge=1, description="Records in one database transaction, at most."
    )
    batch_seconds: Annotated[Seconds, WORKER] = Field(
        0.02, description="After a batch that was not full, how long records gather for the next."
    )
    stall_seconds: Annotated[Seconds, WORKER] = Field(
        30.0,
        description="A worker that has records to count, and counts none for so long, ends itself.",
    )
    dead_letter_share: Annotated[float, Unit("share"), WORKER] = Field(
        0.2,
        ge=0,
        le=1,
        description="The worker stops when more of its last messages than this share cannot be read.",
    )
    dead_letter_window: Messages = Field(1_000, description="How many last messages those are.")
    dead_letter_least: Messages = Field(50, description="So few unreadable messages never stop it.")
    at_once: Annotated[int, Unit("requests"), SERVE] = Field(
        128, ge=1, description="Requests answered at a time; more get 503."
    )
    live_clients: Annotated[int, Unit("streams"), SERVE] = Field(
        2_000, ge=1, description="Live streams at a time; more are asked to come back."
    )
    live_slow_seconds: Annotated[Seconds, SERVE] = Field(
        30.0, description="A live stream whose reader takes nothing for so long is dropped."
    )
    live_heartbeat_seconds: Annotated[Seconds, SERVE] = Field(
        15.0, description="How often a quiet live stream shows life."
    )
    files_handled_file: Annotated[Path | None, SERVE] = Field(
        None, description="CSV with the header unit_id,year,files: how many files each office handled."
    )
    required_sample: Annotated[str, SERVE] = Field(
        USUAL_SAMPLE,
        description="How many percent of a year's files have to be rated: of up to so many files so many.",
    )
    reports: Annotated[int, Unit("reports"), SERVE] = Field(
        2, ge=1, description="Reports made at a time; more are asked to come back."
    )
    report_queue: Annotated[int, Unit("reports"), SERVE] = Field(
        20, ge=1, description="Reports that wait to be made in the background; more are asked to come back."
    )
    city_name_vi: Annotated[str, SHOWN] = Field(
        "Thành phố Đà Nẵng", min_length=1, description="What the city is called, in Vietnamese."
    )
    city_name_en: Annotated[str, SHOWN] = Field(
        "Da Nang City", min_length=1, description="The same, in English."
    )

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
