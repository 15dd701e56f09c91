"""Challenges: pictures beside the captcha library's, and how long a citizen waits for one."""

import asyncio
import contextlib
import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterator

from captcha.image import ImageCaptcha

from benchmarks.bench import Bench, Meter, Wrong
from benchmarks.results import OURS, Goal, Row
from benchmarks.rounds import Spread, percentile, turns
from benchmarks.stack import EDITION
from deploy.local.ports import HOST
from faults.overloading.offering import closed_loop
from faults.overloading.wire import Answer, Connection
from services.verification.challenges import ALPHABET, DIGITS
from services.verification.picture import draw

CALLERS = 32
BUSY_CALLERS = 4
LOOKS_A_SECOND = 5
PICTURES_GOAL, PUZZLES_GOAL, WAIT_GOAL_MS = 2.0, 3_000.0, 30.0
LIBRARY = "captcha library"


async def measure(bench: Bench, row: Row) -> None:
    sizes = bench.sizes
    row.unit = "pictures"
    row.how = (
        f"{sizes.rounds} rounds of {sizes.pictures} pictures of {DIGITS} digits, drawn in one thread; puzzles"
        f" and waits over HTTP, one verification API on one core"
    )
    library = ImageCaptcha(width=160, height=60)
    ways: dict[str, Callable[[str], object]] = {
        OURS: lambda digits: draw(digits, secrets.token_bytes(16)),
        LIBRARY: lambda digits: library.generate(digits).read(),
    }
    for number in range(sizes.rounds):
        for name in turns(list(ways), number):
            bench.tell(f"challenge: {name}, round {number + 1}")
            rate, core = await asyncio.to_thread(_draw, ways[name], sizes.pictures)
            side = row.side(name)
            side.rates.append(rate)
            side.core.append(core)
    row.goal("pictures against the captcha library", PICTURES_GOAL, LIBRARY)
    api = await bench.stack.serve("verification")
    port = bench.stack.ports["verification"]
    rates = []
    for number in range(-1, sizes.rounds):
        bench.tell(f"challenge: puzzles, round {number + 1}")
        meter = Meter(bench.stack, api.process.pid)
        seen = await closed_loop(port, _asking(port, "proof_of_work"), sizes.challenge_seconds, CALLERS)
        issued = seen.statuses["201"]
        if seen.statuses.keys() - {"201", "503"} or not issued:
            raise Wrong(f"answered {dict(seen.statuses)}")
        if number >= 0:
            meter.note(row.side("puzzles", apart=True), issued, seen.seconds)
            rates.append(issued / seen.seconds)
    found = Spread.of(rates)
    row.goals.append(
        Goal(
            what="proof-of-work challenges", got=found.median, wanted=PUZZLES_GOAL, unit="/s",
            low=found.least, high=found.most,
        )
    )  # fmt: skip
    await _waits(bench, row, port)
    row.checked.append("every picture is a PNG, every challenge was answered 201")
    await bench.stack.end_all()


def _draw(way: Callable[[str], object], count: int) -> tuple[float, float]:
    """A second on the clock, and a second of CPU."""
    wanted = ["".join(secrets.choice(ALPHABET) for _ in range(DIGITS)) for _ in range(count)]
    begun, cpu = time.perf_counter(), time.thread_time()
    for digits in wanted:
        picture = way(digits)
        if not (isinstance(picture, bytes) and picture.startswith(b"\x89PNG")):
            raise Wrong("no picture")
    return count / (time.perf_counter() - begun), count / (time.thread_time() - cpu)


def _asking(port: int, kind: str) -> Iterator[bytes]:
    body = json.dumps({"edition_id": EDITION, "kind": kind}).encode()
    head = (
        f"POST /v1/challenges HTTP/1.1\r\nHost: {HOST}:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return itertools.repeat(head.encode() + body)


async def _waits(bench: Bench, row: Row, port: int) -> None:
    """A citizen's picture, asked for and fetched, while the service is idle and while it is kept busy."""
    for busy in (False, True):
        bench.tell(f"challenge: waiting for a picture, {'busy' if busy else 'idle'}")
        seconds = 2 * bench.sizes.challenge_seconds
        load = (
            asyncio.create_task(closed_loop(port, _asking(port, "digits"), seconds, BUSY_CALLERS))
            if busy
            else None
        )
        waits = await _look(port, seconds)
        if load is not None:
            with contextlib.suppress(TimeoutError):
                await load
        p50, p99 = (1000 * percentile(waits, share) for share in (0.5, 0.99))
        when = f"{BUSY_CALLERS} callers ask for challenges without a pause" if busy else "idle"
        row.figures[f"a picture, {when}"] = f"p50 {p50:.0f} ms, p99 {p99:.0f} ms of {len(waits)}"
        if busy:
            row.goals.append(
                Goal(
                    what="wait for a picture while busy, p99", got=p99, wanted=WAIT_GOAL_MS, at_least=False,
                    unit=" ms",
                )
            )  # fmt: skip


async def _look(port: int, seconds: float) -> list[float]:
    waits, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        begun = time.perf_counter()
        issued = json.loads((await _ask(port, next(_asking(port, "digits")))).body)
        request = f"GET {issued['image']} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode()
        if not (await _ask(port, request)).body.startswith(b"\x89PNG"):
            raise Wrong("no picture")
        waits.append(time.perf_counter() - begun)
        await asyncio.sleep(max(0.0, 1 / LOOKS_A_SECOND - waits[-1]))
    return waits


async def _ask(port: int, request: bytes) -> Answer:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(
        lambda: Connection(lambda _, answer: answered.set_result(answer)), HOST, port
    )
    connection.send(request)
    try:
        async with asyncio.timeout(30):
            return await answered
    finally:
        connection.close()
