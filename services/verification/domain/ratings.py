"""A rating's way from submission to outcome: `decide` says what follows, `evolve` what then is so.

Both are pure (the decider pattern). Some facts exist only once they are claimed in the database, where unique
constraints settle who was first: `decide` then answers with the claim it needs, and is asked again with the
result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, IntEnum

from contracts.events import Assurance, EditionPublished, RejectionReason
from services.verification.domain.days import is_open

PHONE_CODE_SENT_WITHIN = timedelta(minutes=5)
PHONE_CODE_LIFETIME = timedelta(minutes=5)
PHONE_CODE_TRIES = 5


class Claim(IntEnum):
    """What only one rating can have. All claim in this order, so that no two wait for each other."""

    IDEMPOTENCY_TOKEN = 1
    CHALLENGE = 2
    SLOT = 3  # of phone, officer and window: one accepted rating each


Claims = Mapping[Claim, bool]  # whether this rating has it; absent: not claimed yet


class ChallengeCheck(Enum):
    """What a challenge and its answer are worth by themselves, at the time of submission."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    INVALID = "invalid"  # none, not ours, altered, or of another edition


class CodeCheck(Enum):
    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"  # it was right
    UNREADABLE = "unreadable"


# --- commands ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verify:
    """Decide a new submission. `edition` is None where there is none of that id."""

    edition: EditionPublished | None
    submitted_at: datetime
    challenge: ChallengeCheck
    phone_readable: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class TryPhoneCode:
    entered_at: datetime
    code: CodeCheck


@dataclass(frozen=True, slots=True)
class Expire:
    """Everything that was entered before `reached` has been read."""

    reached: datetime


Command = Verify | TryPhoneCode | Expire


# --- events, and the states they lead to ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PhoneCodeIssued:
    expires_at: datetime
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class PhoneCodeMissed:
    """A wrong try that was not the last."""


@dataclass(frozen=True, slots=True)
class Accepted:
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class Rejected:
    """`assurance` is what stood behind the rating when it was found to be a duplicate."""

    reason: RejectionReason
    assurance: Assurance | None = None


Event = PhoneCodeIssued | PhoneCodeMissed | Accepted | Rejected


@dataclass(frozen=True, slots=True)
class Undecided:
    pass


@dataclass(frozen=True, slots=True)
class AwaitingPhoneCode:
    expires_at: datetime
    tries_left: int
    assurance: Assurance


Decided = Accepted | Rejected
State = Undecided | AwaitingPhoneCode | Decided


def decide(command: Command, state: State, claims: Claims) -> Event | Claim | None:
    """What follows; the claim to make first; or None, where the command changes nothing."""
    match command, state:
        case Verify(), Undecided():
            return _verify(command, claims)
        case TryPhoneCode(), AwaitingPhoneCode():
            return _try_phone_code(command, state, claims)
        case Expire(), AwaitingPhoneCode() if command.reached > state.expires_at:
            return Rejected(RejectionReason.EXPIRED)
        case _:
            return None


def evolve(state: State, event: Event) -> State:
    match event:
        case PhoneCodeIssued():
            return AwaitingPhoneCode(event.expires_at, PHONE_CODE_TRIES, event.assurance)
        case PhoneCodeMissed() if isinstance(state, AwaitingPhoneCode):
            return replace(state, tries_left=state.tries_left - 1)
        case Accepted() | Rejected():
            return event
    raise TypeError(f"{type(event).__name__} cannot follow on {type(state).__name__}")


def _verify(command: Verify, claims: Claims) -> Event | Claim:  # noqa: PLR0911 - one a rule
    if Claim.IDEMPOTENCY_TOKEN not in claims:
        return Claim.IDEMPOTENCY_TOKEN
    if not claims[Claim.IDEMPOTENCY_TOKEN]:
        return Rejected(RejectionReason.IDEMPOTENCY_KEY_REUSED)
    if command.edition is None or not is_open(command.edition, command.submitted_at):
        return Rejected(RejectionReason.EDITION_CLOSED)
    policy = command.edition.policy.verification
    if policy.asks_challenge:
        refused = _challenge(command.challenge, claims)
        if refused is not None:
            return refused
    if not policy.asks_phone_code:
        return _claim_slot(Assurance.CAPTCHA, claims)
    if not command.phone_readable:
        return Rejected(RejectionReason.PHONE_UNREADABLE)
    proved = Assurance.CAPTCHA_AND_PHONE_CODE if policy.asks_challenge else Assurance.PHONE_CODE
    # Fixed here for good: whether and when a code goes out must not show from outside.
    return PhoneCodeIssued(command.now + PHONE_CODE_SENT_WITHIN + PHONE_CODE_LIFETIME, proved)


def _challenge(check: ChallengeCheck, claims: Claims) -> Event | Claim | None:
    """A challenge is one try: a wrong answer uses it up as well."""
    if check is ChallengeCheck.INVALID:
        return Rejected(RejectionReason.CHALLENGE_INVALID)
    if check is ChallengeCheck.EXPIRED:
        return Rejected(RejectionReason.CHALLENGE_EXPIRED)
    if Claim.CHALLENGE not in claims:
        return Claim.CHALLENGE
    if not claims[Claim.CHALLENGE]:
        return Rejected(RejectionReason.CHALLENGE_USED)
    if check is ChallengeCheck.WRONG:
        return Rejected(RejectionReason.CHALLENGE_WRONG)
    return None


def _try_phone_code(command: TryPhoneCode, state: AwaitingPhoneCode, claims: Claims) -> Event | Claim:
    if command.entered_at > state.expires_at or command.code is CodeCheck.EXPIRED:
        return Rejected(RejectionReason.EXPIRED)
    if command.code is CodeCheck.UNREADABLE:
        return Rejected(RejectionReason.PHONE_UNREADABLE)
    if command.code is CodeCheck.WRONG:
        last = state.tries_left <= 1
        return Rejected(RejectionReason.PHONE_CODE_WRONG) if last else PhoneCodeMissed()
    return _claim_slot(state.assurance, claims)


def _claim_slot(assurance: Assurance, claims: Claims) -> Event | Claim:
    if Claim.SLOT not in claims:
        return Claim.SLOT
    if not claims[Claim.SLOT]:
        return Rejected(RejectionReason.DUPLICATE, assurance)
    return Accepted(assurance)
