"""Where codes are hashed: in few threads, and after all other work that wants the processor.

Else a burst of codes would starve the event loop of its own process, and on a small machine everybody's.
"""

import asyncio
import ctypes
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
THREADS = 2
NICENESS, MOST_NICE = 10, 19
M_MMAP_THRESHOLD, MOST_KEPT = -3, 4 * 1024 * 1024  # bytes; a hash takes 16 MiB


def _prepare() -> None:
    _last_in_line()
    _give_back_at_once()


def _give_back_at_once() -> None:
    """Else glibc takes what was freed once for what will be wanted again, and keeps it between small things:
    tens of MiB for each thread, that only ever grow. Other C libraries have no such habit, and no mallopt."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, MOST_KEPT)


def _last_in_line() -> None:
    thread = threading.get_native_id()  # on Linux each has a niceness of its own
    usual = os.getpriority(os.PRIO_PROCESS, thread)
    os.setpriority(os.PRIO_PROCESS, thread, min(MOST_NICE, usual + NICENESS))


_THREADS = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing", initializer=_prepare)


async def aside(work: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """Do `work`, which hashes, without keeping anybody waiting."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *arguments)
