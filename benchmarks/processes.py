"""Processes that are measured: on which cores they run, and what CPU and memory they took (proc(5))."""

import asyncio
import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.errors import StackError
from deploy.local.layout import CHECKOUT
from faults.soaking.sampling import children_of

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
ALL_CORES = tuple(sorted(os.sched_getaffinity(0)))
MEASURED = ALL_CORES[:1]
"""The core that what is measured has to itself; servers and callers share the others."""
OTHERS = ALL_CORES[1:] or ALL_CORES


def pin(pids: Iterable[int], cores: Sequence[int]) -> None:
    """All threads of the processes and of their children; new ones follow."""
    for pid in pids:
        for each in (pid, *children_of(pid)):
            for task in (PROC / str(each) / "task").glob("*"):
                with contextlib.suppress(OSError):
                    os.sched_setaffinity(int(task.name), cores)


def cpu_seconds(pid: int) -> float:
    """Of the process, of children that it has waited for, and of its living children. 0 once it is gone."""
    return sum(_cpu(each) for each in (pid, *children_of(pid)))


def _cpu(pid: int) -> float:
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS  # utime, stime, cutime, cstime


def memory_mib(pid: int) -> float:
    """Proportional set size, with the living children: what is shared is counted once."""
    found = 0
    for each in (pid, *children_of(pid)):
        with contextlib.suppress(OSError, StopIteration):
            lines = (PROC / str(each) / "smaps_rollup").read_text().splitlines()
            found += int(next(line for line in lines if line.startswith("Pss:")).split()[1])
    return found / 1024


@dataclass(frozen=True, slots=True)
class Told:
    """What a process that times itself printed. `cpu` in seconds of a core."""

    count: int
    seconds: float
    cpu: float
    answers: Counter[str] = field(default_factory=Counter)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def core(self) -> float:
        return self.count / max(self.cpu, 1 / TICKS)


def python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


async def told_by(
    command: Sequence[str],
    *,
    cores: Sequence[int] = MEASURED,
    seconds: float = 60.0,
    settings: Mapping[str, str] | None = None,
) -> Told:
    """Run it to its end, on those cores, and read the last line that it printed. Raises StackError."""
    child = await asyncio.create_subprocess_exec(
        *command,
        cwd=CHECKOUT,
        env={**os.environ, **(settings or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    pin([child.pid], cores)
    try:
        async with asyncio.timeout(seconds):
            output, errors = await child.communicate()
    except TimeoutError:
        raise StackError(f"{_name(command)} took longer than {seconds:.0f} s.", "") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    lines = [line for line in output.decode("utf-8", "replace").splitlines() if line.startswith("{")]
    if child.returncode != 0 or not lines:
        raise StackError(f"{_name(command)} failed:", errors.decode("utf-8", "replace")[-2000:])
    found = json.loads(lines[-1])
    answers = Counter(found.pop("answers", {}))
    return Told(found.pop("count"), found.pop("seconds"), found.pop("cpu"), answers, found)


def _name(command: Sequence[str]) -> str:
    return next((word for word in command if "peers" in word or word == "OutcomeCounts"), command[0])
