"""Given a rating's past, when a command comes, then this follows: tests that speak in the domain's events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

from contracts.events import EditionPublished, Policy, ProofOfWork, VerificationPolicy, Vouching
from contracts.golden import EVENTS
from services.verification.domain.ratings import (
    ChallengeCheck,
    Claim,
    CodeCheck,
    Command,
    Event,
    ProofCheck,
    State,
    TryPhoneCode,
    Undecided,
    Verify,
    decide,
    evolve,
)

NOON = datetime(2017, 11, 23, 5, 0, tzinfo=UTC)  # 12:00 in the city
EDITION = next(event for event in EVENTS if isinstance(event, EditionPublished))


def edition(
    policy: VerificationPolicy = VerificationPolicy.CAPTCHA,
    *,
    window_days: int = 1,
    proof_of_work: ProofOfWork = ProofOfWork.NONE,
    vouching: tuple[Vouching, ...] = (),
    **changes: date,
) -> EditionPublished:
    asked = Policy(
        verification=policy,
        duplicate_window_days=window_days,
        proof_of_work=proof_of_work,
        vouching=vouching,
    )
    return EDITION.model_copy(update={"policy": asked, **changes})


def submission(
    policy: VerificationPolicy = VerificationPolicy.CAPTCHA,
    *,
    challenge: ChallengeCheck = ChallengeCheck.RIGHT,
    phone_readable: bool = True,
    at: datetime = NOON,
    known: bool = True,
    proof_of_work: ProofOfWork = ProofOfWork.NONE,
    proof: ProofCheck = ProofCheck.NONE,
) -> Verify:
    asked = edition(policy, proof_of_work=proof_of_work) if known else None
    return Verify(asked, at, challenge, phone_readable, now=at, proof=proof)


def vouched(by: Vouching, *allowed: Vouching, has_file: bool = False, has_slot: bool = False) -> Verify:
    """With nothing that a citizen would enter, in an edition where those `allowed` may vouch."""
    return Verify(
        edition(VerificationPolicy.CAPTCHA_AND_PHONE, vouching=allowed),
        NOON,
        ChallengeCheck.INVALID,
        phone_readable=False,
        now=NOON,
        vouched_by=by,
        has_file=has_file,
        has_slot=has_slot,
    )


def code(check: CodeCheck, at: datetime) -> TryPhoneCode:
    return TryPhoneCode(at, check)


@dataclass(frozen=True)
class Given:
    """`had_by_another` are the claims that some other rating has; all others succeed, in order."""

    events: tuple[Event, ...] = ()
    had_by_another: frozenset[Claim] = frozenset()

    def but_another_has(self, *claims: Claim) -> Self:
        return type(self)(self.events, frozenset(claims))

    def when(self, command: Command) -> "Then":
        state: State = Undecided()
        for event in self.events:
            state = evolve(state, event)
        claims: dict[Claim, bool] = {}
        while isinstance(answer := decide(command, state, claims), Claim):
            assert answer not in claims, "asked twice for the same claim"
            assert not claims or answer > max(claims), "claims are made in one order"
            claims[answer] = answer not in self.had_by_another
        return Then(answer, claims)


@dataclass(frozen=True)
class Then:
    event: Event | None
    claims: Mapping[Claim, bool]


def given(*events: Event) -> Given:
    return Given(events)
