"""What the portal reads from its environment."""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AnyHttpUrl, Field, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from chassis.oidc import safe_url
from chassis.origin import Networks
from chassis.settings import FromEnvironment, LogLevel, Port, Seconds, Unit, environment
from chassis.traces import Traces
from portal.static import STATIC

T = TypeVar("T")


class Settings(FromEnvironment):
    """PORTAL_… variables."""

    model_config = SettingsConfigDict(**environment("PORTAL_"), frozen=True)

    host: str = Field("127.0.0.1", description="The interface that citizens' browsers reach.")
    port: Port = Field(8000, description="Its port.")
    operations_host: str = Field(
        "127.0.0.1", description="The interface of `/metrics` and of a `/readyz` with details."
    )
    operations_port: Port = Field(8020, description="Its port.")
    log_level: LogLevel = Field("INFO", description="What is logged: this and worse.")
    traces: Traces = Traces()
    intake_url: AnyHttpUrl = Field(AnyHttpUrl("http://127.0.0.1:8001"), description="Where intake is.")
    verification_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8002"), description="Where verification is."
    )
    aggregation_url: AnyHttpUrl = Field(
        AnyHttpUrl("http://127.0.0.1:8003"), description="Where aggregation is."
    )
    aggregation_public_url: AnyHttpUrl | None = Field(
        None, description="Where browsers reach aggregation's stream and reports; else aggregation_url."
    )
    intake_key_file: Path | None = Field(
        None, description="Holds the key that intake gave the portal, to post on citizens' behalf."
    )
    trusted_proxies: Networks = Field(
        (), description="Networks (CIDR) whose X-Forwarded-For is believed, with commas between them."
    )
    keys_dir: Path = Field(
        Path(".local/keys/portal"), description="Holds the keys of cookies; made at start."
    )
    assets_dir: Path = Field(STATIC, description="Holds the built styles and scripts.")
    secure_cookies: bool = Field(
        True, description="Browsers come by HTTPS: cookies are `Secure`, and answers say so (HSTS)."
    )
    outcome_wait: Annotated[float, Unit("seconds")] = Field(
        10.0, ge=0, description="How long a page waits for an outcome before it asks to look again."
    )
    kiosk_idle: Seconds = Field(
        60.0, description="A screen at a desk asks after so long without a touch whether anybody is there."
    )
    kiosk_pause: Seconds = Field(
        30.0, description="A screen without network takes the next rating so long after the one before."
    )
    oidc_local: bool = Field(False, description="Let the issuer be on this machine and without TLS.")
    oidc_issuer: str | None = Field(
        None,
        description="The OpenID Connect provider, as it calls itself; without it nobody signs in.",
    )
    oidc_client_id: str = Field("", validate_default=True, description="What the provider calls the portal.")
    oidc_client_secret_file: Path | None = Field(
        None, description="Holds what proves the portal to the provider; none for a public client."
    )
    oidc_scope: str = Field("openid profile", description="What is asked for, with spaces between.")
    oidc_resource: str | None = Field(
        None, description="What the provider calls aggregation's API, where it asks for that (RFC 8707)."
    )
    oidc_session: Seconds = Field(
        8 * 3600.0, description="After so long one signs in again, or earlier, when the token ends."
    )
    public_url: AnyHttpUrl | None = Field(
        None,
        validate_default=True,
        description="Where browsers reach the portal: for codes to scan, and for citizens to compare (else as"
        " it was asked), and for the identity provider to send them back.",
    )

    @field_validator("oidc_issuer")
    @classmethod
    def _safe(cls, issuer: str | None, info: ValidationInfo) -> str | None:
        return issuer and safe_url(issuer, local=info.data.get("oidc_local", False))

    @field_validator("oidc_client_id", "public_url")
    @classmethod
    def _beside_an_issuer(cls, value: T, info: ValidationInfo) -> T:
        if info.data.get("oidc_issuer") is not None and not value:
            raise ValueError("an issuer (PORTAL_OIDC_ISSUER) wants this beside it")
        return value

    @property
    def live_url(self) -> str:
        return str(self.aggregation_public_url or self.aggregation_url).rstrip("/")
