"""One stack a checkout: its lock, the processes it started, its addresses. Standard library only."""

import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.layout import Layout

LEFTOVER_GRACE = 10.0


@contextmanager
def held(layout: Layout) -> Iterator[None]:
    """Hold the checkout's lock. Raises StackError while another stack holds it.

    The kernel frees the lock when its holder dies, so a killed supervisor leaves none behind.
    """
    try:
        layout.run.mkdir(parents=True, exist_ok=True)
        handle = os.open(layout.run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except PermissionError as error:
        raise StackError(
            f"No permission to write {error.filename}.",
            "An earlier run was another user's: run as that user, or remove .local as that user.",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise StackError(
                f"A stack of this checkout is already running (process {pid}).",
                "`make urls` lists its addresses; end it with Ctrl-C in its terminal first.",
            ) from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)


def is_held(layout: Layout) -> bool:
    """Whether a stack of this checkout runs now."""
    try:
        handle = os.open(layout.run / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def record_processes(layout: Layout, pids: Mapping[str, int]) -> None:
    entries = [{"name": name, "pid": pid, "started": _start_time(pid)} for name, pid in pids.items()]
    _write(layout.run / "processes.json", json.dumps(entries))


def record_urls(layout: Layout, urls: Mapping[str, str]) -> None:
    _write(layout.run / "urls.json", json.dumps(urls))


def forget(layout: Layout) -> None:
    """The stack has ended well: nothing runs, nothing is served."""
    for name in ("processes.json", "urls.json"):
        (layout.run / name).unlink(missing_ok=True)


def running_urls(layout: Layout) -> dict[str, str]:
    """The addresses of the running stack. Raises StackError where none runs or it is still starting."""
    if not is_held(layout):
        raise StackError("No stack of this checkout is running.", "Start it with `make run`.")
    try:
        return dict(json.loads((layout.run / "urls.json").read_text()))
    except FileNotFoundError as error:
        raise StackError("The stack is still starting.", "Ask again in a few seconds.") from error


def end_leftovers(layout: Layout) -> list[str]:
    """End what a killed supervisor left behind, and return the names. Call with the lock held."""
    try:
        entries = json.loads((layout.run / "processes.json").read_text())
    except FileNotFoundError:
        return []
    alive = [entry for entry in entries if _start_time(entry["pid"]) == entry["started"]]
    for entry in alive:
        _signal(entry["pid"], signal.SIGTERM)
    deadline = time.monotonic() + LEFTOVER_GRACE
    waiting = alive
    while waiting and time.monotonic() < deadline:
        time.sleep(0.1)
        waiting = [entry for entry in waiting if _start_time(entry["pid"]) == entry["started"]]
    for entry in waiting:
        _signal(entry["pid"], signal.SIGKILL)
    forget(layout)
    return [str(entry["name"]) for entry in alive]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _start_time(pid: int) -> int | None:
    """Clock ticks since boot at which the process started: with its id it names one process for good."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def _write(path: Path, text: str) -> None:
    """Whole or not at all: `make urls` may read at any moment."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)
