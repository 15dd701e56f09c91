"""Does a fault to the running stack, and undoes it."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from faults.processes.failpoints import CRASHED
from faults.proxy import Link, Trouble
from faults.replicas import Replica
from faults.schedule import BROKER, Act, Fault
from faults.sms import SmsTrouble
from faults.stack import Stack

REACH_SECONDS = 60.0
GRACEFUL_SECONDS = 30.0
FILLING_SECONDS = 30.0
STOPPED = "T"
RARE = ("after-sms",)


@dataclass(slots=True)
class Done:
    """`cleared` is the moment (monotonic seconds) from which recovery counts: when what was broken is whole
    again, or, where something ended that the supervisor starts again, when it ended. `undo` is called once
    the system has recovered, from what it has to do without until then."""

    cleared: float
    stopped_in: float | None = None
    reached: bool = True
    undo: Callable[[], Awaitable[object]] | None = None


async def do(stack: Stack, fault: Fault) -> Done:
    """Returns once the fault is over. `reached` is False where a failpoint was never come by."""
    if fault.act in _BY_REPLICA:
        return await _BY_REPLICA[fault.act](stack, fault, _replica(stack, fault))
    if fault.act is Act.KILL_ALL:
        return _kill_all(stack.of(fault.target))
    if fault.act is Act.LINK:
        return await _link(_links(stack, fault), Trouble(fault.detail), fault.seconds)
    if fault.act is Act.SMS:
        stack.sms.trouble = SmsTrouble(fault.detail)
        await asyncio.sleep(fault.seconds)
        stack.sms.trouble = None
        return Done(time.monotonic())
    if fault.act in BROKER:
        return await _broker(stack, fault)
    return await _postgres(stack, fault)


def _replica(stack: Stack, fault: Fault) -> Replica:
    return stack.of(fault.target)[fault.replica or 0]


def _links(stack: Stack, fault: Fault) -> list[Link]:
    service, dependency = fault.target.split("/")
    which = service if fault.replica is None else f"{service}-{fault.replica}"
    return stack.links_of(which, dependency)


async def _kill(_: Stack, __: Fault, replica: Replica) -> Done:
    replica.signal(signal.SIGKILL, ends=True)
    return Done(time.monotonic())


def _kill_all(replicas: list[Replica]) -> Done:
    for replica in replicas:
        replica.signal(signal.SIGKILL, ends=True)
    return Done(time.monotonic())


async def _term(_: Stack, __: Fault, replica: Replica) -> Done:
    started, life = time.monotonic(), replica.lives
    replica.signal(signal.SIGTERM, ends=True)
    if not await replica.ended(life, GRACEFUL_SECONDS):
        replica.signal(signal.SIGKILL, ends=True)
    return Done(started, stopped_in=time.monotonic() - started)


async def _freeze(_: Stack, fault: Fault, replica: Replica) -> Done:
    replica.signal(signal.SIGSTOP)
    await asyncio.sleep(fault.seconds)
    replica.signal(signal.SIGCONT)
    return Done(time.monotonic())


async def _away(_: Stack, fault: Fault, replica: Replica) -> Done:
    replica.hold()
    done = await _term(_, fault, replica)
    await asyncio.sleep(fault.seconds)
    replica.release()
    return Done(time.monotonic(), stopped_in=done.stopped_in)


async def _arm(replica: Replica, point: str, action: str) -> int:
    """Let the next life meet the failpoint; returns that life's number once it is ready."""
    life = replica.lives
    count = "1" if point in RARE else "3"
    replica.armed = {"FAULTS_FAILPOINT": point, "FAULTS_ACTION": action, "FAULTS_COUNT": count}
    replica.signal(signal.SIGTERM, ends=True)
    if not await replica.ended(life, GRACEFUL_SECONDS):
        replica.signal(signal.SIGKILL, ends=True)
        await replica.ended(life, GRACEFUL_SECONDS)
    return life + 1


async def _crash(stack: Stack, fault: Fault, replica: Replica) -> Done:
    before = len(stack.endings)
    life = await _arm(replica, fault.detail, "exit")
    until = time.monotonic() + REACH_SECONDS
    while time.monotonic() < until:
        if any(e.replica == replica.name and e.code == CRASHED for e in stack.endings[before:]):
            return Done(time.monotonic())
        await asyncio.sleep(0.05)
    await _disarm(replica, life)
    return Done(time.monotonic(), reached=False)


async def _zombie(_: Stack, fault: Fault, replica: Replica) -> Done:
    life = await _arm(replica, fault.detail, "freeze")
    until = time.monotonic() + REACH_SECONDS
    while time.monotonic() < until:
        if replica.lives == life and replica.process is not None and _state(replica) == STOPPED:
            await asyncio.sleep(fault.seconds)
            replica.signal(signal.SIGCONT)
            return Done(time.monotonic())
        await asyncio.sleep(0.05)
    await _disarm(replica, life)
    return Done(time.monotonic(), reached=False)


async def _disarm(replica: Replica, life: int) -> None:
    replica.signal(signal.SIGCONT)
    replica.signal(signal.SIGKILL, ends=True)
    await replica.ended(life, GRACEFUL_SECONDS)


def _state(replica: Replica) -> str:
    """As proc_pid_stat(5) writes it; empty once the process is gone."""
    if replica.process is None or not replica.process.running:
        return ""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{replica.process.pid}/stat").read_text().rpartition(")")[2].split()[0]
    return ""


async def _link(links: list[Link], trouble: Trouble, seconds: float) -> Done:
    for link in links:
        link.suffer(trouble)
    try:
        await asyncio.sleep(seconds)
    finally:
        for link in links:
            link.heal()
    return Done(time.monotonic())


async def _broker(stack: Stack, fault: Fault) -> Done:
    number = fault.replica or 0
    node = stack.kafka.nodes[number]
    reached = True
    if fault.act is Act.BROKER_FREEZE:
        stack.kafka.freeze(number)
        await asyncio.sleep(fault.seconds)
        stack.kafka.thaw(number)
        return Done(time.monotonic())
    if fault.act is Act.BROKER_AWAY:
        await node.kill()
        return Done(time.monotonic(), undo=lambda: stack.kafka.start(number))
    stopped_in = None
    if fault.act is Act.BROKER_KILL:
        await node.kill()
    elif fault.act is Act.BROKER_DISK:
        stack.kafka.fill_disk(number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FILLING_SECONDS):
                await node.process.wait()
        reached = not node.process.running
        await node.kill()
    else:
        started = time.monotonic()
        await node.stop()
        stopped_in = time.monotonic() - started
    await stack.kafka.start(number)
    return Done(time.monotonic(), stopped_in=stopped_in, reached=reached)


async def _postgres(stack: Stack, fault: Fault) -> Done:
    numbers = {
        Act.POSTGRES_IMMEDIATE: signal.SIGQUIT,
        Act.POSTGRES_KILL: signal.SIGKILL,
        Act.POSTGRES_RESTART: signal.SIGINT,
    }
    await stack.postgres.end(numbers[fault.act])
    await stack.postgres.start()
    return Done(time.monotonic())


_BY_REPLICA: dict[Act, Callable[[Stack, Fault, Replica], Awaitable[Done]]] = {
    Act.KILL: _kill,
    Act.TERM: _term,
    Act.FREEZE: _freeze,
    Act.AWAY: _away,
    Act.CRASH: _crash,
    Act.ZOMBIE: _zombie,
}
