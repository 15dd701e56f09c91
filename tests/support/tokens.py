"""A provider's key, the tokens it signs, and those that others would like to pass off as its own."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from chassis.oidc import Provider
from chassis.readiness import Check

ISSUER = "https://provider.example"
AUDIENCE = "https://figures.example"
CLAIM = "hailong_departments"


def a_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


KEY, OTHERS_KEY = a_key("one"), a_key("one")


def claims(**changes: Any) -> dict[str, Any]:
    """Of a good access token, but for `changes`; None takes one out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "somebody", "iat": now, "exp": now + 300} | changes
    return {name: value for name, value in good.items() if value is not None}


def token(*, key: Any = KEY, header: dict[str, Any] | None = None, **changes: Any) -> str:
    header = {"alg": "RS256", "typ": "at+jwt", "kid": "one", **(header or {})}
    header = {name: value for name, value in header.items() if value is not None}
    return jwt.encode(header, claims(**changes), key, algorithms=[header["alg"]], default_type=None)


def unsigned(**changes: Any) -> str:
    parts = ({"alg": "none", "typ": "at+jwt", "kid": "one"}, claims(**changes))
    return ".".join(_base64url(json.dumps(part).encode()) for part in parts) + "."


def signed_with_the_public_key(**changes: Any) -> str:
    """A library that believes the header would take the public key for the secret of an HMAC."""
    parts = ({"alg": "HS256", "typ": "at+jwt", "kid": "one"}, claims(**changes))
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    mac = hmac.new(KEY.as_pem(private=False), signed.encode(), hashlib.sha256)
    return f"{signed}.{_base64url(mac.digest())}"


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class FakeProvider(httpx.AsyncBaseTransport):
    """Its metadata and keys, as long as it is not `away`; counts how often it was asked for keys. `told` is
    what it says to who brings a code."""

    keys: list[RSAKey] = field(default_factory=lambda: [KEY])
    issuer: str = ISSUER
    away: bool = False
    asked: int = 0
    told: httpx.Response | None = None
    redeemed: list[httpx.Request] = field(default_factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        if request.url.path == "/.well-known/openid-configuration":
            ends = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            said: dict[str, Any] = {name: ISSUER + path for name, path in ends.items()}
            said["authorization_response_iss_parameter_supported"] = True
            return httpx.Response(200, json={"issuer": self.issuer, **said})
        if request.url.path == "/token":
            self.redeemed.append(request)
            assert self.told is not None
            return self.told
        assert request.url.path == "/jwks"
        self.asked += 1
        return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})

    def seen_by(self, clock: "Clock", check: Check | None = None) -> Provider:
        http = httpx.AsyncClient(transport=self)
        return Provider(ISSUER, http, check or Check("identity_provider"), clock=clock)


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now
