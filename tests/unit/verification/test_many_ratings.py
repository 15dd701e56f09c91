"""Ratings that meet each other, in any order, in batches cut, undone and done again: one outcome each."""

import asyncio
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from contracts.envelope import Message, decode
from contracts.events import RatingAccepted, RatingRejected, VerificationPolicy
from services.verification.batches import Item
from services.verification.domain.ratings import (
    Accepted,
    AwaitingPhoneCode,
    ChallengeCheck,
    Claim,
    CodeCheck,
    Command,
    Expire,
    Rejected,
    State,
    Undecided,
    decide,
    evolve,
)
from services.verification.expiring import expire
from services.verification.ports import Stored
from tests.unit.verification.batch_world import PARTITION, Citizens, Database, identity
from tests.unit.verification.reckoning import TRIES, Reckoning, Sent
from tests.unit.verification.scenario import NOON, code, submission

NAMES = ("an", "ba", "chi", "dung", "em")
ENTRIES = ("first", "second", "third", "fourth", "fifth", "sixth")
NAME, ENTRY, CODE = st.sampled_from(NAMES), st.sampled_from(ENTRIES), st.sampled_from(CodeCheck)
SECONDS = st.integers(1, 400)


@dataclass(frozen=True)
class Wish:
    """How a citizen would rate; the few phones, keys and challenges are what ratings meet each other by."""

    policy: VerificationPolicy
    phone: str
    key: str
    challenge: str
    check: ChallengeCheck
    readable: bool

    def sent_by(self, name: str) -> Sent:
        asks = self.policy.asks_challenge
        challenge = self.challenge if asks else None
        return Sent(
            name, self.phone, self.key, challenge, self.check, self.policy.asks_phone_code, self.readable
        )

    def command(self, now: datetime) -> Command:
        return submission(self.policy, challenge=self.check, phone_readable=self.readable, at=now)


WISH = st.builds(
    Wish,
    policy=st.sampled_from(VerificationPolicy),
    phone=st.sampled_from("pq"),
    key=st.sampled_from("klmn"),
    challenge=st.sampled_from("cde"),
    check=st.sampled_from([*[ChallengeCheck.RIGHT] * 4, *ChallengeCheck]),
    readable=st.sampled_from([True, True, True, False]),
)


class Machine(RuleBasedStateMachine):
    """What both machines share: the clock, what each citizen sends, and what must become of it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.wishes: dict[str, Wish] = {}
        self.reckoning = Reckoning()

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @abstractmethod
    def enter(self, name: str, entry: str, check: CodeCheck) -> None: ...

    @rule(name=NAME, entry=ENTRY, check=CODE)
    def a_code_is_entered(self, name: str, entry: str, check: CodeCheck) -> None:
        self.enter(name, entry, check)

    @rule(name=NAME, times=st.integers(1, len(ENTRIES)), last=CODE)
    def codes_are_guessed(self, name: str, times: int, last: CodeCheck) -> None:
        for entry in ENTRIES[:times]:
            self.enter(name, entry, CodeCheck.WRONG)
        self.enter(name, "last", last)

    def wish_of(self, name: str, wish: Wish) -> Wish:
        """A rating is what it was when it was first sent: another body would be another rating."""
        return self.wishes.setdefault(name, wish)


class OneAfterTheOther(Machine):
    """The rules by themselves, `decide` and `evolve`, where whoever comes first has a claim."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, State] = {}
        self.owners: dict[tuple[Claim, str], str] = {}
        self.entries: set[tuple[str, str]] = set()

    @rule(name=NAME, wish=WISH)
    def a_rating_is_sent(self, name: str, wish: Wish) -> None:
        wish = self.wish_of(name, wish)
        self._do(name, wish.command(self.now))
        self.reckoning.submitted(wish.sent_by(name), self.now)

    def enter(self, name: str, entry: str, check: CodeCheck) -> None:
        waits = isinstance(self.states.get(name), AwaitingPhoneCode)
        if waits and (name, entry) not in self.entries:
            self.entries.add((name, entry))
            self._do(name, code(check, self.now))
        self.reckoning.entered(name, f"{name} {entry}", check, self.now)

    @rule()
    def the_end_is_looked_for(self) -> None:
        for name in self.states:
            self._do(name, Expire(self.now))
        self.reckoning.all_read_until(self.now)

    def _do(self, name: str, command: Command) -> None:
        wish, before, claims = self.wishes[name], self.states.get(name, Undecided()), dict[Claim, bool]()
        keys = {Claim.IDEMPOTENCY_TOKEN: wish.key, Claim.CHALLENGE: wish.challenge, Claim.SLOT: wish.phone}
        while isinstance(answer := decide(command, before, claims), Claim):
            claims[answer] = self.owners.setdefault((answer, keys[answer]), name) == name
        if answer is not None:
            assert not isinstance(before, Accepted | Rejected), "decided twice"
            self.states[name] = evolve(before, answer)

    @invariant()
    def each_is_where_it_must_be(self) -> None:
        assert {name: _said(state) for name, state in self.states.items() if _said(state)} == (
            self.reckoning.outcomes
        )
        for name, state in self.states.items():
            if isinstance(state, AwaitingPhoneCode):
                assert state.tries_left == TRIES - self.reckoning.wrong[name] > 0
                assert state.expires_at == self.reckoning.until[name]


