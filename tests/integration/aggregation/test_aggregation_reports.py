"""Reports and open data of what a worker has folded: what the log says, over HTTP and from the commands."""

import asyncio
import csv
import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import pypdfium2
import pytest

from contracts import golden
from contracts.envelope import encode
from contracts.events import (
    EditionPublished,
    Outcome,
    Reason,
    Scale,
    ScaleChoice,
    ScaleKind,
    ScaleQuestion,
    Text,
)
from contracts.topics import DIRECTORY, key_of
from services.aggregation.domain import ALL_DAYS, CITY, Level, Measure, Scope, Tally
from services.aggregation.uncertainty import wilson
from tests.support.aggregation import AT_ONCE, Stage
from tests.support.aggregation_process import ROOT, until
from tests.support.outcomes import accepted, rejected

pytestmark = pytest.mark.any_servers

NOON = datetime(2017, 11, 23, 5, tzinfo=UTC)
POINTS = {"in_time": 2, "late": 0}


def nine() -> Scale:
    text = Text(vi="Thời gian", en="Time")
    choices = tuple(ScaleChoice(id=each, text=text, points=points) for each, points in POINTS.items())
    question = ScaleQuestion(id="time", text=text, choices=choices)
    return Scale(id="nine", title=text, kind=ScaleKind.POINTS, questions=(question,))


async def command(stage: Stage, *arguments: str) -> None:
    environment = {**os.environ, "AGGREGATION_DATABASE_URL": stage.database_url}
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.aggregation", *arguments),
        env=environment,
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, wrong = await running.communicate()
    assert (running.returncode, wrong) == (0, b"")


