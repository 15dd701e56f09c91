"""Read models are the fold of the log, to the last counter: folded here anew, by other code."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from faults.checking.findings import Findings, Wrong
from faults.checking.reading import Record, Topic

FOREVER = date.max  # as asyncpg gives PostgreSQL's 'infinity'
CITY_HOURS = timedelta(hours=7)
Row = tuple[str, str, date, str, str, str]


@dataclass(frozen=True, slots=True)
class Model:
    """The tables of one database, all at one moment."""

    checkpoints: dict[int, int]
    tallies: dict[Row, int]
    counted: set[str]
    parents: dict[tuple[str, str], str | None]


async def read_model(url: str) -> Model:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            checkpoints = await connection.fetch(
                "SELECT partition, next_offset FROM read_models.checkpoint WHERE topic = 'rating-outcomes'"
            )
            tallies = await connection.fetch(
                "SELECT level, scope_id, day, edition_id, measure, item, count FROM read_models.tally"
            )
            counted = await connection.fetch(
                "SELECT submission_id::text AS id FROM read_models.counted_submission"
            )
            scopes = await connection.fetch("SELECT level, id, parent_id FROM read_models.scope")
    finally:
        await connection.close()
    return Model(
        {row["partition"]: row["next_offset"] for row in checkpoints},
        {tuple(row)[:6]: row["count"] for row in tallies},
        {row["id"] for row in counted},
        {(row["level"], row["id"]): row["parent_id"] for row in scopes},
    )


def fold(outcomes: Iterable[Record]) -> tuple[Counter[Row], set[str], dict[tuple[str, str], str | None]]:
    """Tallies, submissions counted, and each scope's parent, from the outcomes in any order."""
    tallies: Counter[Row] = Counter()
    counted: set[str] = set()
    parents: dict[tuple[str, str], str | None] = {}
    for record in outcomes:
        said = record.data
        if said["submission_id"] in counted:
            continue
        counted.add(said["submission_id"])
        if record.type == "rating-accepted":
            items = [("answer", said["answer"]), ("channel", said["channel"])]
            items += [("assurance", said["assurance"]), *(("reason", each) for each in set(said["reasons"]))]
        else:
            items = [("rejection", said["reason"])]
        day = (datetime.fromisoformat(said["submitted_at"]) + CITY_HOURS).date()
        chain = [("officer", said["officer_id"]), ("unit", said["unit_id"]), ("group", said["group_id"])]
        chain.append(("city", "city"))
        for place, (level, scope) in enumerate(chain):
            parents[level, scope] = chain[place + 1][1] if place + 1 < len(chain) else None
            for measure, item in items:
                for when, edition in (
                    (day, said["edition_id"]),
                    (FOREVER, said["edition_id"]),
                    (FOREVER, "*"),
                ):
                    tallies[level, scope, when, edition, measure, item] += 1
    return tallies, counted, parents


def check_model(model: Model, outcomes: Topic, findings: Findings, *, name: str) -> None:
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
    tallies, counted, parents = fold(r for r in outcomes.records if (r.partition, r.offset) not in passed)
    for row in sorted(tallies.keys() | model.tallies.keys()):
        if tallies[row] != model.tallies.get(row, 0):
            text = f"{name}: {row} is {model.tallies.get(row, 0)}, the log says {tallies[row]}"
            findings.add(Wrong.FIGURES, text, of=name)
    if counted != model.counted:
        missing, more = len(counted - model.counted), len(model.counted - counted)
        text = f"{name}: {missing} submissions not counted, {more} counted that are not there"
        findings.add(Wrong.FIGURES, text, of="submissions")
    if parents != model.parents:
        findings.add(Wrong.FIGURES, f"{name}: the scopes are not those of the log")


def check_api(base: str, model: Model, findings: Findings) -> None:
    """What the public API shows of every scope and edition is what the tables hold."""
    editions = {row[3] for row in model.tallies}
    paths = {"officer": "officers", "unit": "units", "group": "groups"}
    for level, scope in model.parents:
        if level == "officer":
            continue  # published by their own policy
        path = "city" if level == "city" else f"{paths[level]}/{scope}"
        for edition in sorted(editions):
            shown = _get(f"{base}/v1/satisfaction/{path}", {} if edition == "*" else {"edition": edition})
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
