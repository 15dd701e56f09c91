"""Where reports are made: off the event loop, a few at a time and no more."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


class Full(Exception):
    """As many as may be are being made."""


class Press:
    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="report")
        self._free = at_once

    @contextmanager
    def place(self) -> Iterator[None]:
        """For one report, from its figures to its file. Raises Full."""
        if self._free <= 0:
            raise Full
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    async def write(self, work: Callable[[], bytes]) -> bytes:
        """What `work` gives, in a thread. Within a place.

        A thread cannot be broken off: where its caller gives up, it takes a place until it ends.
        """
        written = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(written)
        except asyncio.CancelledError:
            self._free -= 1
            written.add_done_callback(self._ended)
            raise

    def _ended(self, written: "asyncio.Future[bytes]") -> None:
        self._free += 1
        if not written.cancelled():
            written.exception()  # nobody waits for it any more

    def close(self) -> None:
        """Take no more; what is being written ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
