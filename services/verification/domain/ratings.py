"""A rating's way from submission to outcome: `decide` says what follows, `evolve` what then is so.

Both are pure (the decider pattern). Some facts exist only once they are claimed in the database, where unique
constraints settle who was first: `decide` then answers with the claim it needs, and is asked again with the
result.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from functools import cache
from uuid import UUID

from contracts.events import (
    Assurance,
    EditionPublished,
    Policy,
    ProofOfWork,
    RejectionReason,
    Vouching,
    Withdrawal,
)
from services.verification.domain.days import is_open

PHONE_CODE_SENT_WITHIN = timedelta(minutes=5)
PHONE_CODE_LIFETIME = timedelta(minutes=5)
PHONE_CODE_TRIES = 5
WITHDRAWABLE = timedelta(days=30)  # after acceptance, unless the operator says otherwise


class Claim(IntEnum):
    """What only one rating can have. All claim in this order, so that no two wait for each other."""

    IDEMPOTENCY_TOKEN = 1
    CHALLENGE = 2
    PROOF_OF_WORK = 3
    SLOT = 4  # of phone, officer and window, or of a file: one accepted rating each


Claims = Mapping[Claim, bool]  # whether this rating has it; absent: not claimed yet
_LAST_HELD = {
    RejectionReason.IDEMPOTENCY_KEY_REUSED: None,
    RejectionReason.EDITION_CLOSED: Claim.IDEMPOTENCY_TOKEN,
    RejectionReason.VOUCHING_REFUSED: Claim.IDEMPOTENCY_TOKEN,
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
    """Decide a new submission. `edition` is None where there is none of that id.

    `vouched_by` stands for it in place of code and phone; `has_file` says that the office's system knows
    the file it is about; `has_slot` is False where it names neither a phone nor a file.
    """

    edition: EditionPublished | None
    submitted_at: datetime
    challenge: ChallengeCheck
    phone_readable: bool
    now: datetime
    proof: ProofCheck = ProofCheck.NONE
    vouched_by: Vouching | None = None
    has_file: bool = False
    has_slot: bool = True


@dataclass(frozen=True, slots=True)
class TryPhoneCode:
    entered_at: datetime
    code: CodeCheck


@dataclass(frozen=True, slots=True)
class Expire:
    """Everything that was entered before `reached` has been read."""

    reached: datetime


@dataclass(frozen=True, slots=True)
class Withdraw:
    """`reason` and `wave_id` are the office's, where it voids a rating."""

    asked_at: datetime
    kind: Withdrawal = Withdrawal.CITIZEN
    reason: str | None = None
    wave_id: UUID | None = None


Command = Verify | TryPhoneCode | Expire | Withdraw


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


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """`of` is the decision that stood before. A rejected one was told as accepted, and is told so no more."""

    of: Accepted | Rejected
    kind: Withdrawal
    reason: str | None = None
    wave_id: UUID | None = None


Event = PhoneCodeIssued | PhoneCodeMissed | Accepted | Rejected | Withdrawn


@dataclass(frozen=True, slots=True)
class Undecided:
    pass


@dataclass(frozen=True, slots=True)
class AwaitingPhoneCode:
    expires_at: datetime
    tries_left: int
    assurance: Assurance


Decided = Accepted | Rejected
State = Undecided | AwaitingPhoneCode | Decided | Withdrawn


def decision(state: State) -> Decided | None:
    """How the submission was decided, whatever became of the rating since."""
    if isinstance(state, Withdrawn):
        return state.of
    return state if isinstance(state, Accepted | Rejected) else None


def decide(
    command: Command, state: State, claims: Claims, until: datetime | None = None
) -> Event | Claim | None:
    """What follows; the claim to make first; or None, where the command changes nothing.

    `until` is when the rating's citizen can withdraw it the latest.
    """
    match command, state:
        case Withdraw(), Accepted() | Rejected() if told_as_accepted(state):
            return _withdraw(command, state, until)
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
        case Accepted() | Rejected() | Withdrawn():
            return event
    raise TypeError(f"{type(event).__name__} cannot follow on {type(state).__name__}")


_PHONE_PROVED = {
    Assurance.PHONE_CODE,
    Assurance.CAPTCHA_AND_PHONE_CODE,
    Assurance.PROOF_OF_WORK_AND_PHONE_CODE,
    Assurance.CAPTCHA_AND_PROOF_OF_WORK_AND_PHONE_CODE,
}


def told_as_accepted(decided: Decided) -> bool:
    """A duplicate is named only to who proved to hold the phone.

    With the image code or proof of work alone, anyone could type anyone's number; being told "duplicate"
    would tell whether, and whom, that person has rated. So there a duplicate is told as accepted.
    """
    if isinstance(decided, Accepted):
        return True
    return decided.reason is RejectionReason.DUPLICATE and decided.assurance not in _PHONE_PROVED


def _withdraw(command: Withdraw, decided: Decided, until: datetime | None) -> Withdrawn | None:
    """A citizen has until then; the office can void a rating as long as it is known."""
    if command.kind is Withdrawal.CITIZEN and until is not None and command.asked_at > until:
        return None
    return Withdrawn(decided, command.kind, command.reason, command.wave_id)


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
    if command.vouched_by is not None:
        return _vouched(command, command.vouched_by, policy, claims)
    asks_challenge, asks_proof = _asked(policy, command.proof)
    refused = (_challenge(command.challenge, claims) if asks_challenge else None) or (
        _proof(command.proof, claims) if asks_proof else None
    )
    if refused is not None:
        return refused
    asks_phone_code = policy.verification.asks_phone_code
    proved = (
        Assurance.FILE
        if command.has_file
        else _assurance(captcha=asks_challenge, proof_of_work=asks_proof, phone_code=asks_phone_code)
    )
    if not command.has_slot or (asks_phone_code and not command.phone_readable):
        return Rejected(RejectionReason.PHONE_UNREADABLE)
    if not asks_phone_code:
        return _claim_slot(proved, claims)
    # Fixed here for good: whether and when a code goes out must not show from outside.
    return PhoneCodeIssued(command.now + PHONE_CODE_SENT_WITHIN + PHONE_CODE_LIFETIME, proved)


def _vouched(command: Verify, by: Vouching, policy: Policy, claims: Claims) -> Event | Claim:
    """Nothing is asked of the citizen. Intake knows who vouches, the edition whether they may."""
    if by not in policy.vouching:
        return Rejected(RejectionReason.VOUCHING_REFUSED)
    assurance = Assurance.FILE if command.has_file else Assurance(by.value)
    return _claim_slot(assurance, claims) if command.has_slot else Accepted(assurance)


def _asked(policy: Policy, proof: ProofCheck) -> tuple[bool, bool]:
    """Whether the image code and the proof of work have to be right. A proof can stand for the code."""
    asks_challenge = policy.verification.asks_challenge
    if policy.proof_of_work is ProofOfWork.INSTEAD and asks_challenge and proof is not ProofCheck.NONE:
        return False, True
    return asks_challenge, policy.proof_of_work is ProofOfWork.BESIDE


@cache
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