def rated(unit: str, edition: str) -> list[Outcome]:
    """Of two officers on two days."""
    return [
        accepted(
            f"{unit}.{'ab'[n % 2]}",
            unit=unit,
            edition=edition,
            at=NOON + timedelta(days=n % 3 // 2),
            answer="satisfied" if n % 4 else "not_satisfied",
            reasons=["late"] * (n % 4 == 0),
            scales=[("nine", "time", "in_time" if n % 4 else "late")],
        )
        for n in range(24)
    ]


async def test_every_figure_of_a_report_is_the_logs_and_reasons_are_in_the_editions_words(
    stage: Stage, tmp_path: Path
) -> None:
    edition, units = f"e-{uuid4()}", [f"u-{uuid4()}" for _ in range(2)]
    late = Text(vi="Trễ hẹn", en="Late")
    example = next(event for event in golden.EVENTS if isinstance(event, EditionPublished))
    instrument = example.instrument.model_copy(
        update={"reasons": (Reason(id="late", text=late),), "scales": (nine(),)}
    )
    policy = example.policy.model_copy(update={"publication": AT_ONCE})
    event = example.model_copy(update={"edition_id": edition, "instrument": instrument, "policy": policy})
    published = encode(golden.envelope(example)._replace(data=event), key=key_of(event))
    await stage.send_messages([published], DIRECTORY.name)
    await stage.worker()

    async def known() -> bool:
        query = "SELECT count(*) FROM directory.edition_text WHERE edition_id = $1"
        return bool(await stage.database.fetchval(query, edition) == 5)

    await until(known, why="the edition's texts are kept")
    outcomes = [outcome for unit in units for outcome in rated(unit, edition)]
    again = rejected(f"{units[0]}.a", unit=units[0], at=NOON)
    outcomes.append(again.model_copy(update={"edition_id": edition}))
    await stage.send(outcomes)
    await stage.counts_exactly(outcomes)
    api = await stage.api()
    url = f"{api.url}/v1/satisfaction/units/{units[0]}/report"
    async with httpx.AsyncClient(
        params={"edition": edition, "from": "2017-11-23", "to": "2017-11-24"}
    ) as http:
        files = {kind: (await http.get(f"{url}.{kind}")).content for kind in ("csv", "xlsx", "pdf")}
        (further,) = (await http.get(url.replace("report", "scales"))).json()["scales"]

    (time,) = further["questions"]
    assert {each["id"]: each["count"] for each in time["choices"]} == {"in_time": 18, "late": 6}
    assert (further["edition"], further["points"]) == (edition, {"sum": 1.5, "most": 2})
    folded, unit = await stage.folded(), Scope(Level.UNIT, units[0])
    days = [NOON.date() + timedelta(days=n) for n in range(2)]
    wanted = {day: counts(folded, unit, edition, day) for day in days}
    whole = counts(folded, unit, edition)
    rows = list(csv.DictReader(StringIO(files["csv"].decode(), newline="")))
    assert {row["day"]: answers(row) for row in rows if row["table"] == "days"} == {
        str(day): answers(counted) for day, counted in wanted.items()
    }
    (figures,) = [row for row in rows if row["table"] == "figures"]
    assert answers(figures) == answers(whole)
    interval = wilson(whole["satisfied"], whole["satisfied"] + whole["not_satisfied"])
    assert interval is not None
    assert (float(figures["interval_low"]), float(figures["interval_high"])) == interval
    items = {(row["table"], row["text"], row["count"]) for row in rows if row["count"]}
    assert items == {
        ("reasons", late.vi, str(whole["late"])),
        ("channels", "Cổng đánh giá", str(whole["portal"])),
        ("hours", "12:00–12:59", str(whole["12"])),
        ("weekdays", "Thứ Năm", str(whole["4"])),
        ("weekdays", "Thứ Sáu", str(whole["5"])),
        ("assurances", "Mã trong hình hoặc âm thanh", "24"),
        ("funnel", "Đã xử lý", "25"),
        ("funnel", "Được tính", "24"),
        ("funnel", "Không được tính", "1"),
        ("rejections", "Đã đánh giá trước đó", "1"),
    }
    now, before = [row for row in rows if row["table"] == "change"]
    assert answers(now) == answers(whole)
    assert (answers(before), now["difference"]) == ({"satisfied": 0, "not_satisfied": 0}, "")
    ranks = {
        row["id"]: (row["rank_best"], row["rank_worst"], row["rank_of"]) for row in rows if row["rank_of"]
    }
    assert ranks == {f"{units[0]}.a": ("2", "2", "2"), f"{units[0]}.b": ("1", "1", "2")}

    book: Any = openpyxl.load_workbook(BytesIO(files["xlsx"]))
    assert {row[0].date(): row[2:4] for row in book["Theo ngày"].iter_rows(min_row=2, values_only=True)} == {
        day: (counted["satisfied"], counted["not_satisfied"]) for day, counted in wanted.items()
    }
    pages = pypdfium2.PdfDocument(files["pdf"])
    shown = " ".join(" ".join(page.get_textpage().get_text_bounded() for page in pages).split())
    for day, counted in wanted.items():
        total = counted["satisfied"] + counted["not_satisfied"]
        assert f"{day:%d/%m/%Y} {total} {counted['satisfied']} {counted['not_satisfied']} " in shown
    assert f"{late.vi} {whole['late']} 100,0%" in shown

    out = tmp_path / "report.csv"
    asked = [
        "--scope",
        f"unit:{units[0]}",
        "--edition",
        edition,
        "--from",
        "2017-11-23",
        "--to",
        "2017-11-24",
    ]
    await command(stage, "report", *asked, "--format", "csv", "--out", str(out))
    assert out.read_bytes() == files["csv"]

    async with httpx.AsyncClient(base_url=api.url) as http:
        listed = (await http.get("/v1/open-data")).json()["days"]
        opened = {day["day"]: (await http.get(day["href"])).content for day in listed}
    await command(stage, "open-data", "--out", str(tmp_path / "open"), "--from", "2017-11-23")
    assert {file.stem: file.read_bytes() for file in (tmp_path / "open").iterdir()} == opened
    ratings = Counter(
        (rating["unit"], rating["day"], rating["answer"])
        for content in opened.values()
        for rating in map(json.loads, content.splitlines())
    )
    assert ratings == Counter(
        {
            (each, str(day), answer): count
            for each in units
            for day in days
            for answer, count in answers(counts(folded, Scope(Level.UNIT, each), edition, day)).items()
        }
    )
    assert {day["day"]: day["ratings"] for day in listed} == {
        str(day): sum(answers(counts(folded, CITY, edition, day)).values()) for day in days
    }


def counts(folded: dict[Tally, int], scope: Scope, edition: str, day: Any = ALL_DAYS) -> Counter[str]:
    """By item, whatever is measured."""
    return Counter(
        {
            tally.item: count
            for tally, count in folded.items()
            if (tally.scope, tally.edition_id, tally.day) == (scope, edition, day)
            and tally.measure is not Measure.ASSURANCE
        }
    )


def answers(counted: Any) -> dict[str, int]:
    return {answer: int(counted[answer]) for answer in ("satisfied", "not_satisfied")}
