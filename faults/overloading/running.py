"""Measures what one intake can take, offers it five times as much, and looks at the log afterwards."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.errors import StackError
from deploy.local.http_process import get
from deploy.local.layout import CHECKOUT
from faults.checking.reading import read
from faults.overloading.lag import lags, percentile_of
from faults.overloading.offering import REFUSALS
from faults.replicas import Replica
from faults.soaking.sampling import Sample, sample
from faults.stack import Stack

TIMES = 5
CALLERS = 32
OFFERING = 2
CONNECTIONS = 1_000
SAMPLE_SECONDS = 0.2
WARM_SECONDS = 3.0
PREPARED_PER_SECOND = 5_000
RECOVERY_SECONDS = 10.0
MOST_GROWTH = 64.0
"""MiB that intake may need on top while it refuses: a few dozen KiB for each connection."""
GOAL_MS = 100.0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """`measure` and `seconds`: how long the capacity is measured, and the overload lasts."""

    folder: Path
    jars: Path
    measure: float = 8.0
    seconds: float = 20.0
    seed: int = 1


@dataclass(slots=True)
class Results:
    """Rates a second, times in ms, memory in MiB."""

    order: Order
    capacity: float = 0.0
    offered: float = 0.0
    statuses: Counter[str] = field(default_factory=Counter)
    flaws: Counter[str] = field(default_factory=Counter)
    taken_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    lag_ms: float = 0.0
    held_back: int = 0
    taken_per_second: float = 0.0
    operations: Counter[str] = field(default_factory=Counter)
    memory: dict[str, Sample] = field(default_factory=dict)
    kept: int = 0
    lost: int = 0
    doubled: int = 0
    recovered: float | None = None
    failure: str = ""

    @property
    def red(self) -> list[str]:
        """Why it failed; empty where all is well. How fast it went is no reason: the machine may be busy."""
        allowed = {"202", *map(str, REFUSALS)}
        found = [self.failure] if self.failure else []
        found += [f"{n} × {status}" for status, n in self.statuses.items() if n and status not in allowed]
        found += [f"{n} × {flaw}" for flaw, n in self.flaws.items()]
        found += [f"{n} × /readyz {status}" for status, n in self.operations.items() if status != "200"]
        if self.lost or self.doubled:
            found.append(f"of {self.kept} answers 202, {self.lost} are lost and {self.doubled} doubled")
        if self.memory and self.growth > MOST_GROWTH:
            found.append(f"intake's memory grew by {self.growth:.0f} MiB, more than {MOST_GROWTH:.0f}")
        if not self.failure and not any(self.statuses[str(status)] for status in REFUSALS):
            found.append("nothing was refused: this was no overload")
        if not self.failure and self.recovered is None:
            found.append(f"no rating was taken in within {RECOVERY_SECONDS:.0f} s afterwards")
        return found

    @property
    def growth(self) -> float:
        return self.memory["peak"].private - self.memory["before"].private


class Overload:
    """`run` once."""

    def __init__(self, order: Order, say: Callable[[str], None], step: Callable[[str], None]) -> None:
        self._order = order
        self._say = say
        self._step = step
        self._stack = Stack(order.folder, order.jars, 1)
        self._kept: list[str] = []
        self.results = Results(order)

    async def run(self) -> Results:
        """A failure, of the system or of this itself, is in the results. The stack is stopped."""
        self._order.folder.mkdir(parents=True)
        try:
            await self._stack.start()
            # One intake and the broker are what is measured: the others would only take its processor.
            intake, *others = self._stack.of("intake")
            rest = [each for each in self._stack.replicas if each.service.name != "intake"]
            await asyncio.gather(*(each.stop() for each in (*others, *rest)))
            self._step("measuring")
            await self._measure(intake)
            self._step("overload")
            await self._overload(intake)
            self._step("reading the log")
            await self._read_log()
        except Exception as error:  # noqa: BLE001  whatever it is, the evidence is kept and the report written
            self.results.failure = str(error) if isinstance(error, StackError) else repr(error)
        finally:
            await self._stack.stop()
        return self.results

    async def _measure(self, intake: Replica) -> None:
        await self._offer(intake, 1, WARM_SECONDS)
        seen = await self._offer(intake, 2, self._order.measure)
        if not seen["taken_ms"]:
            raise StackError(f"Intake took nothing in: {seen['statuses']}.", "")
        self.results.capacity = len(seen["taken_ms"]) / seen["seconds"]
        self._say(f"one intake takes {self.results.capacity:.0f} ratings a second")

    async def _overload(self, intake: Replica) -> None:
        results, order = self.results, self._order
        rate = TIMES * results.capacity / OFFERING
        results.memory["before"] = self._memory(intake)
        lag = await lags(intake.operations)
        begin = time.monotonic() + 3 + rate * order.seconds / PREPARED_PER_SECOND
        watching = asyncio.create_task(self._watch(intake))
        try:
            all_seen = await asyncio.gather(
                *(self._offer(intake, 3 + n, order.seconds, rate=rate, begin=begin) for n in range(OFFERING))
            )
        finally:
            watching.cancel()
            await asyncio.wait({watching})
        if not watching.cancelled() and watching.exception() is not None:
            raise StackError(f"Intake could not be watched: {watching.exception()!r}", "")
        results.lag_ms = percentile_of(lag, await lags(intake.operations), 0.99) * 1000
        for seen in all_seen:
            results.statuses.update(seen["statuses"])
            results.flaws.update(seen["flaws"])
            results.held_back += seen["held_back"]
            for name in ("taken_ms", "refused_ms", "late_ms"):
                getattr(results, name).extend(seen[name])
        seconds = max(seen["seconds"] for seen in all_seen)
        results.offered = (sum(results.statuses.values()) + results.held_back) / seconds
        results.taken_per_second = len(results.taken_ms) / seconds
        results.recovered = await self._takes_again(intake)
        results.memory["after"] = self._memory(intake)

    async def _watch(self, intake: Replica) -> None:
        """Intake's memory, and whether its operations answer, until cancelled."""
        while True:
            now = self._memory(intake)
            peak = self.results.memory.setdefault("peak", now)
            if now.private > peak.private:
                self.results.memory["peak"] = now
            try:
                async with asyncio.timeout(5):
                    status, _ = await get(intake.operations, "/readyz")
            except (OSError, ValueError, TimeoutError) as error:
                self.results.operations[type(error).__name__] += 1
            else:
                self.results.operations[str(status)] += 1
            await asyncio.sleep(SAMPLE_SECONDS)

    async def _takes_again(self, intake: Replica) -> float | None:
        """Seconds after the overload until a rating is taken in; None: not in time."""
        started = time.monotonic()
        while time.monotonic() - started < RECOVERY_SECONDS:
            seen = await self._offer(intake, 99, 0.0, at_once=1)
            if "202" in seen["statuses"]:
                return time.monotonic() - started
        return None

    async def _offer(
        self,
        intake: Replica,
        seed: int,
        seconds: float,
        *,
        rate: float = 0.0,
        begin: float = 0.0,
        at_once: int = CALLERS,
    ) -> Json:
        """What another process saw of it."""
        options: dict[str, float | str] = {
            "key-file": str(self._stack.layout.portal_key),
            "port": intake.port,
            "seed": 100 * self._order.seed + seed,
            "seconds": seconds,
            "at-once": CONNECTIONS if rate else at_once,
            "rate": rate,
            "begin": begin,
        }
        into = self._order.folder / f"offered-{seed}.json"
        options["into"] = str(into)
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "faults.overloading.offering", *words),
            cwd=CHECKOUT,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds + max(0.0, begin - time.monotonic()) + 60):
                _, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode != 0:
            raise StackError("The client failed:", errors.decode("utf-8", "replace")[-3000:])
        seen: Json = json.loads(await asyncio.to_thread(into.read_text))
        self._kept += seen["kept"]
        return seen

    async def _read_log(self) -> None:
        """Each 202 has exactly one submission, read as everybody reads: what is committed."""
        topic = await read(self._stack.kafka.bootstrap, "rating-submissions")
        found = Counter(str(record.data["rating_id"]) for record in topic.records)
        self.results.kept = len(self._kept)
        self.results.lost = sum(found[each] == 0 for each in self._kept)
        self.results.doubled = sum(found[each] > 1 for each in self._kept)

    def _memory(self, intake: Replica) -> Sample:
        if intake.process is None or not intake.running or intake.lives != 1:
            raise StackError("Intake ended.", "See its log.")
        found = sample(intake.name, intake.process.pid, time.monotonic())
        if found is None:
            raise StackError("Intake ended.", "See its log.")
        return found
