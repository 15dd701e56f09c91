"""Access tokens of the city's identity provider, as bearers: refused alike by every API that takes them."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from chassis.logs import logger
from chassis.oidc import ACCESS_TOKEN, Provider, ProviderAway, TokenRefused
from chassis.problems import Problem, ProblemType

AWAY_SECONDS = 10
HEADERS = {"Cache-Control": "private, no-store", "Cross-Origin-Resource-Policy": "same-origin"}
"""Of what is answered to who has signed in: kept nowhere, and for no other site."""
audit = logger("audit")
logging.getLogger("audit").setLevel(logging.INFO)  # whatever the level of all else
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="An access token of the provider.")

Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def claims_of(
    credentials: HTTPAuthorizationCredentials | None,
    provider: Provider,
    audience: str,
    *,
    not_signed_in: ProblemType,
    provider_away: ProblemType,
) -> Mapping[str, Any]:
    """What the provider says of whoever calls. Raises Problem: one of these, in the words of what is asked
    for. `audience` is ours, as the provider names it."""
    if credentials is None:
        raise Problem(not_signed_in, headers={"WWW-Authenticate": "Bearer"})
    try:
        verified = await provider.verified(credentials.credentials, audience=audience, types=ACCESS_TOKEN)
    except TokenRefused as error:
        audit.warning("token refused", reason=error.reason)
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        raise Problem(not_signed_in, headers=challenge) from error
    except ProviderAway as error:
        raise Problem(provider_away, retry_after=AWAY_SECONDS) from error
    return verified.claims
