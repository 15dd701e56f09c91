"""The worker's use case over fakes: dead letters before the checkpoint, outages waited out, bugs not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY

from chassis.dead_letters.cap import Cap, Limits, TooManyDeadLetters
from chassis.readiness import Check
from contracts import golden
from contracts.envelope import Message, encode
from contracts.events import Outcome
from services.aggregation.domain import Hole, Read, admit
from services.aggregation.folding import Counted, Folder, Received
from tests.support.outcomes import accepted, message, rejected


@dataclass
class FakeLedger:
    """Counts as PostgreSQL would. `fail` holds errors to raise first."""

    at: dict[int, int] = field(default_factory=dict)
    fail: list[Exception] = field(default_factory=list)
    buried: list[Message] = field(default_factory=list)
    buried_before: list[int] = field(default_factory=list)

    def outage(self, error: BaseException) -> bool:
        return isinstance(error, ConnectionError)

    async def checkpoints(self, partitions: Sequence[int]) -> dict[int, int]:
        return {partition: self.at.get(partition, 0) for partition in partitions}

    async def count(self, batch: Mapping[int, Sequence[Read]]) -> Counted:
        if self.fail:
            raise self.fail.pop()
        outcomes = []
        for partition, records in batch.items():
            fresh, self.at[partition] = admit(self.at.get(partition, 0), records)
            outcomes += [record.outcome for record in fresh if record.outcome is not None]
        self.buried_before.append(len(self.buried))
        return Counted(self.at, outcomes)

    async def send(self, dead: Message) -> None:
        if self.fail:
            raise self.fail.pop()
        self.buried.append(dead)


@pytest.fixture
def ledger() -> FakeLedger:
    return FakeLedger()


@pytest.fixture
def folder(ledger: FakeLedger) -> Folder:
    return Folder(ledger, ledger, Check("postgres"), Check("dead_letters"))


def received(offset: int, sent: Message) -> Received:
    return Received(0, offset, offset, sent.key, sent.value, sent.headers)


async def test_a_batch_moves_the_checkpoint(folder: Folder) -> None:
    await folder.handle([received(n, message(accepted())) for n in range(3)])
    assert folder.checkpoints == {0: 3}


@pytest.mark.parametrize(
    ("outcome", "waited"),
    [
        (accepted(), "false"),
        (accepted(assurance="captcha_and_phone_code"), "true"),
        (rejected(reason="duplicate"), "false"),
        (rejected(reason="expired"), "true"),
        (rejected(reason="phone_code_wrong"), "true"),
    ],
)
async def test_ages_of_those_that_waited_for_a_citizen_s_code_are_measured_apart(
    folder: Folder, outcome: Outcome, waited: str
) -> None:
    def measured(waited: str) -> float:
        labels = {"phone_code": waited}
        return REGISTRY.get_sample_value("aggregation_outcome_age_seconds_count", labels) or 0

    before = {each: measured(each) for each in ("true", "false")}
    await folder.handle([received(0, message(outcome))])
    assert {each for each in before if measured(each) > before[each]} == {waited}


@pytest.mark.parametrize(
    "spoilt",
    [
        Message(b"k", b"not JSON", message(accepted()).headers),
        Message(b"k", None, message(accepted()).headers),
        Message(b"k", b"{}", ()),
        encode(golden.envelope(golden.EVENTS[0]), key="unit:u"),
        message(accepted())._replace(value=(message(accepted()).value or b"").replace(b"2017-", b"9999-")),
    ],
    ids=["not JSON", "null", "no envelope", "another topic's event", "no possible day"],
)
async def test_what_cannot_be_read_is_a_dead_letter_and_the_partition_goes_on(
    folder: Folder, ledger: FakeLedger, spoilt: Message
) -> None:
    await folder.handle([received(0, spoilt), received(1, message(accepted()))])
    (dead,) = ledger.buried
    assert (dead.key, dead.value) == (spoilt.key, spoilt.value)
    assert dict(dead.headers)["dlt_offset"] == b"0"
    assert ledger.at == {0: 2}


async def test_a_dead_letter_is_kept_before_the_checkpoint_passes_it(
    folder: Folder, ledger: FakeLedger
) -> None:
    await folder.handle([received(0, Message(b"k", b"", ()))])
    assert ledger.buried_before == [1]


async def test_a_dead_letter_delivered_again_is_not_sent_again(folder: Folder, ledger: FakeLedger) -> None:
    dead = received(0, Message(b"k", b"", ()))
    await folder.handle([dead])
    await folder.handle([dead])
    assert len(ledger.buried) == 1


async def test_an_outage_is_waited_out_and_the_batch_counted_once(folder: Folder, ledger: FakeLedger) -> None:
    ledger.fail = [ConnectionError(), ConnectionError()]
    await folder.handle([received(0, message(accepted()))])
    assert ledger.at == {0: 1}


async def test_an_outage_of_the_dead_letter_topic_is_waited_out(folder: Folder, ledger: FakeLedger) -> None:
    ledger.fail = [ConnectionError()]
    await folder.handle([received(0, Message(b"k", b"", ()))])
    assert len(ledger.buried) == 1


async def test_a_bug_is_raised_and_not_tried_again(folder: Folder, ledger: FakeLedger) -> None:
    ledger.fail = [ConnectionError(), ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        await folder.handle([received(0, message(accepted()))])
    assert len(ledger.fail) == 1


async def test_a_hole_is_raised(folder: Folder) -> None:
    lost = received(5, message(accepted()))._replace(follows=5)
    with pytest.raises(Hole):
        await folder.handle([lost])


def capped(ledger: FakeLedger) -> Folder:
    cap = Cap(Limits(window=100, share=0.2, least=3))
    return Folder(ledger, ledger, Check("postgres"), Check("dead_letters"), cap)


async def test_too_many_dead_letters_stop_the_batch_before_any_of_it_is_buried_or_counted(
    ledger: FakeLedger,
) -> None:
    folder = capped(ledger)
    await folder.handle([received(0, message(accepted())), received(1, Message(b"k", b"", ()))])
    with pytest.raises(TooManyDeadLetters):
        await folder.handle([received(2, message(accepted())), *bad(range(3, 6))])
    assert (len(ledger.buried), ledger.at, folder.checkpoints) == (1, {0: 2}, {0: 2})
    with pytest.raises(TooManyDeadLetters):
        await folder.handle([received(2, message(accepted()))])
    assert ledger.at == {0: 2}


async def test_dead_letters_delivered_again_do_not_fill_the_cap(ledger: FakeLedger) -> None:
    folder = capped(ledger)
    await folder.handle(bad(range(2)))
    for _ in range(3):
        await folder.handle(bad(range(2)))
    replaced = Folder(
        ledger, ledger, Check("postgres"), Check("dead_letters"), Cap(Limits(least=1)), checkpoints={0: 2}
    )
    await replaced.handle(bad(range(2)))
    assert len(ledger.buried) == 2


def bad(offsets: Iterable[int]) -> list[Received]:
    return [received(offset, Message(b"k", b"", ())) for offset in offsets]
