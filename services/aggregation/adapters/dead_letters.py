"""The dead-letter topic of rating-outcomes. Its producer is made when it is first needed, if ever."""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from chassis import kafka
from chassis.kafka import KafkaClient
from contracts.dead_letters import without_value
from contracts.envelope import Message
from contracts.topics import RATING_OUTCOMES

SEND_SECONDS = 10.0  # aiokafka retries without a deadline


class KafkaDeadLetters:
    def __init__(self, client: KafkaClient) -> None:
        self._client = client
        self._producer: AIOKafkaProducer | None = None

    def outage(self, error: BaseException) -> bool:
        return kafka.is_outage(error)

    async def send(self, message: Message) -> None:
        """Send, and wait for all replicas. Where the broker takes none so large, the value is left out."""
        try:
            await self._send(message)
        except MessageSizeTooLargeError:
            await self._send(without_value(message))

    async def _send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                producer = await self._started()
                await producer.send_and_wait(
                    RATING_OUTCOMES.dead_letters, message.value, message.key, headers=list(message.headers)
                )
        except MessageSizeTooLargeError:
            raise
        except (KafkaError, TimeoutError, OSError):
            await self.close()  # its sequence may be broken; the next try makes a new one
            raise

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = AIOKafkaProducer(**self._client.producer_arguments("aggregation-dead-letters"))
            await kafka.start(self._producer)
        return self._producer

    async def close(self) -> None:
        if self._producer is not None:
            producer, self._producer = self._producer, None
            await kafka.abandon(producer)  # `stop` would wait for an absent broker
