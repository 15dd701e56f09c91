"""Whatever comes in whatever order, a rating is decided once, by the rules, and never again."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.events import Assurance, RejectionReason, VerificationPolicy
from services.verification.domain.ratings import (
    PHONE_CODE_LIFETIME,
    PHONE_CODE_SENT_WITHIN,
    PHONE_CODE_TRIES,
    Accepted,
    AwaitingPhoneCode,
    ChallengeCheck,
    Claim,
    CodeCheck,
    Command,
    Expire,
    Rejected,
    State,
    TryPhoneCode,
    Undecided,
    decide,
    evolve,
)
from tests.unit.verification.scenario import NOON, submission


class OneRating(RuleBasedStateMachine):
    @initialize(
        policy=st.sampled_from(VerificationPolicy),
        challenge=st.sampled_from(ChallengeCheck),
        others=st.frozensets(st.sampled_from(Claim)),
        readable=st.booleans(),
    )
    def submit(
        self, policy: VerificationPolicy, challenge: ChallengeCheck, others: frozenset[Claim], readable: bool
    ) -> None:
        self.policy, self.challenge, self.others = policy, challenge, others
        self.now = NOON
        self.state: State = Undecided()
        self.events = 0
        self.wrong = 0
        self.lapsed = False
        self.verify = submission(policy, challenge=challenge, phone_readable=readable)
        self._do(self.verify)

    def _do(self, command: Command) -> None:
        before, claims = self.state, dict[Claim, bool]()
        while isinstance(answer := decide(command, before, claims), Claim):
            claims[answer] = answer not in self.others
        if answer is not None:
            assert isinstance(before, Undecided | AwaitingPhoneCode)
            self.state = evolve(before, answer)

    @rule()
    def the_submission_comes_again(self) -> None:
        before = self.state
        self._do(self.verify)
        assert self.state == before

    @rule(check=st.sampled_from(CodeCheck))
    def a_code_is_entered(self, check: CodeCheck) -> None:
        if isinstance(self.state, AwaitingPhoneCode) and check is CodeCheck.WRONG:
            self.wrong += self.now <= self.state.expires_at
        self.lapsed |= isinstance(self.state, AwaitingPhoneCode) and check is CodeCheck.EXPIRED
        self._do(TryPhoneCode(self.now, check))

    @rule(seconds=st.integers(1, 800))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def the_end_is_looked_for(self) -> None:
        self._do(Expire(self.now))

    @invariant()
    def it_is_decided_by_the_rules(self) -> None:
        match self.state:
            case Undecided():
                raise AssertionError("every submission leads somewhere")
            case AwaitingPhoneCode():
                assert self.policy.asks_phone_code
                assert self.state.tries_left == PHONE_CODE_TRIES - self.wrong > 0
            case Accepted():
                assert not self.others & {Claim.IDEMPOTENCY_TOKEN, Claim.SLOT}
                assert (self.state.assurance is Assurance.CAPTCHA) is (not self.policy.asks_phone_code)
                if self.policy.asks_challenge:
                    assert self.challenge is ChallengeCheck.RIGHT
                    assert Claim.CHALLENGE not in self.others
            case Rejected(RejectionReason.EXPIRED):
                assert self.lapsed or self.now > NOON + PHONE_CODE_SENT_WITHIN + PHONE_CODE_LIFETIME
            case Rejected(RejectionReason.PHONE_CODE_WRONG):
                assert self.wrong == PHONE_CODE_TRIES

    @invariant()
    def what_is_decided_stays(self) -> None:
        if isinstance(self.state, Accepted | Rejected):
            assert getattr(self, "decided", self.state) == self.state
            self.decided = self.state


OneRating.TestCase.settings = settings(max_examples=150, stateful_step_count=12, deadline=None)
TestOneRating = OneRating.TestCase
