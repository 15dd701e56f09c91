"""Read models are the fold of the log, to the last counter: folded here anew, by other code."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from faults.checking.findings import Findings, Wrong
from faults.checking.reading import Record, Topic

FOREVER = date.max  # as asyncpg gives PostgreSQL's 'infinity'
USUAL_BATCH, LEAST_BY_MORNING = 5, 3
CITY_HOURS = timedelta(hours=7)
Row = tuple[str, str, date, str, str, str]
Answer = tuple[str, str, str, str, str]  # unit, edition, scale, question, choice
WITHDRAWN = " withdrawn"


@dataclass(frozen=True, slots=True)
class Model:
    """The tables of one database, all at one moment."""

    checkpoints: dict[int, int]
    tallies: dict[Row, int]
    released: dict[Row, int]
    counted: set[str]
    parents: dict[tuple[str, str], str | None]
    scales: dict[Answer, int]


async def read_model(url: str) -> Model:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            checkpoints = await connection.fetch(
                "SELECT partition, next_offset FROM read_models.checkpoint WHERE topic = 'rating-outcomes'"
            )
            tallies = await connection.fetch(
                "SELECT level, scope_id, day, edition_id, measure, item, count, released"
                " FROM read_models.tally"
            )
            counted = await connection.fetch(
                "SELECT submission_id::text AS id FROM read_models.counted_submission"
                " UNION ALL SELECT submission_id::text || ' withdrawn' FROM read_models.withdrawn_submission"
            )
            scopes = await connection.fetch("SELECT level, id, parent_id FROM read_models.scope")
            scales = await connection.fetch(
                "SELECT unit_id, edition_id, scale, question, choice, count FROM read_models.scale_tally"
            )
    finally:
        await connection.close()
    return Model(
        {row["partition"]: row["next_offset"] for row in checkpoints},
        {tuple(row)[:6]: row["count"] for row in tallies},
        {tuple(row)[:6]: row["released"] for row in tallies if row["released"]},
        {row["id"] for row in counted},
        {(row["level"], row["id"]): row["parent_id"] for row in scopes},
        {tuple(row)[:5]: row["count"] for row in scales},
    )


def fold(outcomes: Iterable[Record]) -> tuple[Counter[Row], set[str], dict[tuple[str, str], str | None]]:
    """Tallies, submissions counted, and each scope's parent, from the outcomes in any order."""
    tallies: Counter[Row] = Counter()
    counted: set[str] = set()
    parents: dict[tuple[str, str], str | None] = {}
    for record in outcomes:
        said = record.data
        if once(record) in counted:
            continue
        counted.add(once(record))
        counts, day = items(record), city_day(said["submitted_at"])
        chain = [("officer", said["officer_id"]), ("unit", said["unit_id"]), ("group", said["group_id"])]
        chain.append(("city", "city"))
        for place, (level, scope) in enumerate(chain):
            parents[level, scope] = chain[place + 1][1] if place + 1 < len(chain) else None
            for measure, item in counts:
                for when, edition in (
                    (day, said["edition_id"]),
                    (FOREVER, said["edition_id"]),
                    (FOREVER, "*"),
                ):
                    tallies[level, scope, when, edition, measure, item] += sign(record)
    return tallies, counted, parents


def fold_scales(outcomes: Iterable[Record]) -> Counter[Answer]:
    """The answers to further questions, of units."""
    found: Counter[Answer] = Counter()
    seen: set[str] = set()
    for record in outcomes:
        said = record.data
        if once(record) not in seen:
            for each in said.get("scale_answers", ()):  # a rejection has none, nor had ratings before 1.1
                key = said["unit_id"], said["edition_id"], each["scale"], each["question"], each["choice"]
                found[key] += sign(record)
        seen.add(once(record))
    return found


def once(record: Record) -> str:
    """What of a submission counts once: its outcome, and its withdrawal."""
    return str(record.data["submission_id"]) + (WITHDRAWN if record.type == "rating-withdrawn" else "")


def sign(record: Record) -> int:
    return -1 if record.type == "rating-withdrawn" else 1


def items(record: Record) -> list[tuple[str, str]]:
    said = record.data
    if record.type == "rating-rejected":
        return [("rejection", said["reason"])]
    items = [("answer", said["answer"]), ("channel", said["channel"]), ("assurance", said["assurance"])]
    submitted = datetime.fromisoformat(said["submitted_at"]) + CITY_HOURS
    items += [("hour", submitted.strftime("%H")), ("weekday", submitted.strftime("%u"))]
    return items + [("reason", each) for each in set(said["reasons"])]


def city_day(moment: str) -> date:
    return (datetime.fromisoformat(moment) + CITY_HOURS).date()


