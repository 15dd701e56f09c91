import asyncio
import os
import threading

from services.verification import hashing


def _here() -> tuple[str, int]:
    return threading.current_thread().name, os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


async def test_hashing_stands_last_in_line_and_nobody_else_does() -> None:
    usual = _here()[1]
    places = await asyncio.gather(*(hashing.aside(_here) for _ in range(20)))
    assert {niceness for _, niceness in places} == {min(hashing.MOST_NICE, usual + hashing.NICENESS)}
    assert 1 <= len({name for name, _ in places}) <= hashing.THREADS
    assert _here()[1] == usual
