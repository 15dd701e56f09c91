"""A worker's partitions belong to one membership of the group and end with it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from chassis.readiness import Check
from services.verification.partition import Partition
from services.verification.ports import Assignee, Lost, Membership, Submissions
from services.verification.worker import Worker

T = TypeVar("T")
PATIENCE = 5.0


class FakeMembership:
    """Gives partition 0 at its start; a rebalance comes in between where `while_stopping` says so."""

    def __init__(self, assignee: Assignee, while_stopping: bool) -> None:
        self.assignee = assignee
        self.while_stopping = while_stopping
        self.stopped = False

    async def start(self) -> None:
        await self.assignee.assigned({0})

    async def stop(self) -> None:
        if self.while_stopping:
            await self.assignee.assigned({1})
        self.stopped = True

    def silent_since(self, _: object) -> None:
        return None


class FakePartition:
    """Is lost when told so; takes a moment to stop."""

    def __init__(self, number: int, membership: FakeMembership) -> None:
        self.number = number
        self.membership = membership
        self.lost = asyncio.Event()
        self.stopping = asyncio.Event()
        self.may_stop = asyncio.Event()
        self.outlived = False

    def stop(self) -> None:
        self.stopping.set()

    async def run(self) -> None:
        waiting = [asyncio.create_task(event.wait()) for event in (self.lost, self.stopping)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        if self.lost.is_set():
            raise Lost("fenced")
        await self.may_stop.wait()
        self.outlived = self.membership.stopped


async def at_once(action: Callable[[], Awaitable[T]]) -> T:
    return await action()


class World:
    def __init__(self, *, while_stopping: bool = False) -> None:
        self.memberships: list[FakeMembership] = []
        self.partitions: list[FakePartition] = []
        self.begun = asyncio.Condition()
        self.while_stopping = while_stopping
        self.worker = Worker(
            join=self.join,
            partition=self.partition,
            through_kafka=at_once,
            kafka=Check("kafka"),
            clock=lambda: datetime.now(UTC),
        )
        self.running = asyncio.create_task(self.worker.run())

    def join(self, assignee: Assignee) -> Membership:
        self.memberships.append(FakeMembership(assignee, self.while_stopping))
        return cast("Membership", self.memberships[-1])

    def partition(self, number: int, submissions: Submissions) -> Partition:
        made = FakePartition(number, cast("Any", submissions))
        self.partitions.append(made)
        return cast("Partition", made)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.005)

    async def end(self) -> None:
        for partition in self.partitions:
            partition.may_stop.set()
        self.running.cancel()
        with suppress(asyncio.CancelledError):
            await self.running


async def test_after_a_partition_was_lost_the_worker_joins_again() -> None:
    world = World()
    await world.until(lambda: len(world.partitions) == 1)
    world.partitions[0].lost.set()
    await world.until(lambda: len(world.partitions) == 2)
    assert world.memberships[0].stopped
    assert not world.running.done()
    await world.end()


async def test_a_rebalance_during_the_stop_begins_no_partition_on_the_consumer_that_ends() -> None:
    world = World(while_stopping=True)
    await world.until(lambda: len(world.partitions) == 1)
    world.partitions[0].lost.set()
    await world.until(lambda: len(world.partitions) == 2)
    assert [partition.number for partition in world.partitions] == [0, 0]
    await world.end()


async def test_a_membership_ends_only_after_the_partitions_that_a_rebalance_took() -> None:
    world = World()
    await world.until(lambda: len(world.partitions) == 1)
    await world.worker.assigned({1})
    await world.until(lambda: len(world.partitions) == 2)
    lost, taken = world.partitions
    rebalance = asyncio.create_task(world.worker.revoked({1}))
    await world.until(taken.stopping.is_set)
    lost.lost.set()
    await asyncio.sleep(0.05)  # time enough to stop the consumer, had nothing to wait for
    assert not world.memberships[0].stopped
    taken.may_stop.set()
    await rebalance
    await world.until(lambda: world.memberships[0].stopped)
    assert not taken.outlived
    assert not world.running.done()
    await world.end()
