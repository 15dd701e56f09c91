"""Verification's settings: environment variables with the prefix VERIFICATION_, read here alone."""

from datetime import timedelta
from pathlib import Path
from string import Template
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from chassis.dead_letters.cap import Limits
from chassis.kafka import KafkaClient
from chassis.pages_elsewhere import Origins
from chassis.postgres import DatabaseUrl
from chassis.settings import FromEnvironment, LogLevel, Port, ReadBy, Unit, environment
from chassis.traces import Traces
from services.verification.domain import sending

SERVE, WORKER = ReadBy(("serve",)), ReadBy(("worker",))
BOTH = ReadBy(("serve", "worker"))
Messages = Annotated[int, Field(ge=1), Unit("messages"), WORKER]
SmsADay = Annotated[int, Field(ge=1), Unit("SMS a day"), WORKER]


class Settings(FromEnvironment):
    """VERIFICATION_… variables."""

    model_config = environment("VERIFICATION_")

    host: Annotated[str, SERVE] = Field(
        "127.0.0.1", description="The interface that citizens' portals reach."
    )
    port: Annotated[Port, SERVE] = Field(8002, description="Its port.")
    operations_host: Annotated[str, BOTH] = Field(
        "127.0.0.1", description="The interface of `/metrics` and of a `/readyz` with details."
    )
    operations_port: Annotated[Port, SERVE] = Field(8022, description="Its port, of the API.")
    worker_operations_port: Annotated[Port, WORKER] = Field(8012, description="Its port, of the worker.")
    https: Annotated[bool, SERVE] = Field(True, description="Callers come by HTTPS: answers say so (HSTS).")
    embedded_in: Annotated[Origins, SERVE] = Field(
        (),
        description="Origins (https://HOST) whose pages may ask for challenges and outcomes, commas between"
        " them: docs/embedding.md.",
    )
    kafka: KafkaClient = KafkaClient()
    database_url: DatabaseUrl = Field(
        "postgresql://postgres@127.0.0.1:5433/verification",
        description="The database, as libpq understands it: docs/transport-security.md.",
    )
    keys_dir: Path = Field(
        Path(".local/keys"), description="Holds the keys of challenges, of phone codes and of editions."
    )
    log_level: LogLevel = Field("INFO", description="What is logged: this and worse.")
    traces: Traces = Traces()
    at_once: Annotated[int, Unit("requests"), SERVE] = Field(
        128, ge=1, description="Requests answered at a time; more get 503."
    )
    repeat_days: Annotated[int, Unit("days"), WORKER] = Field(
        7, ge=1, description="How long callers may send the same rating again and be recognised."
    )
    withdrawal_days: Annotated[int, Unit("days"), BOTH] = Field(
        30, ge=0, le=365, description="How long after its acceptance a citizen can withdraw a rating."
    )
    waits_at_once: Annotated[int, Unit("requests"), SERVE] = Field(
        1_000, ge=1, description="Requests at a time that wait for an outcome; more get 503."
    )

    dead_letter_share: Annotated[float, Unit("share"), WORKER] = Field(
        0.2,
        ge=0,
        le=1,
        description="The worker stops when more of its last messages than this share cannot be read.",
    )
    dead_letter_window: Messages = Field(1_000, description="How many last messages those are.")
    dead_letter_least: Messages = Field(50, description="So few unreadable messages never stop it.")

    proof_of_work_maxnumber: Annotated[int, Unit("numbers"), BOTH] = Field(
        100_000,
        ge=1_000,
        le=100_000_000,
        description="A device tries half as many numbers on average; some 1 to 3 seconds on a phone.",
    )

    sms_gateway: Annotated[Literal["outbox", "http"], WORKER] = Field(
        "outbox", description="`http` sends SMS; `outbox` writes them into a folder, for trying things out."
    )
    outbox_dir: Annotated[Path, WORKER] = Field(
        Path(".local/outbox"), description="That folder, with the gateway `outbox`."
    )
    sms_http_url: Annotated[str, WORKER] = Field(
        "", validate_default=True, description="Where an SMS goes, with the gateway `http`."
    )
    sms_http_method: Annotated[Literal["POST", "PUT"], WORKER] = Field(
        "POST", description="How it goes there."
    )
    sms_http_body: Annotated[str, WORKER] = Field(
        '{"to": "$to", "text": "$text"}',
        description="What goes there. `$to` and `$text` are put in, escaped for the content type.",
    )
    sms_http_content_type: Annotated[str, WORKER] = Field(
        "application/json", description="Of the body: JSON or a form."
    )
    sms_http_headers: Annotated[dict[str, SecretStr], WORKER] = Field(
        {}, description="JSON object of headers that go with it, the credentials among them."
    )

    sms_per_day: SmsADay = Field(5_000, description="SMS of a city day, all together.")
    sms_per_phone: SmsADay = Field(5, description="SMS of a day to one phone.")
    sms_per_origin: SmsADay = Field(300, description="SMS of a day for ratings from one address block.")
    sms_unknown_origin: SmsADay = Field(
        100, description="SMS of a day for all ratings together that came from nobody knows where."
    )
    sms_pauses: Annotated[tuple[float, ...], Unit("seconds"), WORKER] = Field(
        (30, 120, 600),
        description="JSON array of the least pauses between the SMS of a day to one phone; the last for all"
        " further ones.",
    )
    sms_withheld_alarm: Annotated[int, Unit("SMS an hour"), WORKER] = Field(
        100, ge=1, description="As many SMS withheld within an hour of the clock raise the alarm."
    )

    webhooks_private: Annotated[bool, WORKER] = Field(
        False,
        description="Portals may be told in this machine's own networks, and without TLS: for trying it out.",
    )

    @field_validator("sms_http_url")
    @classmethod
    def _address(cls, url: str, info: ValidationInfo) -> str:
        if info.data.get("sms_gateway") == "http" and not url.startswith(("http://", "https://")):
            raise ValueError("VERIFICATION_SMS_GATEWAY=http wants the gateway's address here: https://…")
        return url

    @field_validator("sms_http_body")
    @classmethod
    def _template(cls, body: str) -> str:
        template = Template(body)
        if not template.is_valid() or set(template.get_identifiers()) != {"to", "text"}:
            raise ValueError("has to hold $to and $text and no other name; a dollar sign is written $$")
        return body

    @property
    def dead_letter_limits(self) -> Limits:
        return Limits(self.dead_letter_window, self.dead_letter_share, self.dead_letter_least)

    @property
    def withdrawable(self) -> timedelta:
        return timedelta(days=self.withdrawal_days)

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
