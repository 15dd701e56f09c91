"""The log: an idempotent producer with a deadline, replaced whenever it may be broken.

aiokafka retries without a deadline and can wedge on a broken sequence. So each message has a deadline; one
that fails or misses it condemns the producer: what it still holds fails at once, a new one is made in the
background, and until that stands callers are told so without waiting.
"""

import asyncio
import time

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from opentelemetry.trace import SpanKind

from chassis import kafka, traces
from chassis.kafka import KafkaClient
from chassis.logs import logger
from chassis.readiness import Check
from chassis.tasks import wait_out
from contracts.envelope import Message
from services.intake import metrics
from services.intake.ports import NotKept

APPEND_SECONDS = 4.0  # so that callers have their answer within 5
STOP_SECONDS = 3.0
IN_FLIGHT_MOST = 2_000
log = logger(__name__)


class KafkaLog:
    """`run` in a task of its own keeps a producer standing; `append` uses the one there is."""

    def __init__(self, client: KafkaClient, check: Check, *, name: str = "intake") -> None:
        self._client = client
        self._check = check
        self._name = name
        self._producer: AIOKafkaProducer | None = None
        self._condemned = asyncio.Event()
        self._stands = asyncio.Event()
        self._in_flight = 0

    async def run(self) -> None:
        try:
            while True:
                self._producer = await wait_out(self._check, self._start, outage=kafka.is_outage, first=0.2)
                self._condemned.clear()
                self._stands.set()
                await self._until_broken(self._producer)
                metrics.PRODUCERS.inc()
                await self._give_up()
        finally:
            await self._finish()

    async def standing(self) -> None:
        """Returns once there is a producer."""
        await self._stands.wait()

    async def append(self, topic: str, message: Message) -> None:
        producer = self._producer
        if producer is None:
            raise NotKept("no producer stands")
        if self._in_flight >= IN_FLIGHT_MOST:
            raise NotKept("too many messages are waiting")
        started = time.perf_counter()
        confirmed = False
        self._in_flight += 1
        metrics.IN_FLIGHT.set(self._in_flight)
        try:
            async with asyncio.timeout(APPEND_SECONDS):
                with traces.span(f"send {topic}", SpanKind.PRODUCER):
                    headers = [*message.headers, *traces.message_headers()]
                    sent = await producer.send(topic, message.value, key=message.key, headers=headers)
                    # A caller who goes away must not cancel what others' messages share a batch with.
                    await asyncio.shield(sent)
            confirmed = True
        except (KafkaError, TimeoutError, OSError) as error:
            self._condemn(producer, error)
            raise NotKept(type(error).__name__) from error
        finally:
            self._in_flight -= 1
            metrics.IN_FLIGHT.set(self._in_flight)
            metrics.append_seconds(confirmed).observe(time.perf_counter() - started)

    async def _until_broken(self, producer: AIOKafkaProducer) -> None:
        """Until a message failed, or the producer gave up by itself: fenced, or out of sequence."""
        condemned = asyncio.create_task(self._condemned.wait())
        try:
            await asyncio.wait({condemned, producer._sender.sender_task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            condemned.cancel()
        self._check.down("replacing the producer")

    def _condemn(self, producer: AIOKafkaProducer, error: BaseException) -> None:
        if producer is self._producer and not self._condemned.is_set():
            log.warning("replacing the producer", error=repr(error))
            self._check.down(f"{type(error).__name__}")
            self._condemned.set()

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(**self._client.producer_arguments(self._name))
        try:
            await kafka.start(producer)
        except BaseException:
            await kafka.abandon(producer)
            raise
        return producer

    async def _give_up(self) -> None:
        producer, self._producer = self._producer, None
        self._stands.clear()
        if producer is not None:
            await kafka.abandon(producer)

    async def _finish(self) -> None:
        """Let what is under way be confirmed, for a while."""
        producer = self._producer
        if producer is not None and self._check.ok:
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await producer.flush()
            except (TimeoutError, KafkaError) as error:
                log.warning("not all messages were confirmed before the end", error=repr(error))
        await self._give_up()
