"""Who has signed in, in an encrypted cookie: the server keeps nothing.

It holds the access token and ends with it; nothing in it outlives what the provider granted.
"""

import base64
import hashlib
import hmac
import secrets
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, TypeVar

from cryptography.fernet import Fernet, InvalidToken
from fastapi import Request, Response
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from chassis import key_files
from portal import cookies
from portal.oidc import Attempt

SESSION, ATTEMPT = "hl_department", "hl_signin"  # as `portal.cookies` names them
KEY = "department.key"
ATTEMPT_SECONDS = 10 * 60
MOST_BYTES = 4000
"""Browsers keep no cookie of more than 4,096, its name included."""
M = TypeVar("M", bound=BaseModel)


class TooLarge(Exception):
    """The provider's token does not fit into a cookie."""


class Session(BaseModel):
    id: str = Field(default_factory=lambda: secrets.token_urlsafe(24))
    token: str
    ends_at: AwareDatetime
    name: str


class Sessions:
    """Seals sessions and attempts to begin one into cookies, and opens them."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        self._session = Sealed(key, SESSION, Session, secure=secure)
        self._attempt = Sealed(key, ATTEMPT, Attempt, secure=secure)
        self._secret = _derived(key, "csrf")

    def read(self, request: Request, now: datetime | None = None) -> Session | None:
        """None where there is none, or it has ended."""
        session = self._session.read(request)
        return session if session is not None and session.ends_at > (now or datetime.now(UTC)) else None

    def begin(self, response: Response, session: Session) -> None:
        """In place of whatever session there was. Raises TooLarge."""
        self._session.write(response, session, (session.ends_at - datetime.now(UTC)).total_seconds())
        self._attempt.remove(response)

    def end(self, response: Response) -> None:
        self._session.remove(response)

    def attempt(self, request: Request) -> Attempt | None:
        return self._attempt.read(request, ttl=ATTEMPT_SECONDS)

    def remember(self, response: Response, attempt: Attempt) -> None:
        self._attempt.write(response, attempt, ATTEMPT_SECONDS)

    def forget_attempt(self, response: Response) -> None:
        self._attempt.remove(response)

    def token(self, session: Session) -> str:
        """Proves that a form was made for this session."""
        return hmac.new(self._secret, session.id.encode(), hashlib.sha256).hexdigest()

    def owns(self, session: Session, token: str) -> bool:
        return hmac.compare_digest(self.token(session).encode(), token.encode())


class Sealed(Generic[M]):
    """One cookie, of all paths, with a key of its own."""

    def __init__(self, key: bytes, name: str, model: type[M], *, secure: bool) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(_derived(key, name)))
        self._name = cookies.named(name, for_all_paths=True, secure=secure)
        self._model = model
        self._secure = secure

    def read(self, request: Request, *, ttl: int | None = None) -> M | None:
        sealed = request.cookies.get(self._name)
        if sealed is None:
            return None
        try:
            return self._model.model_validate_json(zlib.decompress(self._fernet.decrypt(sealed, ttl=ttl)))
        except (InvalidToken, ValidationError, zlib.error):
            return None

    def write(self, response: Response, value: M, seconds: float) -> None:
        sealed = self._fernet.encrypt(zlib.compress(value.model_dump_json().encode(), 9)).decode()
        if len(sealed) > MOST_BYTES:
            raise TooLarge
        self._set(response, sealed, int(seconds))

    def remove(self, response: Response) -> None:
        self._set(response, "", 0)

    def _set(self, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            self._name, value, max_age=seconds, httponly=True, secure=self._secure, samesite="lax"
        )


def _derived(key: bytes, purpose: str) -> bytes:
    return hashlib.sha256(purpose.encode() + b"\0" + key).digest()


def load_key(folder: Path) -> bytes:
    """The key in `department.key`, made on first use. Raises KeyMissing."""
    path = folder / KEY
    key_files.create(path)
    return key_files.read(path)
