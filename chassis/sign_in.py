"""Settings of a service that takes access tokens of the city's identity provider."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from chassis.oidc import safe_url
from chassis.settings import ReadBy

SERVE = ReadBy(("serve",))


class SignIn(BaseModel):
    """…_OIDC_… variables. Without an issuer nobody sees more than the public does."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    local: Annotated[bool, SERVE] = Field(
        False, description="Let the issuer be on this machine and without TLS."
    )
    issuer: Annotated[str | None, SERVE] = Field(
        None,
        description="The OpenID Connect provider, exactly as it calls itself; without it nobody signs in.",
    )
    audience: Annotated[str, SERVE] = Field(
        "", validate_default=True, description="What the provider's access tokens call this API (`aud`)."
    )
    departments_claim: Annotated[str, SERVE] = Field(
        "hailong_departments",
        description="The claim that lists ids of units or groups, or holds `*` for all.",
    )

    @field_validator("issuer")
    @classmethod
    def _safe(cls, issuer: str | None, info: ValidationInfo) -> str | None:
        return issuer and safe_url(issuer, local=info.data.get("local", False))

    @field_validator("audience")
    @classmethod
    def _beside_an_issuer(cls, audience: str, info: ValidationInfo) -> str:
        if info.data.get("issuer") is not None and not audience:
            raise ValueError("an issuer wants an audience beside it")
        return audience
