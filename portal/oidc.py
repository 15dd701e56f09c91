"""Signing in with an OpenID Connect provider: the authorization code flow with PKCE, as RFC 9700 wants it.

What is sent and what must be true of what comes back is Authlib's; it is sent and received here.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError
from pydantic import BaseModel, Field

from chassis.logs import logger
from chassis.oidc import ID_TOKEN, TIMEOUT, Provider, ProviderAway, TokenRefused

log = logger(__name__)
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
USUAL_SECONDS = 300
"""How long a token is taken to last whose provider does not say."""


class Attempt(BaseModel):
    """What the browser that began to sign in keeps, so that no other can end it."""

    state: str = Field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = Field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = Field(default_factory=lambda: secrets.token_urlsafe(48))
    next: str


class SigningInFailed(Exception):
    """The provider said no, or what came back is not an answer to what was asked. `args` is for the log."""


@dataclass(frozen=True, slots=True)
class Client:
    """The portal, as the provider knows it. `returns_to` and `leaves_to` are addresses of pages of ours."""

    id: str
    returns_to: str
    leaves_to: str
    scope: str
    secret_file: Path | None = None
    resource: str | None = None

    def proof(self) -> httpx.BasicAuth | None:
        """Read at each use, so that a new secret needs no restart. Raises ProviderAway where it cannot be."""
        if self.secret_file is None:
            return None
        try:
            secret = self.secret_file.read_text().strip()
        except OSError as error:
            log.exception("the client's secret cannot be read", file=self.secret_file.name)
            raise ProviderAway("no secret") from error
        return httpx.BasicAuth(quote(self.id, safe=""), quote(secret, safe=""))  # RFC 6749, 2.3.1


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` is for aggregation's API, for `seconds`; `name` is what the person is called."""

    token: str
    seconds: int
    name: str


class SignIn:
    """Every method raises ProviderAway."""

    def __init__(self, provider: Provider, http: httpx.AsyncClient, client: Client) -> None:
        self._provider = provider
        self._http = http
        self._client = client

    async def begin(self, attempt: Attempt) -> str:
        """Where the browser goes."""
        metadata = await self._provider.metadata()
        return str(
            prepare_grant_uri(
                metadata.authorization_endpoint,
                self._client.id,
                "code",
                redirect_uri=self._client.returns_to,
                scope=self._client.scope,
                state=attempt.state,
                nonce=attempt.nonce,
                code_challenge=create_s256_code_challenge(attempt.verifier),  # type: ignore[no-untyped-call]
                code_challenge_method="S256",
                resource=self._client.resource,
            )
        )

    async def complete(self, attempt: Attempt, answer: Mapping[str, str]) -> SignedIn:
        """`answer`: the query with which the provider sent the browser back. Raises SigningInFailed."""
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise SigningInFailed("another state")
        metadata = await self._provider.metadata()
        said = answer.get("iss")  # RFC 9207
        if said != metadata.issuer and (said or metadata.authorization_response_iss_parameter_supported):
            raise SigningInFailed("another issuer")
        if "error" in answer or not answer.get("code"):
            raise SigningInFailed("the provider said no")
        told = await self._redeem(metadata.token_endpoint, answer["code"], attempt.verifier)
        try:
            access_token, id_token = str(told["access_token"]), str(told["id_token"])
            seconds = int(told.get("expires_in") or USUAL_SECONDS)
            if str(told["token_type"]).lower() != "bearer":
                raise SigningInFailed("another kind of token")
            verified = await self._provider.verified(id_token, audience=self._client.id, types=ID_TOKEN)
            said_of = {"nonce": attempt.nonce, "client_id": self._client.id, "access_token": access_token}
            person = CodeIDToken(verified.claims, verified.header, params=said_of)
            person.validate(leeway=30)
        except TokenRefused as error:
            raise SigningInFailed(error.reason) from error
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise SigningInFailed(type(error).__name__) from error
        return SignedIn(access_token, seconds, str(person.get("name") or "")[:100])

    async def leaving(self) -> str | None:
        """Where one signs out of the provider too; None where it offers no such page."""
        end = (await self._provider.metadata()).end_session_endpoint
        if end is None:
            return None
        said = {"client_id": self._client.id, "post_logout_redirect_uri": self._client.leaves_to}
        return f"{end}{'&' if '?' in end else '?'}{urlencode(said)}"

    async def _redeem(self, url: str, code: str, verifier: str) -> dict[str, Any]:
        proof = self._client.proof()
        body = prepare_token_request(
            "authorization_code",
            redirect_uri=self._client.returns_to,
            code=code,
            code_verifier=verifier,
            resource=self._client.resource,
            client_id=None if proof else self._client.id,
        )
        try:
            response = await self._http.post(
                url,
                content=body,
                headers=FORM,
                auth=proof or httpx.USE_CLIENT_DEFAULT,
                timeout=TIMEOUT,
            )
            if response.status_code >= 500:
                raise ProviderAway(f"HTTP {response.status_code}")
            told = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderAway(type(error).__name__) from error
        if response.status_code != 200 or not isinstance(told, dict):
            raise SigningInFailed(f"the code was not taken: HTTP {response.status_code}")
        return told
