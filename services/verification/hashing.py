"""Where codes are hashed: in few threads, and after all other work that wants the processor.

Else a burst of codes would starve the event loop of its own process, and on a small machine everybody's.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
THREADS = 2
NICENESS, MOST_NICE = 10, 19


def _last_in_line() -> None:
    thread = threading.get_native_id()  # on Linux each has a niceness of its own
    usual = os.getpriority(os.PRIO_PROCESS, thread)
    os.setpriority(os.PRIO_PROCESS, thread, min(MOST_NICE, usual + NICENESS))


_THREADS = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing", initializer=_last_in_line)


async def aside(work: Callable[[*Ts], T], *arguments: *Ts) -> T:
    """Do `work`, which hashes, without keeping anybody waiting."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work, *arguments)
