"""The Faust application: one agent that hands batches on. See `faust_driver` for what guards it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import faust
from faust.app.base import BootStrategy
from faust.types import ServiceT

from chassis import traces
from chassis.kafka import KafkaClient
from chassis.logs import logger
from contracts.topics import RATING_OUTCOMES
from services.aggregation.adapters.faust_driver import (
    Checkpoints,
    Consumer,
    Linked,
    Standing,
    Transport,
)
from services.aggregation.folding import Received

log = logger(__name__)
GROUP = "aggregation"

Handler = Callable[[Sequence[Received]], Awaitable[None]]


class _Boot(BootStrategy):  # type: ignore[misc]
    """No producer, no web server, no leader, no replies: a consumer, its agent, and what connects them."""

    enable_sensors = False
    enable_kafka_producer = False
    enable_web = False

    def kafka_consumer(self) -> Iterable[ServiceT]:
        return [self.app.consumer]


class App(faust.App):  # type: ignore[misc]
    """What the driver needs to know beyond Faust: how to reach Kafka, where to go on, what is committed."""

    BootStrategy = _Boot
    kafka: KafkaClient
    checkpoints: Checkpoints
    outage: Callable[[BaseException], bool]
    committed: Mapping[int, int]

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Nothing is kept on disk."""


class FaustWorker:
    """Reads rating-outcomes and gives `handle` its records in batches, one batch at a time.

    `handle` returns when the batch is committed; an exception of it ends `run`: Faust would only
    stall. `checkpoints` tells where to go on (its outages, by `outage`, are waited out), `committed` how far
    the checkpoints are.
    """

    def __init__(
        self,
        client: KafkaClient,
        *,
        handle: Handler,
        checkpoints: Checkpoints,
        outage: Callable[[BaseException], bool],
        committed: Mapping[int, int],
        batch: int,
        pause: float,
    ) -> None:
        self._app = App(
            GROUP,
            broker=[f"kafka://{server}" for server in client.bootstrap.split(",")],
            broker_client_id="aggregation-worker",
            broker_commit_interval=1.0,
            broker_session_timeout=6.0,  # our consumer says so itself; Faust checks its own settings
            broker_heartbeat_interval=2.0,
            broker_request_timeout=30.0,
            stream_buffer_maxsize=1,  # fetches: what comes meanwhile is fetched together
            stream_recovery_delay=0.0,
            topic_allow_declare=False,
            topic_disable_leader=True,
            value_serializer="raw",
            key_serializer="raw",
            web_enabled=False,
            store="memory://",
        )
        self._app.kafka = client
        self._app.checkpoints = checkpoints
        self._app.outage = outage
        self._app.committed = committed
        # Acknowledging is PostgreSQL's business alone: Faust keeps no list of its own.
        topic = self._app.topic(RATING_OUTCOMES.name, key_type=bytes, value_type=bytes, acks=False)
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def fold(stream: Any) -> None:
            try:
                async for event in stream.events():
                    await _handle(event.message.linked, handle, batch)
                    if len(event.message.linked) < batch:
                        await asyncio.sleep(pause)  # more come meanwhile, and cost less together
            except Exception as error:
                if not self._ended.done():
                    self._ended.set_exception(error)
                raise

        self._app.agent(topic, concurrency=1)(fold)

    async def run(self) -> None:
        """Read until stopped; returns only by raising what went wrong."""
        await self._app.start()
        crashed = asyncio.ensure_future(self._app.wait_until_stopped())
        try:
            await asyncio.wait({self._ended, crashed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            crashed.cancel()
        if self._ended.done():
            self._ended.result()
        raise self._app.crash_reason or RuntimeError("Faust stopped by itself")

    async def standing(self) -> Standing:
        consumer: Consumer = self._app.consumer
        standing: Standing = await consumer._thread.call_thread(consumer._thread.standing)
        return standing

    async def stop(self, seconds: float) -> None:
        """Leave the group and stop, within `seconds`: Faust may hang, and is needed no more."""
        try:
            async with asyncio.timeout(seconds):
                await self._app.stop()
        except TimeoutError:
            log.warning("Faust did not stop in time", seconds=seconds)


async def _handle(fetched: Sequence[Linked], handle: Handler, batch: int) -> None:
    for first in range(0, len(fetched), batch):
        received = [_received(each) for each in fetched[first : first + batch]]
        with traces.batch(RATING_OUTCOMES.name, len(received)):  # whatever their headers say
            await handle(received)


def _received(linked: Linked) -> Received:
    record = linked.record
    return Received(
        record.partition, record.offset, linked.follows, record.key, record.value, tuple(record.headers)
    )
