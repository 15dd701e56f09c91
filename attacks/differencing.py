"""Differencing: does any difference between public figures tell how one citizen answered?"""

import asyncio
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from attacks.observer import Observer, Sums
from attacks.watched_city import EDITIONS, drawn
from chassis import logs, postgres
from contracts.events import Publication
from deploy.local.ports import free_ports
from deploy.local.postgres import Database
from services.aggregation.adapters.ledger import SEARCH_PATH, PostgresLedger

MIGRATIONS = Path(__file__).parent.parent / "services" / "aggregation" / "migrations"
USUAL = Publication()


@dataclass(frozen=True, slots=True)
class Row:
    """Of `ratings`, how many answers are certain by subtracting, and how many because several were all alike;
    `secret`: whether none may be by subtracting."""

    what: str
    ratings: int
    recovered: int
    unanimous: int
    secret: bool

    @property
    def held(self) -> bool:
        return not (self.secret and self.recovered)


@dataclass(frozen=True, slots=True)
class Results:
    """`figures` that were read. `tied`: ratings in units of several whose officer's figures or revision moved
    with their unit's, which shows whose they are to one who does not know who was rated. `few`: how often an
    item of a list was of too few, or so few were missing from a list."""

    rows: Sequence[Row]
    figures: int
    tied: int
    few: int

    @property
    def held(self) -> bool:
        return all(row.held for row in self.rows) and not self.few


async def run(
    database_url: str,
    policy: Publication,
    ratings: int,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> Results:
    """On an empty database, with so many ratings."""
    await postgres.migrate(database_url, MIGRATIONS)
    pool = await postgres.create_pool(database_url, name="differencing", search_path=SEARCH_PATH)
    try:
        await pool.executemany(
            "INSERT INTO publication VALUES ($1, $2, $3, $4)",
            [(e, policy.officer_batch, policy.officer_hour, policy.suppress_below) for e in EDITIONS],
        )
        await PostgresLedger(pool).checkpoints([0])
        observer = Observer(pool)
        for rating in drawn(ratings, seed):
            await observer.take(rating)
            advance()
        await observer.rest()
    finally:
        await pool.close()
    return _results(observer)


def _results(observer: Observer) -> Results:
    accepted = {number: rating for number, rating in observer.ratings.items() if rating.accepted}
    every = set(accepted)
    rated = defaultdict(set)
    for rating in accepted.values():
        rated[rating.unit, rating.edition].add(rating.officer)
    alone = {number for number, r in accepted.items() if len(rated[r.unit, r.edition]) == 1}

    def row(what: str, sums: Sums, ratings: set[int], *, secret: bool) -> Row:
        solved, unanimous = sums.known()
        return Row(what, len(ratings), len(solved & ratings), len(unanimous & ratings), secret)

    return Results(
        [
            row("from officers' figures, of all officers", observer.of_officers, every, secret=True),
            row("from all figures, of officers alone in their unit", observer.of_all, alone, secret=True),
            row("from all figures, in units of several", observer.of_all, every - alone, secret=False),
        ],
        observer.figures,
        observer.tied,
        observer.few,
    )


def main(
    ratings: Annotated[int, typer.Option(min=1, max=2000, help="How many there are.")] = 300,
    seed: Annotated[int, typer.Option(help="Draws the same ratings again.")] = 7,
    officer_batch: Annotated[int, typer.Option(min=1, help="As an edition's policy.")] = USUAL.officer_batch,
    suppress_below: Annotated[int, typer.Option(min=1, help="The same.")] = USUAL.suppress_below,
) -> None:
    """Read all public figures after every rating and reckon from them; fails where an answer that should be
    secret is certain.

    Without the rule nearly all are: python -m attacks differencing --officer-batch 1 --suppress-below 1
    """
    logs.configure("differencing", level="ERROR")
    policy = Publication(officer_batch=officer_batch, suppress_below=suppress_below)
    columns = (TextColumn("ratings"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as folder, Progress(*columns, console=console) as progress:
        Path(folder).chmod(0o755)  # the database runs as somebody else where we are root
        task = progress.add_task("", total=ratings)
        results = asyncio.run(
            _on_own_database(Path(folder), policy, ratings, seed, lambda: progress.advance(task))
        )
    table = Table(
        "answers",
        "ratings",
        "certain",
        "certain, all of a batch being alike",
        "held",
        title=f"{results.figures} figures",
    )
    for row in results.rows:
        held = ("yes" if row.held else "NO") if row.secret else "not promised"
        table.add_row(row.what, str(row.ratings), str(row.recovered), str(row.unanimous), held)
    console.print(table)
    console.print(f"Items of lists that were of too few, or so few missing from a list: {results.few}.")
    console.print(
        f"Units of several move at once. Of {results.rows[-1].ratings} ratings in them, {results.tied} showed"
        " whose they were by what moved with them; the others tell only one who knew."
    )
    raise typer.Exit(0 if results.held else 1)


async def _on_own_database(
    folder: Path, policy: Publication, ratings: int, seed: int, advance: Callable[[], None]
) -> Results:
    database = Database(
        folder / "data", port=free_ports(1)[0], secrets_directory=folder / "keys", databases=("aggregation",)
    )
    async with database:
        return await run(database.url("aggregation"), policy, ratings, seed, advance)
