"""An OpenID Connect provider, for those who rely on it: what it says of itself, and which tokens are its."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import ClaimError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, ValidationError

from chassis.logs import logger
from chassis.readiness import Check

log = logger(__name__)
ALGORITHMS = ("RS256", "PS256", "ES256")
"""Never `none`, and none with a shared secret: a provider's public keys are known to everybody."""
ACCESS_TOKEN = ("at+jwt", "application/at+jwt", "jwt", None)
"""How access tokens call themselves: RFC 9068, and providers that are older."""
ID_TOKEN = ("jwt", None)
FRESH_SECONDS = 600.0
KEPT_SECONDS = 3600.0
"""For so long keys are used on while the provider is away."""
AGAIN_SECONDS = 10.0
"""A provider is asked again no sooner, whatever keys tokens name."""
TIMEOUT = httpx.Timeout(5.0, connect=2.0)
LEEWAY_SECONDS = 30
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ProviderAway(Exception):
    """The provider does not answer, or not as one does; whether a token is good cannot be known now."""


class TokenRefused(Exception):
    """`reason` is one of a few words of ours, fit for logs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Metadata(BaseModel):
    """OpenID Connect Discovery 1.0, the part that is used here; and of RFC 9207."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False

    @property
    def addresses(self) -> list[str]:
        named = (self.authorization_endpoint, self.token_endpoint, self.jwks_uri, self.end_session_endpoint)
        return [each for each in named if each is not None]


@dataclass(frozen=True, slots=True)
class _Known:
    metadata: Metadata
    keys: KeySet
    at: float


def safe_url(url: str, *, local: bool) -> str:
    """The address, where nobody between can read along. `local` lets plain HTTP be, on this machine alone.

    Raises ValueError.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise ValueError("no address of a provider")
    if parts.scheme == "https" or (local and parts.scheme == "http" and parts.hostname in LOOPBACK):
        return url
    raise ValueError("a provider is reached by https")


def subject_of(claims: Mapping[str, Any]) -> str:
    """Who it is, as a digest: whoever has the provider's list of people can tell whose it is, and nobody
    else can."""
    return hashlib.sha256(f"{claims['iss']}\n{claims['sub']}".encode()).hexdigest()[:32]


def listed(claim: Any) -> list[str]:
    """The words of a claim. One that is absent, or of a form that nobody agreed upon, has none."""
    words = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return [each for each in words if isinstance(each, str) and each]


class Provider:
    """One provider. Metadata and keys are remembered, and asked for again when they are old or lack a key."""

    def __init__(
        self,
        issuer: str,
        http: httpx.AsyncClient,
        check: Check,
        *,
        local: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._http = http
        self._check = check
        self._local = local
        self._clock = clock
        self._known: _Known | None = None
        self._tried_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()
        check.up("not asked yet")

    async def metadata(self) -> Metadata:
        """Raises ProviderAway."""
        return (await self._current()).metadata

    async def verified(self, token: str, *, audience: str, types: Collection[str | None]) -> jwt.Token:
        """The token, once signature, issuer, audience and times are right.

        Raises TokenRefused, ProviderAway.
        """
        try:
            try:
                decoded = jwt.decode(token, (await self._current()).keys, ALGORITHMS)
            except InvalidKeyIdError:
                decoded = jwt.decode(token, (await self._current(anew=True)).keys, ALGORITHMS)
            kind = decoded.header.get("typ")
            if (kind.lower() if isinstance(kind, str) else kind) not in types:
                raise TokenRefused("another kind of token")
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": audience},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(decoded.claims)
        except ClaimError as error:
            raise TokenRefused(f"{error.error}: {error.claim}") from error
        except JoseError as error:
            raise TokenRefused(error.error) from error
        except (ValueError, TypeError) as error:  # what is no token at all
            raise TokenRefused("no token") from error
        return decoded

    async def _current(self, *, anew: bool = False) -> _Known:
        """Raises ProviderAway."""
        if not self._wanted(anew):
            return self._usable()
        async with self._one_at_a_time:
            if self._wanted(anew):
                self._tried_at = self._clock()
                await self._ask()
        return self._usable()

    def _wanted(self, anew: bool) -> bool:
        now = self._clock()
        old = self._known is None or now - self._known.at >= FRESH_SECONDS
        return (old or anew) and now - self._tried_at >= AGAIN_SECONDS

    def _usable(self) -> _Known:
        if self._known is None or self._clock() - self._known.at >= KEPT_SECONDS:
            raise ProviderAway(self._check.detail)
        return self._known

    async def _ask(self) -> None:
        try:
            at = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
            metadata = Metadata.model_validate(await self._get(at))
            if metadata.issuer != self._issuer:
                raise ValueError("another issuer")  # noqa: TRY301 - OpenID Connect Discovery 4.3
            for url in metadata.addresses:
                safe_url(url, local=self._local)
            keys = KeySet.import_key_set(await self._get(metadata.jwks_uri))
        except (httpx.HTTPError, ValidationError, JoseError, ValueError, KeyError, TypeError) as error:
            reason = type(error).__name__
            if self._check.ok:
                log.warning("identity provider does not answer as one", reason=reason)
            self._check.down(reason)
            return
        if not self._check.ok:
            log.info("identity provider answers")
        self._check.up()
        self._known = _Known(metadata, keys, self._clock())

    async def _get(self, url: str) -> Any:
        return (await self._http.get(url, timeout=TIMEOUT)).raise_for_status().json()
