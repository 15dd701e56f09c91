"""Fuzz every service by its OpenAPI document, on real servers: python -m tests.fuzzing --cases 10000"""

import asyncio
import secrets
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.local.layout import Layout
from tests.fuzzing.city import SERVICES, THE_WHOLE_WAY, WITH_A_CODE, fuzz_all
from tests.fuzzing.running import Fuzzed
from tests.support import stack
from tests.support.system import a_system

console = Console(highlight=False)


def main(
    cases: Annotated[int, typer.Option(help="Cases in all, at least.", min=100)] = 10_000,
    seed: Annotated[int, typer.Option(help="Draws the same requests again; 0 draws a new one.", min=0)] = 0,
    minutes: Annotated[float, typer.Option(help="Give up on a service after this long.")] = 20,
) -> None:
    """Send requests that nobody would think of; fail on an answer that no document names.

    Example: python -m tests.fuzzing --cases 2000 --seed 17
    """
    chosen = seed or secrets.randbelow(10**6) + 1
    console.print(f"seed {chosen}; the same again: make fuzz SEED={chosen} CASES={cases}")
    results = asyncio.run(_on_a_system(cases, chosen, 60 * minutes))
    for result in results:
        for failure in result.failures:
            console.print(f"\n[red]{result.name}[/] {failure}", markup=True)
    for result in results:
        console.print(f"{result.name} answered {_statuses(result)}")
    console.print(_table(results))
    tried = sum(result.cases for result in results)
    if tried < cases:
        console.print(f"Only {tried} cases of {cases}.")
    raise typer.Exit(1 if tried < cases or any(result.failures for result in results) else 0)


async def _on_a_system(cases: int, seed: int, seconds: float) -> list[Fuzzed]:
    each = cases // len(SERVICES) + 1  # the whole way, where there is little to vary, comes on top
    with tempfile.TemporaryDirectory(prefix="fuzzing-", dir=_scratch()) as name:
        folder = Path(name)
        async with (
            stack.kafka_server("embedded", folder / "kafka") as kafka,
            stack.postgres_server("embedded", folder / "postgres") as postgres,
            a_system(folder / "local", kafka.bootstrap, postgres.url) as system,
        ):
            await system.publish(WITH_A_CODE, alone=False, verification="captcha_and_phone")
            with _progress() as progress:
                tasks = {
                    name: progress.add_task(name, total=each, start=False)
                    for name in (*SERVICES, THE_WHOLE_WAY)
                }

                def told(name: str, tried: int) -> None:
                    progress.start_task(tasks[name])
                    progress.update(tasks[name], completed=tried, total=max(each, tried))

                work = fuzz_all(system, cases=each, seed=seed, seconds=seconds, told=told)
                return await asyncio.to_thread(list, work)


def _scratch() -> Path:
    Layout().root.mkdir(exist_ok=True)
    return Layout().root


def _progress() -> Progress:
    columns = (TextColumn("{task.description:<14}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not console.is_terminal)


def _table(results: list[Fuzzed]) -> Table:
    table = Table(title=f"seed {results[0].seed}")
    for name in ("service", "cases", "sequences", "operations", "checks", "failures", "seconds"):
        table.add_column(name, justify="left" if name == "service" else "right", no_wrap=True)
    for each in results:
        figures = (each.cases, each.sequences, each.operations, each.checks, len(each.failures))
        table.add_row(each.name, *map(str, figures), f"{each.seconds:.0f}")
    return table


def _statuses(result: Fuzzed) -> str:
    statuses: Counter[int] = Counter()
    for (_, status), times in result.answers.items():
        statuses[status] += times
    return ", ".join(f"{times} × {status}" for status, times in sorted(statuses.items()))


if __name__ == "__main__":
    typer.run(main)
