"""Intake's settings: environment variables with the prefix INTAKE_, read here alone."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings

from chassis.kafka import KafkaClient
from chassis.settings import environment


class Settings(BaseSettings):
    """`outcome_base_url`: where verification's API is to callers; empty where it shares intake's address."""

    model_config = environment("INTAKE_")

    host: str = "127.0.0.1"
    port: int = 8001
    kafka: KafkaClient = KafkaClient()
    keys_dir: Path = Path(".local/keys/intake")
    outcome_base_url: str = ""
    log_level: str = "INFO"
    at_once: int = Field(
        128, ge=1, description="Ratings taken in at a time, and as many reads; more get 503."
    )
