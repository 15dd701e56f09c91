"""A simulated year on the running stack: published, submitted, waited for, and compared."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chassis.kafka import KafkaClient
from contracts.city_time import CITY_TIME
from contracts.events import EditionPublished, OfficerPublished, Text
from deploy.demo.city import City, Different, Shown
from deploy.demo.past import Past, past
from deploy.demo.visits import Officer, Scope, Visit, expected_figures
from deploy.demo.year import DAYS, Merger, Year, plan
from deploy.local import lock
from deploy.local.layout import Layout
from services.intake.adapters import key_files as intake_keys
from services.intake.settings import Settings
from services.verification.adapters.key_files import CHALLENGE_KEY, create_keys, read_key
from services.verification.challenges import Challenges

FEWEST = 2_000
"""So many that every unit's figures can be shown, and compared."""
STILL_SECONDS = 60.0
HEIR = "so-y-te"
LAST = 50  # among units, and among officers
OLD, OLD_NAME = (
    "ban-quan-ly-an-toan-thuc-pham",
    Text(vi="Ban Quản lý An toàn thực phẩm", en="Food Safety Management Board"),
)
STAFF = {"pham-thi-hanh": "Phạm Thị Hạnh", "le-quoc-bao": "Lê Quốc Bảo", "tran-my-linh": "Trần Mỹ Linh"}


async def simulate(count: int, seed: int) -> None:
    """Raises StackError without a running stack, Different where it did not do as it should."""
    layout, chance = Layout(), random.Random(seed)
    urls = lock.running_urls(layout)
    settings = Settings(
        kafka=KafkaClient(bootstrap=urls["kafka"].removeprefix("kafka://")),
        keys_dir=layout.keys / "intake",
    )
    challenges = Challenges(read_key(Path(layout.keys / "verification" / CHALLENGE_KEY)))
    started = time.monotonic()
    async with past(settings, challenges) as log, httpx.AsyncClient(timeout=35) as http:
        edition = await _edition(log, layout)
        merger = await _old_unit(log, edition)
        year = plan(
            count, _desks(log), _reasons(edition), merger=merger, last=edition.closes_on, chance=chance
        )
        await _submit(log, year, merger, edition, chance)
        submitted = time.monotonic()
        city = City(http, urls["intake"], urls["verification"], urls["aggregation"], challenges, "")
        wanted = expected_figures(year.visits)
        await _counted(city, edition, len(year.visits))
        compared = await _compare(city, edition, wanted)
    _print(year, merger, edition, seed)
    done = time.monotonic()
    Console().print(
        f"{count} submitted in {submitted - started:.0f} s, counted and compared in {done - submitted:.0f} s:"
        f" {count / (done - started):.0f} a second. The figures of {compared} of {len(wanted)} scopes are"
        f" those of its ledger."
    )


async def _edition(log: Past, layout: Layout) -> EditionPublished:
    """The past twelve months, up to yesterday: it is over, so that nobody is asked to rate in it."""
    last = datetime.now(CITY_TIME).date() - timedelta(days=1)
    model = log.current.open_editions(last)[0]
    edition_id = f"mo-phong-{last.isoformat()}"
    while edition_id in log.current.editions:
        edition_id += "x"
    intake_keys.create_keys(layout.keys / "intake", edition_id)
    edition = model.model_copy(
        update={
            "edition_id": edition_id,
            "title": Text(
                vi=f"Số liệu mô phỏng, một năm đến ngày {last:%d/%m/%Y}",
                en=f"Simulated figures, the year to {last:%d %B %Y}",
            ),
            "opens_on": last - timedelta(days=DAYS - 1),
            "closes_on": last,
            "sealing_key": create_keys(layout.keys / "verification", edition_id),
        }
    )
    await log.publish(edition)
    return edition


