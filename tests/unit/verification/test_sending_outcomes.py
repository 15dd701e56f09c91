"""Outcomes leave in batches: where the producer would put each by itself, all of them, in their order."""

import asyncio
from collections import defaultdict
from typing import Any

from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from contracts.envelope import Message
from contracts.topics import RATING_OUTCOMES
from services.verification.adapters.outcome_log import KafkaOutcomeLog
from services.verification.ports import Committed

PARTITIONS = [0, 1, 2, 3, 4, 5]
A_BATCH = 1_000  # bytes


class Producer:
    """Takes batches as aiokafka's does, and keeps the bytes of each. Only what a commit asks of it."""

    def __init__(self) -> None:
        self.sent: dict[int, list[bytes]] = defaultdict(list)

    async def begin_transaction(self) -> None: ...

    async def commit_transaction(self) -> None: ...

    async def send_offsets_to_transaction(self, offsets: object, group: str) -> None: ...

    async def partitions_for(self, topic: str) -> set[int]:
        assert topic == RATING_OUTCOMES.name
        return set(PARTITIONS)

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(A_BATCH, 0, is_transactional=True)

    async def send_batch(
        self, batch: BatchBuilder, topic: str, *, partition: int
    ) -> "asyncio.Future[object]":
        assert topic == RATING_OUTCOMES.name
        self.sent[partition].append(bytes(batch._build()))
        done: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


def outcome(number: int) -> Message:
    """Every tenth is larger than a batch."""
    size = 2 * A_BATCH if number % 10 == 0 else 200
    return Message(f"officer-{number % 7}".encode(), b"x" * size, (("number", str(number).encode()),))


async def test_each_outcome_leaves_once_for_its_officer_s_partition_in_order_however_full_batches_are() -> (
    None
):
    producer: Any = Producer()
    outcomes = [outcome(number) for number in range(100)]
    await KafkaOutcomeLog(producer, 0, "group").commit(outcomes, (), Committed(1, 0))
    wanted = defaultdict(list)
    for each in outcomes:
        wanted[DefaultPartitioner()(each.key, PARTITIONS, PARTITIONS)].append(each)
    assert {partition: read(batches) for partition, batches in producer.sent.items()} == wanted
    assert max(map(len, producer.sent.values())) > 1, "there were more than one batch holds"


async def test_without_outcomes_nothing_is_sent() -> None:
    producer: Any = Producer()
    await KafkaOutcomeLog(producer, 0, "group").commit((), (), Committed(1, 0))
    assert not producer.sent


def read(batches: list[bytes]) -> list[Message]:
    found = []
    for each in batches:
        records = MemoryRecords(each)
        while records.has_next():
            found += [Message(r.key, r.value, tuple(r.headers)) for r in records.next_batch()]
    return found
