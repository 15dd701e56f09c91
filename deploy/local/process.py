"""One child process: started with its own log file, watched, asked to stop and at last killed."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from deploy.local.errors import StackError

LAUNCHER = Path(__file__).with_name("launch.py")
LAST_LINES = 15
POLL_SECONDS = 0.05


@dataclass(slots=True)
class Process:
    """A child that ends with us: by `stop_signal`, and by SIGKILL `grace` seconds later."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    uid: int | None = None
    directory: Path | None = None
    child: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def pid(self) -> int:
        if self.child is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.child.pid

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.returncode is None

    async def start(self) -> None:
        """Start the command; the log of the run before is kept beside the new one as `.log.1`."""
        uid = "-" if self.uid is None else str(self.uid)
        launcher = [
            sys.executable,
            "-I",
            "-S",
            str(LAUNCHER),
            str(os.getpid()),
            str(int(self.stop_signal)),
            uid,
        ]
        with _fresh_log(self.log) as log:
            self.child = await asyncio.create_subprocess_exec(
                *launcher,
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment),
                cwd=self.directory,
                # Ctrl-C in the terminal is the supervisor's to hear: it stops the parts in their order.
                start_new_session=True,
            )

    async def wait(self) -> int:
        """The exit code, once the process has ended; negative for a signal."""
        if self.child is None:
            raise RuntimeError(f"{self.name} was not started")
        return await self.child.wait()

    async def stop(self) -> bool:
        """End it and everything it started. False where it had to be killed."""
        if self.child is None or self.child.returncode is not None:
            return True
        with contextlib.suppress(ProcessLookupError):
            self.child.send_signal(self.stop_signal)
        try:
            async with asyncio.timeout(self.grace):
                await self.child.wait()
        except TimeoutError:
            await self.kill()
            return False
        return True

    async def kill(self) -> None:
        """SIGKILL to the whole group: what a crash looks like."""
        if self.child is None or self.child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        await self.child.wait()

    def last_lines(self, count: int = LAST_LINES) -> list[str]:
        """The end of its log; nothing where somebody removed it."""
        try:
            with self.log.open("rb") as log:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - 16 * 1024))
                text = log.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return []
        return [line for line in text.splitlines() if line.strip()][-count:]

    def died(self) -> StackError:
        code = self.child.returncode if self.child else None
        how = (
            f"by signal {signal.Signals(-code).name}"
            if code is not None and code < 0
            else f"with exit code {code}"
        )
        return StackError(f"{self.name} ended {how}.", f"The end of its log ({self.log}):", self.last_lines())


async def until_ready(process: Process, probe: Callable[[], Awaitable[str]], deadline: float) -> float:
    """Wait until `probe` returns "" (otherwise it says what is missing), and return the seconds it took.

    Raises StackError when the process ends first or the deadline (seconds) passes.
    """
    started = time.monotonic()
    missing = ""
    while True:
        if not process.running:
            await process.wait()
            raise process.died()
        try:
            async with asyncio.timeout(5):
                missing = await probe()
        except TimeoutError:
            missing = "no answer within 5 s"
        took = time.monotonic() - started
        if not missing:
            return took
        if took > deadline:
            raise StackError(
                f"{process.name} was not ready within {deadline:.0f} s ({missing}).",
                f"The end of its log ({process.log}):",
                process.last_lines(),
            )
        await asyncio.sleep(POLL_SECONDS)


async def run_to_end(process: Process, deadline: float) -> str:
    """Start it, wait for success and return what it printed, which its log keeps.

    Raises StackError for an exit code other than 0 or past the deadline (seconds).
    """
    await process.start()
    try:
        async with asyncio.timeout(deadline):
            code = await process.wait()
    except TimeoutError as error:
        raise StackError(
            f"{process.name} took longer than {deadline:.0f} s.",
            f"The end of its log ({process.log}):",
            process.last_lines(),
        ) from error
    finally:
        await process.kill()
    if code != 0:
        raise process.died()
    return await asyncio.to_thread(process.log.read_text, "utf-8", "replace")


def _fresh_log(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        path.replace(path.with_name(path.name + ".1"))
    return path.open("wb")
