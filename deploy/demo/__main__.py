"""Posts realistic ratings to the running embedded stack, and checks its figures against its own count."""

import asyncio
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chassis import logs
from deploy.demo.city import City, Different, Shown
from deploy.demo.simulating import FEWEST, simulate
from deploy.demo.visits import Scope, Visit, expected_figures, plan
from deploy.local import lock
from deploy.local.errors import StackError
from deploy.local.layout import Layout
from faults.checking.handled import USUAL_SAMPLE, read_handled
from faults.checking.log import read_log
from faults.checking.pages import check_pages
from services.intake.bootstrap import KafkaAway
from services.verification.adapters.key_files import CHALLENGE_KEY, read_key
from services.verification.challenges import Challenges

app = typer.Typer(add_completion=False, help=__doc__)
Seed = Annotated[int, typer.Option(help="The same seed plans the same visits; 0 draws one.")]
AT_ONCE = 16
FIGURES_SECONDS = 20.0


async def post(city: City, visits: list[Visit]) -> Counter[str]:
    """Post them, second ratings after all first ones; returns how many ended how, as the ledger has it."""
    ended: Counter[str] = Counter()
    gate = asyncio.Semaphore(AT_ONCE)
    columns = (TextColumn("posting"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("ratings", total=len(visits))

        async def one(visit: Visit) -> None:
            async with gate:
                told = await city.rate(visit)
            # Whoever proved no more than reading a picture is told "accepted" for a duplicate as well.
            truth = "accepted" if visit.expected == "duplicate" else visit.expected
            if told != truth:
                raise Different(f"a rating that should end as {truth} ended as {told}")
            ended[visit.expected] += 1
            progress.advance(bar)

        for second in (False, True):
            async with asyncio.TaskGroup() as group:
                for visit in visits:
                    if (visit.expected == "duplicate") is second:
                        group.create_task(one(visit))
    return ended


async def compare(city: City, before: dict[Scope, Shown], added: dict[Scope, Counter[str]]) -> int:
    """Wait until every scope shows what it should; returns how many could be compared.

    Raises Different where one does not in time. What was suppressed before cannot be compared.
    """
    publication = city.edition["policy"]["publication"]
    units = sum(scope[0] == "units" for scope in added)
    compared = [scope for scope in added if not before[scope].suppressed]
    until = time.monotonic() + FIGURES_SECONDS
    while True:
        shown = {scope: await city.figures(scope, city.edition["id"]) for scope in compared}
        wrong = [
            f"{'/'.join(scope)}: {complaint}"
            for scope in compared
            if (
                complaint := flaw(
                    scope, shown[scope], before[scope].counts + added[scope], publication, units
                )
            )
        ]
        if not wrong:
            return len(compared)
        if time.monotonic() > until:
            raise Different(f"{len(wrong)} of {len(compared)} scopes differ; {wrong[0]}")
        await asyncio.sleep(0.1)


def flaw(scope: Scope, shown: Shown, wanted: Counter[str], publication: dict[str, int], units: int) -> str:
    """What is wrong with figures under the edition's rule of publication; empty where nothing is.

    Units and above show all at once, and what was held back of a unit when one officer alone was rated.
    Officers may lag by less than a batch, or show as many that were held back before. What is of too few is
    not shown.
    """
    answers = [key for key in wanted if key.startswith("answer:")]
    total = sum(wanted[key] for key in answers)
    if shown.suppressed:
        few = scope[0] == "officers" or total < 2 * publication["suppress_below"]
        return "" if few else f"nothing is shown where the ledger has {total}"
    lag = total - sum(shown.counts[key] for key in answers)
    less_than_a_batch = publication["officer_batch"] - 1
    most = less_than_a_batch if scope[0] == "officers" else 0
    held_back = less_than_a_batch * (1 if scope[0] in ("officers", "units") else units)
    if not -held_back <= lag <= most:
        return f"shows {dict(shown.counts)} where the ledger has {dict(wanted)}"
    for key in wanted.keys() - set(answers):
        measure = key.partition(":")[0]
        if shown.counts[key] < wanted[key] and measure not in shown.left_out and not most:
            return f"shows {shown.counts[key]} × {key} where the ledger has {wanted[key]}"
    return ""


async def demonstrate(count: int, seed: int) -> Counter[str]:
    """Raises StackError without a running stack, Different where it did not do as it should."""
    urls = lock.running_urls(Layout())
    key = read_key(Path(Layout().keys / "verification" / CHALLENGE_KEY))
    portal_key = Layout().portal_key.read_text().strip()
    async with httpx.AsyncClient(timeout=35, limits=httpx.Limits(max_connections=AT_ONCE)) as http:
        apis = (urls["intake"], urls["verification"], urls["aggregation"])
        city = City(http, *apis, Challenges(key), portal_key)
        city.edition = await city.get(f"{city.intake}/v1/edition")
        visits = plan(count, await city.officers(), city.edition, random.Random(seed))
        added = expected_figures(visits)
        before = {scope: await city.figures(scope, city.edition["id"]) for scope in added}
        ended = await post(city, visits)
        compared = await compare(city, before, added)
    Console().print(_table(ended, visits))
    Console().print(f"The figures of {compared} of {len(added)} scopes moved by that. Seed {seed}.")
    return ended


def _table(ended: Counter[str], visits: list[Visit]) -> Table:
    table = Table("outcome", "ratings")
    table.columns[1].justify = "right"
    table.add_row("submitted", str(len(visits)))
    table.add_row(
        "of them sent twice under one key", str(sum(v.sent_twice for v in visits)), end_section=True
    )
    for outcome, number in sorted(ended.items()):
        table.add_row(outcome if outcome == "accepted" else f"rejected: {outcome}", str(number))
    return table


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    ratings: Annotated[int, typer.Option(min=1, help="How many ratings to post.")] = 200,
    seed: Seed = 0,
) -> None:
    """Post realistic ratings to the stack that `make run` started, and check its figures.

    Nothing else may post meanwhile. Example: python -m deploy.demo --ratings 200 --seed 7
    """
    if context.invoked_subcommand is None:
        _run(demonstrate(ratings, seed or secrets.randbelow(1_000_000)))


@app.command()
def year(
    ratings: Annotated[int, typer.Option(min=FEWEST, help="How many ratings the year has.")] = 20_000,
    seed: Seed = 0,
) -> None:
    """Simulate the past twelve months on the stack that `make run` started, and check its figures.

    The ratings go to the log with the times that they would have had, in an edition of their own, and are
    decided and counted like all others. Example: python -m deploy.demo year --ratings 20000 --seed 7
    """
    logs.configure("simulation", level="CRITICAL")
    _run(simulate(ratings, seed or secrets.randbelow(1_000_000)))


@app.command()
def check(
    files_handled: Annotated[
        Path | None,
        typer.Option(envvar="AGGREGATION_FILES_HANDLED_FILE", help="What the running service was given."),
    ] = None,
    required_sample: Annotated[
        str, typer.Option(envvar="AGGREGATION_REQUIRED_SAMPLE", help="The same.")
    ] = USUAL_SAMPLE,
) -> None:
    """Recompute every figure on five dashboard pages, a workbook and a PDF from the log alone.

    How many files offices handled is not in the log: without the service's file no response is expected.
    Example: python -m deploy.demo check
    """
    _run(check_figures(files_handled, required_sample))


async def check_figures(files_handled: Path | None, required_sample: str) -> None:
    urls = lock.running_urls(Layout())
    handled = read_handled(files_handled, required_sample)
    log = await read_log(urls["kafka"].removeprefix("kafka://"), handled)
    report = check_pages(urls["aggregation"], log)
    try:
        from faults.checking.files import check_files  # noqa: PLC0415  what opens files is for development
    except ModuleNotFoundError as missing:
        Console().print(f"Reports are not opened: there is no {missing.name} (make lint installs it).")
    else:
        check_files(urls["aggregation"], log, report)
    if report.wrong:
        raise Different(f"{len(report.wrong)} of {report.figures} figures differ; {report.wrong[0]}")
    Console().print(
        f"{report.figures} figures on {len(report.pages)} pages and in their files are those of the log"
        f" (ties leave {report.either} open): {', '.join(report.pages)}."
    )


def _run(work: Coroutine[Any, Any, object]) -> None:
    try:
        asyncio.run(work)
    except StackError as error:
        sys.exit(str(error))
    except (httpx.HTTPError, KafkaAway, KafkaError, TimeoutError) as error:
        sys.exit(f"The stack does not answer as it should: {error!r}. Logs: {Layout().logs}")
    except Different as error:
        sys.exit(f"Not as it should be: {error}.")
    except BaseExceptionGroup as group:
        sys.exit(f"Not as it should be: {group.exceptions[0]!r}.")


if __name__ == "__main__":
    app()
