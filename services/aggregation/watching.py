"""Whether the worker gets on: a consumer can live and count nothing, so progress is what is judged."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Protocol

from chassis.readiness import Check, Readiness
from services.aggregation import metrics
from services.aggregation.folding import Folder


class Partition(Protocol):
    """Where reading a partition stands; see `faust_driver.Partition`."""

    @property
    def handed_over(self) -> int | None: ...
    @property
    def read(self) -> int | None: ...
    @property
    def end(self) -> int: ...


class Standing(Protocol):
    @property
    def member(self) -> bool: ...
    @property
    def partitions(self) -> Mapping[int, Partition]: ...


class Reader(Protocol):
    async def standing(self) -> Standing:
        """Raises what the watch's `outage` knows."""


class Stalled(Exception):
    """There is something to count, nothing is away, and nothing is counted."""


class Watch:
    """Keeps the readiness checks `kafka` and `progress` and the lag; ends the process when it stalls."""

    def __init__(
        self,
        reader: Reader,
        folder: Folder,
        readiness: Readiness,
        *,
        outage: Callable[[BaseException], bool],
        stall_seconds: float,
        interval: float = 1.0,
    ) -> None:
        self._reader = reader
        self._folder = folder
        self._kafka = readiness.check("kafka")
        self._progress = readiness.check("progress")
        self._outage = outage
        self._stall_seconds = stall_seconds
        self._interval = interval
        self._seen: object = None
        self._moved_at = time.monotonic()

    async def run(self) -> None:
        """Never returns. Raises Stalled."""
        while True:
            await asyncio.sleep(self._interval)
            try:
                standing = await self._reader.standing()
            except Exception as error:
                if not self._outage(error):
                    raise
                self._kafka.down(f"{type(error).__name__}: {error}"[:200])
                self._moved_at = time.monotonic()
                continue
            self._kafka.up()
            self._judge(standing)

    def _judge(self, standing: Standing) -> None:
        counted = {number: self._counted(number, p) for number, p in standing.partitions.items()}
        lag = {number: max(0, p.end - counted[number]) for number, p in standing.partitions.items()}
        metrics.LAG.clear()
        for number, records in lag.items():
            metrics.LAG.labels(number).set(records)
        idle = standing.member and not any(lag.values())
        waiting = not (self._folder.postgres.ok and self._folder.dead_letter_topic.ok)
        if idle or waiting or counted != self._seen:
            self._seen, self._moved_at = counted, time.monotonic()
        still = time.monotonic() - self._moved_at
        text = f"{len(counted)} partitions, {sum(lag.values())} behind"
        if still > self._stall_seconds:
            raise Stalled(
                f"{text}, member of the group: {standing.member}, nothing counted for {still:.0f} s"
            )
        _show(self._progress, standing.member, text)

    def _counted(self, number: int, partition: Partition) -> int:
        """Up to where all is counted: the checkpoint, and past it what is known to hold no records."""
        checkpoint = self._folder.checkpoints.get(number, 0)
        if partition.handed_over is None or checkpoint < partition.handed_over or partition.read is None:
            return checkpoint
        return max(checkpoint, partition.read)


def _show(check: Check, member: bool, text: str) -> None:
    if member:
        check.up(text)
    else:
        check.down("not a member of the consumer group yet")
