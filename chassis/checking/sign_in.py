"""Whether the identity provider is there. On its own: not every image has the packages that it takes."""

from collections.abc import AsyncIterator

import httpx

from chassis.checking.findings import Finding, Probe
from chassis.oidc import Provider, ProviderAway
from chassis.readiness import Check


def provider(issuer: str, *, local: bool, setting: str) -> Probe:
    async def find() -> AsyncIterator[Finding]:
        check = Check("identity_provider")
        async with httpx.AsyncClient() as http:
            try:
                await Provider(issuer, http, check, local=local).metadata()
            except ProviderAway:
                text = f"{issuer} does not answer as a provider of that name ({check.detail}); see {setting}"
                yield Finding("identity provider", False, text)
                return
        yield Finding("identity provider", True, issuer)

    return Probe("identity provider", find, setting)
