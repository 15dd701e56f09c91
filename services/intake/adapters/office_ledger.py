"""Changes of the directory, each in one Kafka transaction with the record of who made it.

There is one transactional id. Whoever begins fences everybody before, and reads the directory only then: if
somebody else begins meanwhile, this one cannot commit any more. So what was decided was decided on what is
there. Each producer makes one transaction: a request of it that strays in the network finds no second one.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    IllegalOperation,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    InvalidTxnState,
    KafkaError,
    ProducerFenced,
)

from chassis import kafka
from chassis.kafka import KafkaClient
from contracts.envelope import Message
from services.intake.adapters.directory_topic import read_all
from services.intake.domain.directory import Directory
from services.intake.ports import Advance, NotKept, Overtaken

TRANSACTIONS = "intake-directory"
TRANSACTION_SECONDS = 30.0
BEGIN_SECONDS = 20.0
PART = 200
_FENCED = (ProducerFenced, InvalidProducerEpoch, InvalidProducerIdMapping, InvalidTxnState)


class KafkaLedger:
    """One a process; a second change in it waits for the first."""

    def __init__(self, client: KafkaClient) -> None:
        self._client = client
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator["_Writing"]:
        async with asyncio.timeout(BEGIN_SECONDS + TRANSACTION_SECONDS):
            await self._one_at_a_time.acquire()
        producer = AIOKafkaProducer(
            **self._client.producer_arguments(TRANSACTIONS),
            transactional_id=TRANSACTIONS,
            transaction_timeout_ms=int(TRANSACTION_SECONDS * 1000),
        )
        try:
            with _answered():
                await kafka.start(producer, seconds=BEGIN_SECONDS)
                there = await read_all(self._client)
            yield _Writing(producer, Directory().with_(there))
        finally:
            self._one_at_a_time.release()
            await kafka.abandon(producer)


class _Writing:
    def __init__(self, producer: AIOKafkaProducer, directory: Directory) -> None:
        self._producer = producer
        self.directory = directory

    async def commit(self, messages: Sequence[tuple[str, Message]], advance: Advance) -> None:
        with _answered():
            async with asyncio.timeout(TRANSACTION_SECONDS):
                await self._producer.begin_transaction()
                for done in range(0, len(messages), PART):
                    part = messages[done : done + PART]
                    # Committing would not notice that one of them failed.
                    await asyncio.gather(*[await self._send(topic, each) for topic, each in part])
                    advance(done + len(part), len(messages))
                await self._producer.commit_transaction()

    async def _send(self, topic: str, message: Message) -> "asyncio.Future[object]":
        sent: asyncio.Future[object] = await self._producer.send(
            topic, message.value, key=message.key, headers=list(message.headers)
        )
        return sent


@contextmanager
def _answered() -> Iterator[None]:
    """Failures of Kafka in our words."""
    try:
        yield
    except (*_FENCED, IllegalOperation) as error:
        # The last: it was fenced between two sends, and is in no transaction any more.
        raise Overtaken(type(error).__name__) from error
    except Exception as error:
        if kafka.is_outage(error) or isinstance(error, KafkaError) or kafka.broke_off(error):
            raise NotKept(str(error) or type(error).__name__) from error
        raise
