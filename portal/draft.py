"""What a citizen has entered so far, in an encrypted cookie of one officer's pages.

The server keeps nothing. The cookie is sealed with `session.key`, bound to the officer's path, and ends after
half an hour; once a rating is decided, the phone number and the answer are taken out of it.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from cryptography.fernet import Fernet, InvalidToken
from fastapi import Request, Response
from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from chassis import key_files
from portal import cookies, visitor

COOKIE = "hl_draft"  # as `portal.cookies` names it
LIFETIME_SECONDS = 30 * 60

Channel = Literal["portal", "web", "kiosk", "qr"]
End = Literal["thanks", "duplicate"]


class DraftChallenge(BaseModel):
    id: str
    expires_at: AwareDatetime


class PhoneCodeTry(BaseModel):
    """One entry of the code from the SMS. `tries_left` is how many there were before it."""

    code: str
    key: str
    tries_left: int | None = None
    sent: bool = False


class Draft(BaseModel):
    """One attempt to rate one officer.

    `key` is the attempt's Idempotency-Key. Once `frozen`, the body of the attempt does not change any more:
    it is sent as often as needed under that key, until its outcome is known. `visit` is the browser's, the
    same for all officers; at a kiosk each draft has its own, as each is another citizen's. `vouched`: the
    screen stands for it, so that neither phone nor code is asked for.
    """

    id: str = Field(default_factory=lambda: secrets.token_urlsafe(12))
    officer_id: str
    visit: str = Field(default_factory=visitor.new_visit)
    edition_id: str = ""
    channel: Channel = "portal"
    language: str = "vi"
    vouched: bool = False
    phone: str = ""
    file_number: str = ""
    respondent: str = ""
    deciding_unit_id: str = ""
    answer: str = ""
    reasons: list[str] = []
    scale_answers: dict[str, str] = {}  # choices, by SCALE/QUESTION
    consent: bool = False
    challenge: DraftChallenge | None = None
    code: str = ""
    proof: str = ""
    key: str = Field(default_factory=lambda: secrets.token_urlsafe(24))
    frozen: bool = False
    rating_id: str | None = None
    receipt: str = ""
    withdrawable_until: AwareDatetime | None = None
    phone_code: PhoneCodeTry | None = None
    phone_code_entered: bool = False
    notice: str = ""
    errors: dict[str, str] = {}
    end: End | None = None

    def edit(self) -> None:
        """Open the draft for another attempt, which gets its own key; what was entered stays."""
        self.key = secrets.token_urlsafe(24)
        self.frozen = False
        self.challenge, self.code, self.proof = None, "", ""
        self.rating_id, self.phone_code, self.phone_code_entered = None, None, False
        self.receipt, self.withdrawable_until = "", None

    def finish(self, end: End, withdrawable_until: datetime | None = None) -> None:
        """The rating is decided: forget everything personal, remember only how it ended, and the receipt of
        one that can be withdrawn. At a kiosk the next citizen would see it."""
        receipt = self.receipt if withdrawable_until is not None and self.channel != "kiosk" else ""
        self.edit()
        self.receipt, self.withdrawable_until = receipt, withdrawable_until
        self.phone, self.answer, self.reasons, self.consent = "", "", [], False
        self.file_number, self.respondent, self.deciding_unit_id = "", "", ""
        self.scale_answers = {}
        self.notice, self.errors, self.end = "", {}, end

    def has_challenge(self, now: datetime) -> bool:
        return self.challenge is not None and self.challenge.expires_at > now


class Drafts:
    """Seals drafts into cookies and opens them."""

    def __init__(self, key: bytes, *, secure: bool) -> None:
        self._fernet = Fernet(key)
        self._secret = hashlib.sha256(b"csrf" + key).digest()
        self._secure = secure
        self._cookie = cookies.named(COOKIE, for_all_paths=False, secure=secure)
        self._visit = cookies.named(visitor.COOKIE, for_all_paths=False, secure=secure)

    def read(self, request: Request, officer_id: str) -> Draft | None:
        """The draft the request brings for this officer; None where there is none, or it is too old."""
        sealed = request.cookies.get(self._cookie)
        if sealed is None:
            return None
        try:
            draft = Draft.model_validate_json(self._fernet.decrypt(sealed, ttl=LIFETIME_SECONDS))
        except (InvalidToken, ValidationError):
            return None
        return draft if draft.officer_id == officer_id else None

    def begin(self, request: Request, officer_id: str) -> Draft:
        """A new draft, of the visit that the request is part of."""
        return Draft(officer_id=officer_id, visit=visitor.visit_of(request.cookies.get(self._visit, "")))

    def write(self, response: Response, draft: Draft) -> None:
        sealed = self._fernet.encrypt(draft.model_dump_json().encode()).decode()
        self._set(response, self._cookie, sealed, path_of(draft.officer_id))
        if draft.channel != "kiosk":
            self._set(response, self._visit, draft.visit, visitor.PATH)

    def _set(self, response: Response, name: str, value: str, path: str) -> None:
        response.set_cookie(
            name,
            value,
            max_age=LIFETIME_SECONDS,
            path=path,
            httponly=True,
            secure=self._secure,
            samesite="lax",
        )

    def forget(self, response: Response, officer_ids: Iterable[str]) -> None:
        """Whatever the browser holds of drafts for these officers, and of the visit."""
        for each in officer_ids:
            response.delete_cookie(self._cookie, path=path_of(each), secure=self._secure, httponly=True)
        response.delete_cookie(self._visit, path=visitor.PATH, secure=self._secure, httponly=True)

    def token(self, draft: Draft) -> str:
        """Proves that a form was made for this draft."""
        return hmac.new(self._secret, draft.id.encode(), hashlib.sha256).hexdigest()

    def owns(self, draft: Draft, token: str) -> bool:
        return hmac.compare_digest(self.token(draft).encode(), token.encode())


def path_of(officer_id: str) -> str:
    """The path all pages of one rating are under."""
    return f"/danh-gia/cong-chuc/{quote(officer_id, safe='')}"


def load_key(folder: Path) -> bytes:
    """The key in `session.key`, made on first use, as Fernet takes it. Raises KeyMissing."""
    path = folder / "session.key"
    key_files.create(path)
    return base64.urlsafe_b64encode(key_files.read(path))


def now() -> datetime:
    return datetime.now(UTC)
