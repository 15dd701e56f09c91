"""A backlog for a worker that stands still: written while it is stopped, worked off from one moment on."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deploy.local.process import Process


@contextmanager
def standing_still(processes: Sequence[Process]) -> Iterator[None]:
    """They do nothing meanwhile (SIGSTOP), for less than a consumer group waits for its members."""
    for each in processes:
        os.kill(each.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in processes:
            os.kill(each.pid, signal.SIGCONT)
