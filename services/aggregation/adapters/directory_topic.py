"""The topic `directory`, read whole and then followed, outside any consumer group."""

from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis import kafka
from chassis.kafka import KafkaClient
from chassis.readiness import Check
from chassis.tasks import wait_out
from contracts.topics import DIRECTORY
from services.aggregation.naming import Published

PARTITION = TopicPartition(DIRECTORY.name, 0)  # the catalogue gives it one


class KafkaDirectory:
    def __init__(self, client: KafkaClient, check: Check) -> None:
        self._client = client
        self._check = check

    async def batches(self) -> AsyncIterator[tuple[Sequence[Published], bool]]:
        consumer = await wait_out(self._check, self._open, outage=kafka.is_outage)
        try:
            end = (
                await wait_out(self._check, lambda: consumer.end_offsets([PARTITION]), outage=kafka.is_outage)
            )[PARTITION]
            consumer.assign([PARTITION])
            consumer.seek(PARTITION, 0)
            reached = False
            while True:
                found = await consumer.getmany(PARTITION, timeout_ms=1_000)
                # The position goes past transaction markers and what compaction took; offsets would not.
                reached = reached or await consumer.position(PARTITION) >= end
                records = [
                    Published(r.offset, (r.key or b"").decode(errors="replace"), r.value, tuple(r.headers))
                    for r in found.get(PARTITION, ())
                ]
                yield records, reached
        finally:
            await kafka.leave(consumer)

    async def _open(self) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(**self._client.follower_arguments("aggregation-directory"))
        try:
            await kafka.start(consumer)
        except BaseException:
            await kafka.leave(consumer)
            raise
        return consumer
