"""Intake's settings: environment variables with the prefix INTAKE_, read here alone."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from chassis.kafka import KafkaClient
from chassis.origin import Networks
from chassis.settings import environment
from services.intake.domain import limits


class Settings(BaseSettings):
    """`outcome_base_url`: where verification's API is to callers; empty where it shares intake's address."""

    model_config = environment("INTAKE_")

    host: str = "127.0.0.1"
    port: int = 8001
    operations_host: str = "127.0.0.1"
    operations_port: int = 8021
    https: bool = Field(True, description="Callers come by HTTPS: answers say so (HSTS).")
    kafka: KafkaClient = KafkaClient()
    keys_dir: Path = Path(".local/keys/intake")
    outcome_base_url: str = ""
    log_level: str = "INFO"
    at_once: int = Field(
        128, ge=1, description="Ratings taken in at a time, and as many reads; more get 503."
    )

    trusted_proxies: Networks = Field(
        (), description="Networks (CIDR) whose X-Forwarded-For is believed, with commas between them."
    )
    limit_window: int = Field(900, ge=60, description="Seconds in which all that follow are counted.")
    limit_session: int = Field(10, ge=1, description="Ratings of a session that a client with a key names.")
    limit_session_phone: int = Field(5, ge=1, description="Of these, with the same phone.")
    limit_shared_block: int = Field(2_000, ge=1, description="From an address block, all in sessions.")
    limit_lone_block: int = Field(30, ge=1, description="From an address block, without sessions.")
    limit_tightened: int = Field(3, ge=1, description="The same, while there are unusually many in all.")
    limit_officer: int = Field(100, ge=1, description="So many ratings of an officer are unusually many;")
    limit_edition: int = Field(20_000, ge=1, description="so many in an edition;")
    limit_phone: int = Field(20, ge=1, description="so many with one phone.")
    limit_code_session: int = Field(20, ge=1, description="Tries at phone codes in a session.")
    limit_code_lone_block: int = Field(60, ge=1, description="The same from a block, without sessions.")

    @property
    def limits(self) -> dict[str, int]:
        """By the names of the rules."""
        return {name: getattr(self, f"limit_{name}") for name in limits.NAMES}