class InBatches(Machine):
    """A worker reads on from a committed offset, decides a batch, commits, and may end in between."""

    def __init__(self) -> None:
        super().__init__()
        self.citizens = Citizens()
        self.log: list[tuple[Item, datetime, str, CodeCheck | None]] = []
        self.database = Kept()
        self.next_offset = 0
        self.decided_upto = 0
        self.told: dict[UUID, Message] = {}

    @rule(name=NAME, wish=WISH)
    def a_rating_is_sent(self, name: str, wish: Wish) -> None:
        wish = self.wish_of(name, wish)
        item = self.citizens.rates(
            name,
            wish.policy,
            phone=wish.phone,
            key=wish.key,
            challenge=wish.challenge,
            check=wish.check,
        )
        self.log.append((item, self.now, name, None))

    def enter(self, name: str, entry: str, check: CodeCheck) -> None:
        if name in self.wishes:  # else nobody knows the rating's id yet
            self.log.append((self.citizens.enters(name, check, entry), self.now, name, check))

    @rule(most=st.integers(1, 8))
    def a_batch_is_decided(self, most: int) -> None:
        self._work(most)

    @rule(most=st.integers(1, 8))
    def a_batch_is_undone(self, most: int) -> None:
        """The database forgets; the messages, and what was noted on them, are still in memory."""
        self._decide(self.database.copy(), self._next(most))

    @rule(most=st.integers(1, 8))
    def the_worker_ends_after_the_database_kept_it(self, most: int) -> None:
        self._keep(self._next(most))

    @rule(back=st.integers(1, 8))
    def messages_are_read_again(self, back: int) -> None:
        self.next_offset = max(0, self.next_offset - back)

    @rule()
    def the_end_is_looked_for(self) -> None:
        """Only once all that was entered before has been read."""
        while self.next_offset < len(self.log):
            self._work(3)
        told = asyncio.run(expire(self.database, PARTITION, self.now, self.now))
        self.reckoning.all_read_until(self.now)
        self._tell([message for message, _ in told[1]] if told else [])

    def _next(self, most: int) -> int:
        return min(len(self.log), self.next_offset + most)

    def _work(self, most: int) -> None:
        upto = self._next(most)
        outcomes = self._keep(upto)
        self._tell(outcomes)
        self.next_offset = upto

    def _keep(self, upto: int) -> Sequence[Message]:
        outcomes = self._decide(self.database, upto)
        for item, at, name, check in self.log[self.decided_upto : upto]:
            if check is None:
                self.reckoning.submitted(self.wishes[name].sent_by(name), self.now)
            else:
                self.reckoning.entered(name, str(item.event_id), check, at)
        self.decided_upto = max(self.decided_upto, upto)
        return outcomes

    def _decide(self, database: "Kept", upto: int) -> Sequence[Message]:
        items = []
        for item, at, name, check in self.log[self.next_offset : upto]:
            item.command = self.wishes[name].command(self.now) if check is None else code(check, at)
            items.append(item)
        return asyncio.run(database.decide(*items, at=self.now)).outcomes

    def _tell(self, outcomes: Sequence[Message]) -> None:
        for message in outcomes:
            outcome = decode(message.value, message.headers).data
            assert isinstance(outcome, RatingAccepted | RatingRejected)
            assert self.told.setdefault(outcome.submission_id, message) == message, "told in other words"
            reason = outcome.reason if isinstance(outcome, RatingRejected) else "accepted"
            assert reason == self.reckoning.outcomes[outcome.channel]

    @invariant()
    def the_database_holds_what_must_be(self) -> None:
        held = {rating_id: _said(stored.state) for rating_id, stored in self.database.stored.items()}
        reckoned = self.reckoning.outcomes
        assert {each: said for each, said in held.items() if said} == {
            identity(name): said for name, said in reckoned.items()
        }
        for name, wrong in self.reckoning.wrong.items():
            state = self.database.stored[identity(name)].state
            assert not isinstance(state, AwaitingPhoneCode) or state.tries_left == TRIES - wrong > 0

    def teardown(self) -> None:
        """When all is read, whoever has an outcome was told it."""
        self.the_end_is_looked_for()
        self.next_offset = 0
        self.the_end_is_looked_for()
        assert self.told.keys() == {
            identity("submission", name) for name, said in self.reckoning.outcomes.items() if said
        }


@dataclass
class Kept(Database):
    """A database in memory that also knows of expiries."""

    rounds: int = 0

    def copy(self) -> "Kept":
        return replace(
            self,
            stored=dict(self.stored),
            codes=dict(self.codes),
            tries=dict(self.tries),
            submissions=dict(self.submissions),
            owners=dict(self.owners),
        )

    async def due(self, reached: datetime, *, most: int) -> Mapping[UUID, Stored]:
        found = {
            rating_id: stored
            for rating_id, stored in self.stored.items()
            if isinstance(stored.state, AwaitingPhoneCode) and reached > stored.state.expires_at
        }
        assert len(found) <= most
        return found

    async def next_expiry(self) -> int:
        self.rounds += 1
        return self.rounds


def _said(state: State) -> str:
    match state:
        case Accepted():
            return "accepted"
        case Rejected():
            return str(state.reason)
    return ""


OneAfterTheOther.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
InBatches.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestOneAfterTheOther = OneAfterTheOther.TestCase
TestInBatches = InBatches.TestCase
