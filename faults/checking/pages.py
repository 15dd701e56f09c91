"""Dashboard pages against the log: every figure that the API gives for one, reckoned from outcomes alone."""

import json
import math
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from faults.checking.published import CITY, NONE, Edition, Public, Range, Rules, Scope
from faults.checking.reading import Record, read

Json = dict[str, Any]
PATHS = {"officer": "officers", "unit": "units", "group": "groups"}
LISTS = {
    "reasons": ("reason", "id"),
    "rejected": ("rejection", "reason"),
    "channels": ("channel", "id"),
    "assurances": ("assurance", "id"),
    "hours": ("hour", "id"),
    "weekdays": ("weekday", "id"),
}
Z = 1.959963984540054


@dataclass(slots=True)
class Report:
    """`wrong`: what the pages show otherwise than the log. `either`: figures that a tie leaves open."""

    pages: list[str] = field(default_factory=list)
    figures: int = 0
    either: int = 0
    wrong: list[str] = field(default_factory=list)

    def compare(self, place: str, shown: float | None, wanted: Range) -> None:
        self.figures += 1
        self.either += wanted[0] != wanted[1]
        if not wanted[0] <= (shown or 0) <= wanted[1]:
            self.wrong.append(f"{place} shows {shown}, the log says {_text(wanted)}")

    def expect(self, place: str, shown: object, wanted: object) -> None:
        """What must be as wanted; None: a tie leaves it open."""
        self.figures += 1
        self.either += wanted is None
        if wanted is not None and shown != wanted:
            self.wrong.append(f"{place} is {shown}, the log says {wanted}")


@dataclass(frozen=True, slots=True)
class Log:
    """All outcomes, and what is public of them now."""

    outcomes: Sequence[Record]
    editions: Sequence[Edition]

    def of(self, scope: Scope) -> Public:
        return _together(each.of(scope) for each in self.editions)

    def days(self, scope: Scope) -> dict[date, Public]:
        found: dict[date, Public] = {}
        for edition in self.editions:
            for day, part in edition.days(scope).items():
                found.setdefault(day, Public()).add(part)
        return found

    def most_rated(self, level: str) -> list[str]:
        return [name for name, _ in Counter(each.data[f"{level}_id"] for each in self.outcomes).most_common()]


async def read_log(bootstrap: str) -> Log:
    outcomes = sorted(
        (await read(bootstrap, "rating-outcomes")).records, key=lambda r: (r.partition, r.offset)
    )
    rules = _rules((await read(bootstrap, "directory")).records)
    by_edition: dict[str, list[Record]] = {}
    for record in outcomes:
        by_edition.setdefault(record.data["edition_id"], []).append(record)
    now = datetime.now(UTC)
    return Log(
        outcomes, [Edition(theirs, rules.get(name, Rules()), now) for name, theirs in by_edition.items()]
    )


def check_pages(api: str, log: Log) -> Report:
    """Five pages, as they are now: the city, its largest group, two units and the officer rated most."""
    report = Report()
    for scope in _chosen(log):
        _page(api, scope, log, report)
    return report


def _rules(directory: Iterable[Record]) -> dict[str, Rules]:
    """A batch stays what it was when the edition was first published; the rest is as it was last."""
    found: dict[str, Rules] = {}
    for record in directory:
        if record.key.startswith("edition:") and record.data:
            said, name = record.data["policy"]["publication"], record.data["edition_id"]
            batch = found[name].batch if name in found else said["officer_batch"]
            found[name] = Rules(batch, said["officer_hour"], said["suppress_below"])
    return found


def _chosen(log: Log) -> list[Scope]:
    units = log.most_rated("unit")
    chosen = [CITY, *(("group", name) for name in log.most_rated("group")[:1])]
    chosen += [("unit", name) for name in dict.fromkeys([*units[:1], *units[len(units) // 2 :][:1]])]
    return chosen + [("officer", name) for name in log.most_rated("officer")[:1]]


def _page(api: str, scope: Scope, log: Log, report: Report) -> None:
    path = "city" if scope == CITY else f"{PATHS[scope[0]]}/{urllib.parse.quote(scope[1])}"
    report.pages.append(path)
    address = f"{api}/v1/satisfaction/{path}"
    shown, public = _get(address), log.of(scope)
    compare_share(path, shown, public, report)
    for name, (measure, key) in LISTS.items():
        counts = {each[key]: each["count"] for each in shown[name]}
        known = {item for kind, item in public.counts if kind == measure}
        for item in sorted(counts.keys() | known):
            wanted = public.counts.get((measure, item), NONE)
            report.compare(f"{path} {measure} {item}", counts.get(item), wanted)
        report.expect(
            f"{path} {measure} left out", measure in shown["left_out"], public.left_out.get(measure, False)
        )
    days = log.days(scope)
    usual = Public(hidden=scope[0] == "officer")
    for day_shown in _get(f"{address}/history")["days"]:
        day = date.fromisoformat(day_shown["day"])
        compare_share(f"{path} {day}", day_shown, days.get(day, usual), report)
    if scope[0] != "officer":
        for child in _get(f"{address}/children")["children"]:
            below = child["scope"]["level"], child["scope"]["id"]
            compare_share(f"{path} > {below[1]}", child, log.of(below), report)


def compare_share(place: str, shown: Json, public: Public, report: Report) -> None:
    satisfied, not_satisfied = (
        public.counts.get(("answer", answer), NONE) for answer in ("satisfied", "not_satisfied")
    )
    total = satisfied[0] + not_satisfied[0], satisfied[1] + not_satisfied[1]
    report.compare(f"{place} satisfied", shown["satisfied"], satisfied)
    report.compare(f"{place} not satisfied", shown["not_satisfied"], not_satisfied)
    report.compare(f"{place} total", shown["total"], total)
    sure = total[0] == total[1]
    report.expect(f"{place} partial", shown["partial"], public.hidden)
    report.expect(
        f"{place} suppressed", shown["suppressed"], public.hidden and not total[1] if sure else None
    )
    if not sure:
        return
    low, high = _wilson(satisfied[0], total[0]) if total[0] else (None, None)
    interval = shown["interval"] or {"low": None, "high": None}
    rate = satisfied[0] / total[0] if total[0] else None
    for name, said, wanted in (
        ("rate", shown["rate"], rate),
        ("low", interval["low"], low),
        ("high", interval["high"], high),
    ):
        alike = said is wanted is None or math.isclose(said or 0, wanted or 0, abs_tol=1e-9)
        report.expect(f"{place} {name} {said} as {wanted}", alike, True)


def _together(parts: Iterable[Public]) -> Public:
    whole = Public()
    for part in parts:
        whole.add(part)
    return whole


def _wilson(satisfied: int, total: int) -> tuple[float, float]:
    """The roots of (p - share)² = z² p (1 - p) / total."""
    a, b, c = 1 + Z**2 / total, -(2 * satisfied + Z**2) / total, (satisfied / total) ** 2
    root = math.sqrt(max(0.0, b * b - 4 * a * c))
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def _text(wanted: Range) -> str:
    return str(wanted[0]) if wanted[0] == wanted[1] else f"{wanted[0]} to {wanted[1]}"


def _get(url: str) -> Json:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own process
        return dict(json.load(answer))
