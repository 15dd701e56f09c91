"""What the portal reads from its environment."""

from pathlib import Path

from pydantic import AnyHttpUrl, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.origin import Networks
from portal.static import STATIC


class Settings(BaseSettings):
    """Variables `PORTAL_…`. Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_", frozen=True)

    host: str = "127.0.0.1"
    port: int = 8000
    operations_host: str = "127.0.0.1"
    operations_port: int = 8020
    intake_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8001")
    verification_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8002")
    aggregation_url: AnyHttpUrl = AnyHttpUrl("http://127.0.0.1:8003")
    aggregation_public_url: AnyHttpUrl | None = Field(
        None, description="Where browsers reach aggregation's stream and reports; else aggregation_url."
    )
    public_url: AnyHttpUrl | None = Field(
        None, description="Where citizens reach the portal, for a wall's code to scan; else as it was asked."
    )
    intake_key_file: Path | None = Field(
        None, description="Holds the key that intake gave the portal, to post on citizens' behalf."
    )
    trusted_proxies: Networks = Field(
        (), description="Networks (CIDR) whose X-Forwarded-For is believed, with commas between them."
    )
    keys_dir: Path = Path(".local/keys/portal")
    assets_dir: Path = STATIC
    secure_cookies: bool = True
    outcome_wait: float = 10.0

    @property
    def live_url(self) -> str:
        return str(self.aggregation_public_url or self.aggregation_url).rstrip("/")
