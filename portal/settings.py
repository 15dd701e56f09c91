"""What the portal reads from its environment."""

from pathlib import Path
from typing import Self

from pydantic import AnyHttpUrl, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.oidc import safe_url
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
        None,
        description="Where browsers reach the portal: for a wall's code to scan (else as it was asked), and"
        " for the identity provider to send them back.",
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
    oidc_issuer: str | None = Field(
        None,
        description="The OpenID Connect provider, as it calls itself; without it nobody signs in.",
    )
    oidc_client_id: str = Field("", description="What the provider calls the portal.")
    oidc_client_secret_file: Path | None = Field(
        None, description="Holds what proves the portal to the provider; none for a public client."
    )
    oidc_scope: str = "openid profile"
    oidc_resource: str | None = Field(
        None, description="What the provider calls aggregation's API, where it asks for that (RFC 8707)."
    )
    oidc_session: float = Field(
        8 * 3600.0, gt=0, description="After so long one signs in again, or earlier, when the token ends."
    )
    oidc_local: bool = Field(False, description="Let the issuer be on this machine and without TLS.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.oidc_issuer is not None:
            safe_url(self.oidc_issuer, local=self.oidc_local)
            if not self.oidc_client_id or self.public_url is None:
                raise ValueError("an issuer wants a client id and a public URL beside it")
        return self

    @property
    def live_url(self) -> str:
        return str(self.aggregation_public_url or self.aggregation_url).rstrip("/")