def release(outcomes: Iterable[Record], batches: dict[str, int]) -> Counter[Row]:
    """What of officers' tallies is released, from outcomes in the order of each partition."""
    released: Counter[Row] = Counter()
    for record in parted(outcomes, batches)[0]:
        said = record.data
        for measure, item in items(record):
            for when in (city_day(said["submitted_at"]), FOREVER):
                released["officer", said["officer_id"], when, said["edition_id"], measure, item] += sign(
                    record
                )
    return released


def parted(
    outcomes: Iterable[Record], batches: dict[str, int]
) -> tuple[list[Record], dict[tuple[str, str], list[Record]]]:
    """What is released, and what waits, by officer and edition: a batch goes when it is full, and what waits
    from an earlier day (three at least) before anything decided later. Accepted and withdrawn ratings make up
    for each other, and whichever is more has to be enough."""
    released: list[Record] = []
    waiting: dict[tuple[str, str], list[Record]] = defaultdict(list)
    seen: set[str] = set()
    for record in outcomes:
        said = record.data
        if once(record) in seen:
            continue
        seen.add(once(record))
        batch = batches.get(said["edition_id"], USUAL_BATCH)
        queue = waiting[said["officer_id"], said["edition_id"]]
        moves = moving(queue)
        if abs(net(moves)) >= min(LEAST_BY_MORNING, batch) and max(
            city_day(each.data["decided_at"]) for each in moves
        ) < city_day(said["decided_at"]):
            released += queue
            queue.clear()
        queue.append(record)
        if abs(net(moving(queue))) >= batch:
            released += queue
            queue.clear()
    return released, waiting


def moving(queue: Iterable[Record]) -> list[Record]:
    return [each for each in queue if each.type != "rating-rejected"]


def net(moves: Iterable[Record]) -> int:
    return sum(map(sign, moves))


def check_model(
    model: Model, outcomes: Topic, batches: dict[str, int], findings: Findings, *, name: str
) -> None:
    """Compare at the model's checkpoints; what lies behind them is not counted yet, or lost."""
    for partition, checkpoint in model.checkpoints.items():
        if checkpoint > outcomes.high[partition]:
            findings.add(
                Wrong.CHECKPOINT,
                f"{name}: {partition} is at {checkpoint}, the log ends at {outcomes.high[partition]}",
            )
    behind = [r for r in outcomes.records if r.offset >= model.checkpoints.get(r.partition, 0)]
    if behind:
        findings.add(Wrong.LOST, f"{name}: {len(behind)} outcomes are not counted", of=name)
    passed = {(r.partition, r.offset) for r in behind}
    reached = [r for r in outcomes.records if (r.partition, r.offset) not in passed]
    tallies, counted, parents = fold(reached)
    for row in sorted(tallies.keys() | model.tallies.keys()):
        if tallies[row] != model.tallies.get(row, 0):
            text = f"{name}: {row} is {model.tallies.get(row, 0)}, the log says {tallies[row]}"
            findings.add(Wrong.FIGURES, text, of=name)
    scales = fold_scales(reached)
    for answer in sorted(scales.keys() | model.scales.keys()):
        if scales[answer] != model.scales.get(answer, 0):
            text = f"{name}: {answer} is {model.scales.get(answer, 0)}, the log says {scales[answer]}"
            findings.add(Wrong.FIGURES, text, of=name)
    released = release(sorted(reached, key=lambda r: (r.partition, r.offset)), batches)
    for row in sorted(released.keys() | model.released.keys()):
        if released[row] != model.released.get(row, 0):
            text = f"{name}: {row} has {model.released.get(row, 0)} released, the log says {released[row]}"
            findings.add(Wrong.FIGURES, text, of=name)
    if counted != model.counted:
        missing, more = len(counted - model.counted), len(model.counted - counted)
        text = f"{name}: {missing} submissions not counted, {more} counted that are not there"
        findings.add(Wrong.FIGURES, text, of="submissions")
    if parents != model.parents:
        findings.add(Wrong.FIGURES, f"{name}: the scopes are not those of the log")


def check_api(base: str, model: Model, batches: dict[str, int], findings: Findings) -> None:
    """What the public API shows of every scope is what the tables hold, of editions that show all at once."""
    editions = {row[3] for row in model.tallies if batches.get(row[3]) == 1}
    paths = {"officer": "officers", "unit": "units", "group": "groups"}
    for level, scope in model.parents:
        path = "city" if level == "city" else f"{paths[level]}/{scope}"
        for edition in sorted(editions):
            shown = _get(f"{base}/v1/satisfaction/{path}", {"edition": edition})
            answers = {
                item: model.tallies.get((level, scope, FOREVER, edition, "answer", item), 0)
                for item in ("satisfied", "not_satisfied")
            }
            if {item: shown.get(item) for item in answers} != answers:
                findings.add(Wrong.FIGURES, f"API: {path} {edition} shows {shown}, the table has {answers}")


def _get(url: str, parameters: dict[str, str]) -> dict[str, Any]:
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    try:
        with urllib.request.urlopen(url + query, timeout=10) as answer:  # noqa: S310  our own process
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return {"status": error.code}
