"""aiokafka alone, in loops that do no work: the limit of the client. python -m benchmarks.peers.raw"""

import asyncio
from typing import Annotated
from uuid import uuid4

import typer
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.peers.timing import Timed

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
Bootstrap = Annotated[str, typer.Option(help="The broker, as host:port.")]
Topic = Annotated[str, typer.Option(help="The topic that is read or written.")]
Count = Annotated[int, typer.Option(help="Records.")]
A_TRANSACTION, AT_ONCE, A_FETCH = 500, 5_000, 5_000
BYTES = 1_000


@app.command()
def produce(bootstrap: Bootstrap, topic: Topic, count: Count) -> None:
    """Send records of a kilobyte, acks=all, idempotent, confirmed in lots of 5,000.

    Example: python -m benchmarks.peers.raw produce --bootstrap 127.0.0.1:9092 --topic x --count 50000
    """
    uvloop.run(_produce(bootstrap, topic, count))


async def _produce(bootstrap: str, topic: str, count: int) -> None:
    value = b"x" * BYTES
    keys = [str(uuid4()).encode() for _ in range(count)]
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=5, max_batch_size=2**17
    )
    await producer.start()
    try:
        await producer.send_and_wait(topic, value)
        timed = Timed()
        for first in range(0, count, AT_ONCE):
            sent = [await producer.send(topic, value, key=key) for key in keys[first : first + AT_ONCE]]
            await asyncio.gather(*sent)
        timed.tell(count)
    finally:
        await producer.stop()


@app.command()
def consume(bootstrap: Bootstrap, topic: Topic, count: Count) -> None:
    """Read committed records.

    Example: python -m benchmarks.peers.raw consume --bootstrap 127.0.0.1:9092 --topic x --count 50000
    """
    uvloop.run(_consume(bootstrap, topic, count))


async def _consume(bootstrap: str, topic: str, count: int) -> None:
    consumer = await _reading(bootstrap, topic)
    try:
        read = len(await _first(consumer))
        timed = Timed()
        left = count - read
        while read < count:
            found = await consumer.getmany(timeout_ms=1000, max_records=A_FETCH)
            read += sum(map(len, found.values()))
        timed.tell(left)
    finally:
        await consumer.stop()


@app.command()
def transact(
    bootstrap: Bootstrap,
    topic: Topic,
    count: Count,
    into: Annotated[str, typer.Option(help="The topic that is written.")],
) -> None:
    """Read records and write them into another topic, 500 and their offsets in a transaction.

    Example: python -m benchmarks.peers.raw transact --bootstrap … --topic x --into y --count 10000
    """
    uvloop.run(_transact(bootstrap, topic, count, into))


async def _transact(bootstrap: str, topic: str, count: int, into: str) -> None:
    group = f"raw-{uuid4()}"
    consumer = await _reading(bootstrap, topic)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=group, acks="all", max_batch_size=2**17
    )
    await producer.start()
    try:
        read = len(await _first(consumer))
        timed, left = Timed(), count - read
        while read < count:
            found = await consumer.getmany(timeout_ms=1000, max_records=A_TRANSACTION)
            if not found:
                continue
            async with producer.transaction():
                for records in found.values():
                    for each in records:
                        await producer.send(into, each.value, key=each.key, headers=list(each.headers))
                ends = {at: records[-1].offset + 1 for at, records in found.items()}
                await producer.send_offsets_to_transaction(ends, group)
            read += sum(map(len, found.values()))
        timed.tell(left)
    finally:
        await producer.stop()
        await consumer.stop()


async def _reading(bootstrap: str, topic: str) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(  # without a group it reads all partitions
        topic,
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_partition_fetch_bytes=2**22,
        fetch_max_bytes=2**26,
    )
    await consumer.start()
    return consumer


async def _first(consumer: AIOKafkaConsumer) -> list[object]:
    """Until something comes: connecting is not timed."""
    while True:
        found = await consumer.getmany(timeout_ms=500, max_records=1)
        if found:
            return [record for records in found.values() for record in records]


if __name__ == "__main__":
    app()
