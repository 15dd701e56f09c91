"""Forged headers: can limits be dodged by naming other addresses, or somebody else's be used up?

Two real intakes, one of which trusts a proxy. Callers have addresses of the loopback network, where each /24
is a block; those that are forged are of networks kept for documentation and benchmarks (RFC 5737, RFC 2544).
"""

import asyncio
import itertools
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from attacks.broker import own_kafka
from attacks.intakes import Headers, Intakes, bearer, caller_at, intakes, post

LIMIT = 5
OVER = 5
PROXY = "127.0.200.1"
VICTIM = "203.0.113.50"
VARIANTS: dict[str, Callable[[str], Headers]] = {
    "none": lambda _: [],
    "X-Forwarded-For": lambda forged: [("X-Forwarded-For", forged)],
    "X-Forwarded-For, a list": lambda forged: [("X-Forwarded-For", f"{forged}, {PROXY}, 127.0.0.1")],
    "X-Forwarded-For, twice": lambda forged: [("X-Forwarded-For", PROXY), ("X-Forwarded-For", forged)],
    "X-Forwarded-For with a port": lambda forged: [("X-Forwarded-For", f"{forged}:443")],
    "X-Forwarded-For, IPv6": lambda forged: [("X-Forwarded-For", f"[::ffff:{forged}]")],
    "X-Forwarded-For, garbage": lambda forged: [("X-Forwarded-For", f",, unknown;{forged} ,")],
    "Forwarded": lambda forged: [("Forwarded", f"for={forged};proto=https;by={PROXY}")],
    "X-Real-IP and its kin": lambda forged: [
        (name, forged) for name in ("X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Via")
    ],
    "a session, without a key": lambda forged: [("Hailong-Session", f"session-{forged}-{forged}")],
}


@dataclass(frozen=True, slots=True)
class Row:
    """`expected` of the `sent` should be taken in."""

    what: str
    sent: int
    taken: int
    expected: int

    @property
    def held(self) -> bool:
        return self.taken == self.expected


@dataclass(slots=True)
class Results:
    rows: list[Row] = field(default_factory=list)

    @property
    def held(self) -> bool:
        return bool(self.rows) and all(row.held for row in self.rows)


class Spoofing:
    """`run` once. Every part of it calls from blocks that no other part uses."""

    def __init__(self, there: Intakes, advance: Callable[[], None]) -> None:
        self._there = there
        self._advance = advance
        self._blocks = itertools.count(1)
        self._results = Results()

    async def run(self) -> Results:
        limits = {
            "limit_lone_block": str(LIMIT),
            "limit_shared_block": str(LIMIT),
            "limit_officer": "1000000",
            "limit_edition": "1000000",
        }
        direct = await self._there.start(**limits)
        behind = await self._there.start(**limits, trusted_proxies=f"{PROXY}/32")
        key = await self._there.key_of(f"rogue-{self._there.edition}", "portal")
        for name, variant in VARIANTS.items():
            forgeries = [variant(forged(number)) for number in range(LIMIT + OVER)]
            block = next(self._blocks)
            await self._posts(f"dodge, direct: {name}", direct.url, f"127.0.{block}.1", forgeries, LIMIT)
            # A proxy adds where the request came from to the right of what it was sent.
            through = [[*said, ("X-Forwarded-For", f"172.20.{block}.1")] for said in forgeries]
            await self._posts(f"dodge, through a proxy: {name}", behind.url, PROXY, through, LIMIT)
        # Web servers like to believe whatever comes from their own machine.
        forgeries = [[("X-Forwarded-For", forged(number))] for number in range(LIMIT + OVER)]
        await self._posts("dodge, from 127.0.0.1", direct.url, "127.0.0.1", forgeries, LIMIT)
        framing: Headers = [("X-Forwarded-For", VICTIM)]
        as_client = [*framing, bearer(key), ("Hailong-Session", "session-of-a-rogue")]
        often = LIMIT + OVER
        framer = f"127.0.{next(self._blocks)}.1"
        await self._posts("frame, direct", direct.url, framer, [framing] * often, LIMIT)
        await self._posts("frame, by a client with a key", direct.url, framer, [as_client] * often, LIMIT)
        await self._posts("the victim afterwards", behind.url, PROXY, [framing] * LIMIT, LIMIT)
        return self._results

    async def _posts(self, what: str, url: str, address: str, each: Sequence[Headers], expected: int) -> None:
        """One after the other, so that each counts before the next is sent."""
        taken = 0
        async with caller_at(address) as http:
            for headers in each:
                answer = await post(http, url, self._there.rating(), headers)
                taken += answer.status_code == 202
        self._results.rows.append(Row(what, len(each), taken, expected))
        self._advance()


def forged(number: int) -> str:
    """A block of its own for each number."""
    return f"198.18.{number}.{number + 1}"


PARTS = 2 * len(VARIANTS) + 4


async def run(folder: Path, kafka_bootstrap: str, advance: Callable[[], None] = lambda: None) -> Results:
    async with intakes(folder, kafka_bootstrap) as there:
        return await Spoofing(there, advance).run()


async def _attack(folder: Path) -> Results:
    columns = (TextColumn("header spoofing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with own_kafka(folder) as kafka_bootstrap:
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task("", total=PARTS)
            return await run(folder, kafka_bootstrap, lambda: progress.advance(bar))


def main(
    folder: Annotated[
        Path | None, typer.Option(help="Where its data and logs are kept; else nowhere.")
    ] = None,
) -> None:
    """Name other addresses than one's own, directly and through a trusted proxy, with real intakes.

    Starts a broker and two intakes of its own. Example: python -m attacks header-spoofing
    """
    if folder is not None:
        results = asyncio.run(_attack(folder))
    else:
        with tempfile.TemporaryDirectory(prefix="hailong-attack-") as made:
            results = asyncio.run(_attack(Path(made)))
    table = Table("attack", "sent", "taken in", "should be", "held")
    for row in results.rows:
        table.add_row(row.what, str(row.sent), str(row.taken), str(row.expected), "yes" if row.held else "NO")
    Console().print(table)
    raise typer.Exit(0 if results.held else 1)