async def _old_unit(log: Past, edition: EditionPublished) -> Merger:
    """Open the unit that will merge; where an earlier year closed it, again."""
    heir = log.current.units[HEIR]
    old = heir.model_copy(update={"unit_id": OLD, "name": OLD_NAME, "position": LAST})
    title = next(each.title for each in log.current.officers.values() if each.unit_id == HEIR)
    day = edition.opens_on + timedelta(days=DAYS // 2)

    def staff(unit: str, since: date | None) -> list[OfficerPublished]:
        return [
            OfficerPublished(
                officer_id=f"{unit}.{id_}",
                unit_id=unit,
                name=name,
                title=title,
                sample=True,
                position=LAST + place,
                active_from=since,
            )
            for place, (id_, name) in enumerate(STAFF.items())
        ]

    moved = staff(HEIR, day)
    await log.publish(old, *staff(old.unit_id, None), *moved)
    return Merger(old.unit_id, HEIR, day, [Officer(o.officer_id, HEIR, heir.group_id) for o in moved])


def _desks(log: Past) -> list[Officer]:
    """Officers who are made up, at units with two or more: no person gets a made-up rating."""
    directory = log.current
    made_up = [
        officer
        for officer in directory.officers.values()
        if officer.sample and officer.active_from is None and officer.unit_id in directory.units
    ]
    at = Counter(officer.unit_id for officer in made_up)
    return [
        Officer(officer.officer_id, officer.unit_id, directory.units[officer.unit_id].group_id)
        for officer in made_up
        if at[officer.unit_id] > 1
    ]


def _reasons(edition: EditionPublished) -> list[str]:
    return [reason.id for reason in edition.instrument.reasons]


async def _submit(
    log: Past, year: Year, merger: Merger, edition: EditionPublished, chance: random.Random
) -> None:
    """The merger is published in its place: before the first rating of its day."""
    columns = (TextColumn("submitting"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    halves: tuple[list[Visit], list[Visit]] = ([], [])
    for visit in year.visits:
        halves[visit.at.astimezone(CITY_TIME).date() >= merger.day].append(visit)
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("ratings", total=len(year.visits))
        await log.submit(halves[0], edition.edition_id, chance, lambda: progress.advance(bar))
        old = log.current.units[merger.old]
        await log.publish(old.model_copy(update={"closed_on": merger.day, "merged_into": merger.heir}))
        await log.submit(halves[1], edition.edition_id, chance, lambda: progress.advance(bar))


async def _counted(city: City, edition: EditionPublished, count: int) -> None:
    """Wait until the city shows as many, decided one way or the other. Raises Different if it
    stands still."""
    columns = (TextColumn("counting  "), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task("ratings", total=count)
        counted, moved = 0, time.monotonic()
        while counted < count:
            shown = await city.figures(("city", ""), edition.edition_id)
            now = sum(n for key, n in shown.counts.items() if key.startswith(("answer:", "rejection:")))
            if now != counted:
                counted, moved = now, time.monotonic()
                progress.update(bar, completed=counted)
            elif time.monotonic() - moved > STILL_SECONDS:
                raise Different(f"{counted} of {count} ratings are counted, and no more for a while")
            else:
                await asyncio.sleep(0.2)


async def _compare(city: City, edition: EditionPublished, wanted: Mapping[Scope, Counter[str]]) -> int:
    """Every figure that is shown of the edition, with the ledger. Returns of how many scopes something is."""
    batch = edition.policy.publication.officer_batch
    compared = 0
    for scope, counts in wanted.items():
        shown = await city.figures(scope, edition.edition_id)
        if complaint := difference(scope, shown, counts, batch):
            raise Different(f"{'/'.join(scope)} {complaint}")
        compared += not shown.suppressed
    return compared


def difference(scope: Scope, shown: Shown, wanted: Counter[str], batch: int) -> str:
    """What is wrong with figures that are of the ledger's ratings alone; empty where nothing is. Officers may
    lag by less than a batch; what is left out is of too few."""
    if shown.suppressed:
        return "" if scope[0] == "officers" else "shows nothing"
    kinds = ("answer",) if scope[0] == "officers" else ("answer", "reason", "channel", "rejection")
    lag = sum(n for key, n in (wanted - shown.counts).items() if key.startswith("answer:"))
    most = batch - 1 if scope[0] == "officers" else 0
    more = {key: n for key, n in (shown.counts - wanted).items() if key.partition(":")[0] in kinds}
    if more or lag > most:
        return f"shows {dict(shown.counts)} where the ledger has {dict(wanted)}"
    for key, n in wanted.items():
        kind = key.partition(":")[0]
        if kind in kinds and shown.counts[key] != n and not most and kind not in shown.left_out:
            return f"shows {shown.counts[key]} × {key} where the ledger has {n}"
    return ""


def _print(year: Year, merger: Merger, edition: EditionPublished, seed: int) -> None:
    table = Table("", f"simulated year {edition.edition_id}")
    ended = Counter(visit.expected for visit in year.visits)
    table.add_row("days", f"{year.first:%d/%m/%Y} to {year.last:%d/%m/%Y}")
    table.add_row("submitted", str(len(year.visits)))
    for outcome, number in sorted(ended.items()):
        table.add_row(outcome if outcome == "accepted" else f"rejected: {outcome}", str(number))
    table.add_row("got better", year.better.id)
    table.add_row("merged", f"{merger.old} into {merger.heir} on {merger.day:%d/%m/%Y}")
    table.add_row("seed", str(seed))
    Console().print(table)
