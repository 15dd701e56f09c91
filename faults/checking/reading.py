"""Reads topics as they are, with the rawest client there is at hand."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

DEADLINE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: str
    headers: dict[str, str]
    data: dict[str, Any]

    @property
    def type(self) -> str:
        """As `rating-submitted`, without prefix and version."""
        return self.headers["ce_type"].rsplit(".", 2)[1]

    @property
    def id(self) -> str:
        return self.headers["ce_id"]


@dataclass(frozen=True, slots=True)
class Topic:
    records: list[Record]
    ends: dict[int, int]  # of what is committed
    high: dict[int, int]  # of all that is there


async def read(bootstrap: str, name: str, *, committed: bool = True) -> Topic:
    """The whole topic, up to where it ends now."""
    level = "read_committed" if committed else "read_uncommitted"
    consumer = AIOKafkaConsumer(
        name,  # without a group: all partitions
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        isolation_level=level,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )
    records = []
    async with asyncio.timeout(DEADLINE_SECONDS):
        await consumer.start()
        try:
            partitions = sorted(consumer.assignment())
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                for found in (await consumer.getmany(timeout_ms=200, max_records=5_000)).values():
                    records += [_record(name, each) for each in found]
        finally:
            await consumer.stop()
        high = ends if not committed else await _high(bootstrap, partitions)
    return Topic(
        records,
        {tp.partition: offset for tp, offset in ends.items()},
        {tp.partition: offset for tp, offset in high.items()},
    )


async def _high(bootstrap: str, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        return dict(await consumer.end_offsets(partitions))
    finally:
        await consumer.stop()


def _record(topic: str, found: Any) -> Record:
    headers = {name: value.decode("utf-8", "replace") for name, value in found.headers}
    data = json.loads(found.value) if found.value and "ce_type" in headers else {}
    return Record(
        topic, found.partition, found.offset, (found.key or b"").decode("utf-8", "replace"), headers, data
    )
