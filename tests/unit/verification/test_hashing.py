import asyncio
import os
import subprocess
import sys
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


KEPT = """
import asyncio, hashlib
from services.verification import hashing

def private():  # MiB
    lines = open("/proc/self/smaps_rollup").read().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024

def scrypt():
    hashlib.scrypt(b"code", salt=b"salt", n=2**14, r=8, p=1, maxmem=2**26)

async def burst():
    await asyncio.gather(*(hashing.aside(scrypt) for _ in range(12)))

before = private()
asyncio.run(burst())
print(private() - before)
"""


def test_what_a_hash_took_is_given_back() -> None:
    """In a process of its own, for what others took and gave back would hide it."""
    ran = subprocess.run([sys.executable, "-c", KEPT], check=True, capture_output=True, text=True)
    assert float(ran.stdout) < 8, "less than half of what one hash takes"
