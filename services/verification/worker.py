"""A member of the consumer group: starts a task for each partition it is given, and ends those it loses."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from chassis.logs import logger
from chassis.readiness import Check
from services.verification import metrics
from services.verification.partition import Partition, WaitOut
from services.verification.ports import Assignee, Clock, Lost, Membership, Submissions

log = logger(__name__)
FINISH_SECONDS = 4.0  # for the batch under way; well below the rebalance timeout
SILENCE = timedelta(seconds=10)


class Worker:
    """`run` is for ever. It raises a partition's failure; after a partition lost it joins the group anew."""

    def __init__(
        self,
        *,
        join: Callable[[Assignee], Membership],
        partition: Callable[[int, Submissions], Partition],
        through_kafka: WaitOut,
        kafka: Check,
        clock: Clock,
    ) -> None:
        self._join = join
        self._partition = partition
        self._through_kafka = through_kafka
        self._kafka = kafka
        self._clock = clock
        self._membership: Membership | None = None
        self._running: dict[int, tuple[Partition, asyncio.Task[None]]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        while True:
            self._ended = asyncio.get_running_loop().create_future()
            try:
                self._membership = await self._through_kafka(self._start)
                await self._watch(self._membership)
            finally:
                await self._leave()

    async def _start(self) -> Membership:
        membership = self._membership = self._join(self)
        try:
            await membership.start()
        except BaseException:
            await self._leave()
            raise
        return membership

    async def _leave(self) -> None:
        """A rebalance may be under way: no partition may begin on a consumer that is about to stop."""
        membership, self._membership = self._membership, None
        await self.revoked(set(self._running))
        if membership is not None:
            await membership.stop()

    async def _watch(self, membership: Membership) -> None:
        """Until a partition ends by itself. Says meanwhile whether the broker answers."""
        while not self._ended.done():
            await asyncio.wait({self._ended}, timeout=1.0)
            silent_since = membership.silent_since(list(self._running))
            if silent_since is not None:
                if self._clock() - silent_since > SILENCE:
                    self._kafka.down(f"no answer since {silent_since.isoformat(timespec='seconds')}")
                else:
                    self._kafka.up()
        try:
            self._ended.result()
        except Lost as lost:
            metrics.LOST.inc()
            log.warning("partition lost, joining the group again", reason=str(lost))

    async def assigned(self, partitions: set[int]) -> None:
        if self._membership is None:
            return
        for number in sorted(partitions - self._running.keys()):
            partition = self._partition(number, self._membership)
            task = asyncio.create_task(partition.run(), name=f"partition-{number}")
            self._running[number] = partition, task
            task.add_done_callback(self._on_end)

    async def revoked(self, partitions: set[int]) -> None:
        """Let each finish its batch; cancel what takes too long. What is cut off is done again elsewhere.

        Waits also for what an earlier call still waits for: a rebalance and the end of a membership can
        meet, and nothing of a membership may outlive its consumer.
        """
        for number in partitions & self._running.keys():
            partition, task = self._running.pop(number)
            partition.stop()
            self._ending.add(task)
        if not self._ending:
            return
        _, late = await asyncio.wait(set(self._ending), timeout=FINISH_SECONDS)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=FINISH_SECONDS)
        self._ending = {task for task in self._ending if not task.done()}

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not self._ended.done():
            self._ended.set_exception(error)
