"""A rating's way from submission to outcome: `decide` says what follows, `evolve` what then is so.

Both are pure (the decider pattern). Some facts exist only once they are claimed in the database, where unique
constraints settle who was first: `decide` then answers with the claim it needs, and is asked again with the
result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, IntEnum

from contracts.events import Assurance, EditionPublished, Policy, ProofOfWork, RejectionReason
from services.verification.domain.days import is_open

PHONE_CODE_SENT_WITHIN = timedelta(minutes=5)
PHONE_CODE_LIFETIME = timedelta(minutes=5)
PHONE_CODE_TRIES = 5


class Claim(IntEnum):
    """What only one rating can have. All claim in this order, so that no two wait for each other."""

    IDEMPOTENCY_TOKEN = 1
    CHALLENGE = 2
    PROOF_OF_WORK = 3
    SLOT = 4  # of phone, officer and window: one accepted rating each


Claims = Mapping[Claim, bool]  # whether this rating has it; absent: not claimed yet
_LAST_HELD = {
    RejectionReason.IDEMPOTENCY_KEY_REUSED: None,
    RejectionReason.EDITION_CLOSED: Claim.IDEMPOTENCY_TOKEN,
    RejectionReason.CHALLENGE_INVALID: Claim.IDEMPOTENCY_TOKEN,
    RejectionReason.CHALLENGE_EXPIRED: Claim.IDEMPOTENCY_TOKEN,
    RejectionReason.CHALLENGE_USED: Claim.IDEMPOTENCY_TOKEN,
    RejectionReason.CHALLENGE_WRONG: Claim.CHALLENGE,
    RejectionReason.PROOF_OF_WORK_INVALID: Claim.CHALLENGE,
    RejectionReason.PROOF_OF_WORK_EXPIRED: Claim.CHALLENGE,
    RejectionReason.PROOF_OF_WORK_USED: Claim.CHALLENGE,
    RejectionReason.PHONE_UNREADABLE: Claim.PROOF_OF_WORK,
    RejectionReason.PHONE_CODE_WRONG: Claim.PROOF_OF_WORK,
    RejectionReason.EXPIRED: Claim.PROOF_OF_WORK,
    RejectionReason.DUPLICATE: Claim.PROOF_OF_WORK,
}


class ChallengeCheck(Enum):
    """What a challenge and its answer are worth by themselves, at the time of submission."""

    RIGHT = "right"
    WRONG = "wrong"
    EXPIRED = "expired"
    INVALID = "invalid"  # none, not ours, altered, or of another edition


class ProofCheck(Enum):
    """What a proof of work is worth by itself, at the time of submission."""

    RIGHT = "right"
    EXPIRED = "expired"
    INVALID = "invalid"  # not ours, altered, not solved, or of another edition
    NONE = "none"


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
    proof: ProofCheck = ProofCheck.NONE


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


def held(decided: Decided) -> tuple[Claim, ...]:
    """What a rating that ended so has for itself, of what its policy asked for."""
    last = Claim.SLOT if isinstance(decided, Accepted) else _LAST_HELD[decided.reason]
    return tuple(claim for claim in Claim if last is not None and claim <= last)


def would_prove(command: Verify) -> Assurance | None:
    """What stands behind the submission if nobody was before it; None where it would not get so far."""
    free = dict.fromkeys(Claim, True) | {Claim.SLOT: False}
    match decide(command, Undecided(), free):
        case PhoneCodeIssued(assurance=assurance) | Rejected(assurance=assurance):
            return assurance
    return None


def _verify(command: Verify, claims: Claims) -> Event | Claim:  # noqa: PLR0911 - one a rule
    if Claim.IDEMPOTENCY_TOKEN not in claims:
        return Claim.IDEMPOTENCY_TOKEN
    if not claims[Claim.IDEMPOTENCY_TOKEN]:
        return Rejected(RejectionReason.IDEMPOTENCY_KEY_REUSED)
    if command.edition is None or not is_open(command.edition, command.submitted_at):
        return Rejected(RejectionReason.EDITION_CLOSED)
    policy = command.edition.policy
    asks_challenge, asks_proof = _asked(policy, command.proof)
    refused = (_challenge(command.challenge, claims) if asks_challenge else None) or (
        _proof(command.proof, claims) if asks_proof else None
    )
    if refused is not None:
        return refused
    asks_phone_code = policy.verification.asks_phone_code
    proved = _assurance(captcha=asks_challenge, proof_of_work=asks_proof, phone_code=asks_phone_code)
    if not asks_phone_code:
        return _claim_slot(proved, claims)
    if not command.phone_readable:
        return Rejected(RejectionReason.PHONE_UNREADABLE)
    # Fixed here for good: whether and when a code goes out must not show from outside.
    return PhoneCodeIssued(command.now + PHONE_CODE_SENT_WITHIN + PHONE_CODE_LIFETIME, proved)


def _asked(policy: Policy, proof: ProofCheck) -> tuple[bool, bool]:
    """Whether the image code and the proof of work have to be right. A proof can stand for the code."""
    asks_challenge = policy.verification.asks_challenge
    if policy.proof_of_work is ProofOfWork.INSTEAD and asks_challenge and proof is not ProofCheck.NONE:
        return False, True
    return asks_challenge, policy.proof_of_work is ProofOfWork.BESIDE


def _assurance(**proved: bool) -> Assurance:
    return Assurance("_and_".join(what for what, is_so in proved.items() if is_so))


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


def _proof(check: ProofCheck, claims: Claims) -> Event | Claim | None:
    if check is ProofCheck.EXPIRED:
        return Rejected(RejectionReason.PROOF_OF_WORK_EXPIRED)
    if check is not ProofCheck.RIGHT:
        return Rejected(RejectionReason.PROOF_OF_WORK_INVALID)
    if Claim.PROOF_OF_WORK not in claims:
        return Claim.PROOF_OF_WORK
    return None if claims[Claim.PROOF_OF_WORK] else Rejected(RejectionReason.PROOF_OF_WORK_USED)


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
