"""python -m faults.overloading.offering: offers ratings to one intake, in a process of its own."""

import asyncio
import json
import random
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from deploy.local.ports import HOST
from faults import citizens
from faults.overloading.wire import Answer, Connection, request_of
from faults.planning import Planner, read_officers

TICK_SECONDS = 0.002
ANSWER_SECONDS = 15.0
REFUSALS = (429, 503)


@dataclass(slots=True)
class Seen:
    """What became of the requests. Times in milliseconds. `held_back`: not sent, as too many were under way;
    `late`: by how much they were sent later than they were due."""

    statuses: Counter[str] = field(default_factory=Counter)
    kept: list[str] = field(default_factory=list)
    taken_ms: list[float] = field(default_factory=list)
    refused_ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    flaws: Counter[str] = field(default_factory=Counter)
    held_back: int = 0
    seconds: float = 0.0

    def note(self, answer: Answer) -> None:
        took = round(answer.seconds * 1000, 2)
        self.statuses[str(answer.status or answer.head)] += 1
        if answer.status == 202:
            self.taken_ms.append(took)
            self.kept.append(json.loads(answer.body)["rating_id"])
        elif answer.status in REFUSALS:
            self.refused_ms.append(took)
            if not answer.header("retry-after").isdigit():
                self.flaws["no Retry-After"] += 1
            if answer.header("content-type") != "application/problem+json":
                self.flaws["no problem+json"] += 1


def ratings(port: int, seed: int, portal_key: str) -> Iterator[bytes]:
    """Requests without end, each of a citizen of its own. Intake does not read what the challenge says."""
    chance = random.Random(seed)
    planner, officers = Planner(chance), read_officers()
    while True:
        planned = planner.probe(chance.choice(officers))
        body = {
            "edition_id": planned.edition,
            "officer_id": planned.officer.id,
            "answer": planned.answer,
            "reasons": planned.reasons,
            "phone": f"0{planned.phone}",
            "consent": True,
            "challenge": {"id": f"overload-{planned.key}", "answer": "123456"},
            "channel": planned.channel,
            "language": "vi",
        }
        headers = citizens.headers(portal_key, chance)
        yield request_of(port, json.dumps(body).encode(), f"{planned.key}-{seed}", headers)


async def closed_loop(port: int, requests: Iterator[bytes], seconds: float, at_once: int) -> Seen:
    """So many callers, each of whom sends the next rating when the last was answered."""
    seen = Seen()
    over = asyncio.Event()
    started = time.perf_counter()

    def done(connection: Connection, answer: Answer) -> None:
        seen.note(answer)
        if time.perf_counter() - started < seconds and answer.status:
            connection.send(next(requests))
        else:
            over.set()

    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: Connection(done), HOST, port))[1] for _ in range(at_once)
    ]
    for connection in connections:
        connection.send(next(requests))
    async with asyncio.timeout(seconds + ANSWER_SECONDS):
        await over.wait()
        while any(connection.waited for connection in connections):
            await asyncio.sleep(0.01)
    seen.seconds = time.perf_counter() - started
    for connection in connections:
        connection.close()
    return seen


async def open_loop(
    port: int, source: Iterator[bytes], seconds: float, *, rate: float, at_once: int, begin: float
) -> Seen:
    """`rate` ratings a second, whatever becomes of those before; `at_once` bounds the connections. Starts at
    `begin` (monotonic seconds), having made all requests beforehand."""
    seen = Seen()
    requests = deque(next(source) for _ in range(round(rate * seconds)))
    idle: list[Connection] = []
    all_: set[Connection] = set()

    def done(connection: Connection, answer: Answer) -> None:
        seen.note(answer)
        if connection.open and "connection: close" not in answer.head.lower():
            idle.append(connection)
        else:
            all_.discard(connection)

    async def connect_and_send(request: bytes) -> None:
        connection = Connection(done)
        all_.add(connection)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.get_running_loop().create_connection(lambda: connection, HOST, port)
        except OSError as error:
            all_.discard(connection)
            seen.statuses[f"no connection: {type(error).__name__}"] += 1
        else:
            connection.send(request)

    connecting: set[asyncio.Task[None]] = set()
    await asyncio.sleep(max(0.0, begin - time.monotonic()))
    started = time.perf_counter()
    sent = 0
    while requests:
        now = time.perf_counter()
        while requests and (late := now - started - sent / rate) >= 0:
            request = requests.popleft()
            sent += 1
            seen.late_ms.append(round(late * 1000, 2))
            while idle and not idle[-1].open:
                all_.discard(idle.pop())
            if idle:
                idle.pop().send(request)
            elif len(all_) < at_once:
                task = asyncio.create_task(connect_and_send(request))
                connecting.add(task)
                task.add_done_callback(connecting.discard)
            else:
                seen.held_back += 1
        await asyncio.sleep(TICK_SECONDS)
    seen.seconds = time.perf_counter() - started
    until = time.perf_counter() + ANSWER_SECONDS
    while (connecting or any(each.waited for each in all_)) and time.perf_counter() < until:
        await asyncio.sleep(0.01)
    seen.statuses["no answer"] += sum(each.waited > 0 for each in all_)
    for connection in list(all_):
        connection.close()
    return seen


def main(  # noqa: PLR0917  options, all by name
    port: Annotated[int, typer.Option(help="Intake's, on 127.0.0.1.")],
    seed: Annotated[int, typer.Option(help="The same seed sends the same ratings.")],
    seconds: Annotated[float, typer.Option(help="How long to send.")],
    at_once: Annotated[int, typer.Option(help="Connections, at most.")],
    key_file: Annotated[Path, typer.Option(help="Holds the portal's key.")],
    into: Annotated[Path, typer.Option(help="Where to write what became of them, as JSON.")],
    rate: Annotated[float, typer.Option(help="Ratings a second; 0: as fast as they are answered.")] = 0.0,
    begin: Annotated[float, typer.Option(help="When to begin, in monotonic seconds.")] = 0.0,
) -> None:
    """Offer ratings, and write down what became of them.

    Example: python -m faults.overloading.offering --port 8001 --seed 1 --seconds 5 --at-once 32 \\
        --key-file .local/keys/portal/intake.key --into x.json
    """
    source = ratings(port, seed, key_file.read_text().strip())
    if rate:
        seen = uvloop.run(open_loop(port, source, seconds, rate=rate, at_once=at_once, begin=begin))
    else:
        seen = uvloop.run(closed_loop(port, source, seconds, at_once))
    into.write_text(json.dumps({each.name: getattr(seen, each.name) for each in fields(seen)}))


if __name__ == "__main__":
    typer.run(main)
