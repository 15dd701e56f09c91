"""Intake's settings: environment variables with the prefix INTAKE_, read here alone."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.kafka import KafkaClient


class Settings(BaseSettings):
    """`outcome_base_url`: where verification's API is to callers; empty where it shares intake's address."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_")

    host: str = "127.0.0.1"
    port: int = 8001
    operations_host: str = "127.0.0.1"
    operations_port: int = 8021
    https: bool = Field(True, description="Callers come by HTTPS: answers say so (HSTS).")
    kafka_bootstrap: str = "127.0.0.1:9092"
    keys_dir: Path = Path(".local/keys/intake")
    outcome_base_url: str = ""
    log_level: str = "INFO"
    at_once: int = Field(
        128, ge=1, description="Ratings taken in at a time, and as many reads; more get 503."
    )

    @property
    def kafka(self) -> KafkaClient:
        return KafkaClient(bootstrap=self.kafka_bootstrap)
