"""Intake's settings: environment variables with the prefix INTAKE_, read here alone."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from chassis.kafka import KafkaClient
from chassis.origin import Networks
from chassis.pages_elsewhere import Origins
from chassis.settings import FromEnvironment, LogLevel, Port, ReadBy, Unit, environment
from chassis.sign_in import SignIn
from chassis.traces import Traces
from services.intake.domain import limits

SERVE = ReadBy(("serve",))
Ratings = Annotated[int, Field(ge=1), Unit("ratings in the window"), SERVE]
Tries = Annotated[int, Field(ge=1), Unit("tries in the window"), SERVE]
Looked = Annotated[int, Field(ge=1), Unit("numbers in the window"), SERVE]
Entered = Annotated[int, Field(ge=1), Unit("receipts in the window"), SERVE]


class OfficeSignIn(SignIn):
    """INTAKE_OIDC_… variables. Without an issuer there is no office."""

    roles_claim: Annotated[str, SERVE] = Field(
        "hailong_roles", description="The claim that lists `survey-office`, `auditor` or `department`."
    )


class Settings(FromEnvironment):
    """INTAKE_… variables."""

    model_config = environment("INTAKE_")

    host: Annotated[str, SERVE] = Field(
        "127.0.0.1", description="The interface that citizens' portals reach."
    )
    port: Annotated[Port, SERVE] = Field(8001, description="Its port.")
    operations_host: Annotated[str, SERVE] = Field(
        "127.0.0.1", description="The interface of `/metrics` and of a `/readyz` with details."
    )
    operations_port: Annotated[Port, SERVE] = Field(8021, description="Its port.")
    https: Annotated[bool, SERVE] = Field(True, description="Callers come by HTTPS: answers say so (HSTS).")
    kafka: KafkaClient = KafkaClient()
    oidc: OfficeSignIn = OfficeSignIn()
    keys_dir: Path = Field(
        Path(".local/keys/intake"), description="Holds intake's secret and editions' keys for pseudonyms."
    )
    outcome_base_url: Annotated[str, SERVE] = Field(
        "",
        description="Where verification's API is to callers; empty where it shares intake's address.",
    )
    log_level: Annotated[LogLevel, SERVE] = Field("INFO", description="What is logged: this and worse.")
    traces: Traces = Traces()
    file_system_url: Annotated[str, SERVE] = Field(
        "",
        description="Where the office's file system says of a file that it is known (200) or not (404), with"
        " $unit and $number in it: docs/files.md. Empty: nothing is looked up.",
    )
    file_system_key_file: Annotated[Path | None, SERVE] = Field(
        None, description="Holds the bearer token for it; read at each use."
    )
    oldest_rating: Annotated[int, Unit("days"), SERVE] = Field(
        7, ge=1, description="For so long a screen that vouches may keep a rating before it sends it."
    )
    at_once: Annotated[int, Unit("requests"), SERVE] = Field(
        128, ge=1, description="Ratings taken in at a time, and as many reads; more get 503."
    )

    embedded_in: Annotated[Origins, SERVE] = Field(
        (),
        description="Origins (https://HOST) whose pages may post ratings, with commas between them:"
        " docs/embedding.md.",
    )
    trusted_proxies: Annotated[Networks, SERVE] = Field(
        (), description="Networks (CIDR) whose X-Forwarded-For is believed, with commas between them."
    )
    limit_window: Annotated[int, Unit("seconds"), SERVE] = Field(
        900, ge=60, description="The window in which all that follow are counted."
    )
    limit_device: Ratings = Field(30, description="From a screen that vouches for them, at most.")
    limit_session: Ratings = Field(10, description="From a session that a client with a key names, at most.")
    limit_session_phone: Ratings = Field(5, description="Of these, with the same phone.")
    limit_shared_block: Ratings = Field(2_000, description="From an address block, all in sessions.")
    limit_lone_block: Ratings = Field(30, description="From an address block, without sessions.")
    limit_tightened: Ratings = Field(3, description="The same, while there are unusually many in all.")
    limit_officer: Ratings = Field(
        100, description="So many of an officer are unusually many, which tightens."
    )
    limit_edition: Ratings = Field(20_000, description="So many in an edition are unusually many.")
    limit_phone: Ratings = Field(20, description="So many with one phone are unusually many.")
    limit_code_session: Tries = Field(20, description="At phone codes, in a session.")
    limit_code_lone_block: Tries = Field(60, description="At phone codes, from a block without sessions.")

    limit_withdrawal_session: Entered = Field(10, description="Receipts entered in a session.")
    limit_withdrawal_lone_block: Entered = Field(
        30, description="Receipts entered from a block without sessions."
    )

    limit_file_session: Looked = Field(10, description="Of files that are looked up, in a session.")
    limit_file_block: Looked = Field(300, description="The same, from an address block.")

    @field_validator("file_system_url")
    @classmethod
    def _file_system(cls, url: str) -> str:
        local = re.match(r"http://(127\.0\.0\.1|localhost)[:/]", url)
        safe = local or url.startswith("https://")
        if url and not (safe and "$unit" in url and "$number" in url):
            raise ValueError("write https://HOST/… with $unit and $number in it, or leave it empty")
        return url

    @field_validator("outcome_base_url")
    @classmethod
    def _address(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise ValueError("no address; write https://HOST, or leave it empty")
        return url

    @property
    def limits(self) -> dict[str, int]:
        """By the names of the rules."""
        return {name: getattr(self, f"limit_{name}") for name in limits.NAMES}
