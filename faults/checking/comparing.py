"""Figures that are shown beside what the log says: reckoned from public counts, by other code.

What is shown comes as the API's documents say it; files are read into the same form.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from faults.checking.log import Log, together
from faults.checking.published import NONE, Public, Range, Scope

Json = Mapping[str, Any]
Z = 1.959963984540054
ALIKE = 1e-9


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

    def near(self, place: str, shown: float | None, wanted: float | None) -> None:
        """A number that is reckoned."""
        alike = shown is wanted is None or (
            None not in (shown, wanted) and math.isclose(shown or 0, wanted or 0, abs_tol=ALIKE)
        )
        self.expect(f"{place} {shown} as {wanted}", alike, True)


@dataclass(frozen=True, slots=True)
class Answered:
    """Of one scope, where no tie leaves it open."""

    satisfied: int
    total: int

    @property
    def rate(self) -> float | None:
        return self.satisfied / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's: the roots of (p - share)² = z² p (1 - p) / total."""
        if not self.total:
            return None
        satisfied, total = self.satisfied, self.total
        a, b, c = 1 + Z**2 / total, -(2 * satisfied + Z**2) / total, (satisfied / total) ** 2
        root = math.sqrt(max(0.0, b * b - 4 * a * c))
        return (-b - root) / (2 * a), (-b + root) / (2 * a)


def answered(public: Public) -> Answered | None:
    satisfied, total = _answers(public)
    return Answered(satisfied[0], total[0]) if satisfied[0] == satisfied[1] and total[0] == total[1] else None


def suppressed(public: Public) -> bool | None:
    _, total = _answers(public)
    return public.hidden and not total[1] if total[0] == total[1] else None


def _answers(public: Public) -> tuple[Range, Range]:
    """Satisfied, and all."""
    yes, no = (public.counts.get(("answer", answer), NONE) for answer in ("satisfied", "not_satisfied"))
    return yes, (yes[0] + no[0], yes[1] + no[1])


def difference(now: Answered, before: Answered) -> tuple[float, float, float] | None:
    """Of the rates, with Newcombe's interval: squared and added are the distances of the rates to the limits
    that lie towards each other."""
    if now.rate is None or before.rate is None or now.interval is None or before.interval is None:
        return None
    apart = now.rate - before.rate
    down = math.dist((now.rate, before.rate), (now.interval[0], before.interval[1]))
    up = math.dist((now.rate, before.rate), (now.interval[1], before.interval[0]))
    return apart, apart - down, apart + up


def ranks(siblings: Mapping[Scope, Public]) -> dict[Scope, tuple[int, int, int] | None] | None:
    """The best and the worst place of each, of so many that have figures; None: a tie leaves them open."""
    sure = {scope: answered(public) for scope, public in siblings.items()}
    if None in sure.values():
        return None
    intervals = {scope: each.interval for scope, each in sure.items() if each is not None}
    lows = sorted(interval[0] for interval in intervals.values() if interval)
    highs = sorted(interval[1] for interval in intervals.values() if interval)
    return {
        scope: interval
        and (
            1 + len(lows) - bisect_right(lows, interval[1] + ALIKE),
            len(highs) - bisect_left(highs, interval[0] - ALIKE),
            len(highs),
        )
        for scope, interval in intervals.items()
    }


def compare_share(place: str, shown: Json, public: Public, report: Report) -> None:
    satisfied, total = _answers(public)
    not_satisfied = public.counts.get(("answer", "not_satisfied"), NONE)
    report.compare(f"{place} satisfied", shown["satisfied"], satisfied)
    report.compare(f"{place} not satisfied", shown["not_satisfied"], not_satisfied)
    report.compare(f"{place} total", shown["total"], total)
    report.expect(f"{place} partial", shown["partial"], public.hidden)
    report.expect(f"{place} suppressed", shown["suppressed"], suppressed(public))
    sure = answered(public)
    if sure is not None:
        interval = shown["interval"] or {"low": None, "high": None}
        low, high = sure.interval or (None, None)
        report.near(f"{place} rate", shown["rate"], sure.rate)
        report.near(f"{place} low", interval["low"], low)
        report.near(f"{place} high", interval["high"], high)


def compare_items(
    place: str, measure: str, shown: Mapping[str, int], public: Public, report: Report, *, left_out: bool
) -> None:
    """`left_out`: whether it is said that some are."""
    known = {item for kind, item in public.counts if kind == measure}
    for item in sorted(shown.keys() | known):
        wanted = public.counts.get((measure, item), NONE)
        report.compare(f"{place} {measure} {item}", shown.get(item), wanted)
    report.expect(f"{place} {measure} left out", left_out, public.left_out.get(measure, False))


def compare_funnel(place: str, shown: Json, public: Public, report: Report) -> None:
    _, accepted = _answers(public)
    reasons = [wanted for (kind, _), wanted in public.counts.items() if kind == "rejection"]
    rejected = sum(low for low, _ in reasons), sum(high for _, high in reasons)
    hidden, left_out = suppressed(public), public.left_out.get("rejection", False)
    complete = False if hidden else None if hidden is None or left_out is None else not left_out
    report.expect(f"{place} complete", shown["complete"], complete)
    report.compare(f"{place} accepted", shown["accepted"], accepted)
    report.compare(f"{place} rejected", shown["rejected"], rejected)
    if None not in (shown["accepted"], shown["rejected"]):
        report.expect(f"{place} decided", shown["decided"], shown["accepted"] + shown["rejected"])
    else:
        report.expect(f"{place} decided", shown["decided"] is None, True)
    sure = complete is not None and rejected[0] == rejected[1]
    report.expect(f"{place} accepted hidden", shown["accepted"] is None, hidden)
    nothing = bool(hidden) or (not complete and not rejected[1])
    report.expect(f"{place} rejected hidden", shown["rejected"] is None, nothing if sure else None)


def compare_change(place: str, shown: Json, scope: Scope, log: Log, report: Report) -> None:
    """Of the last days, and of as many before them."""
    both = []
    for name, (first, last) in zip(("now", "before"), log.two_periods, strict=True):
        said = shown[name]["from"], shown[name]["to"]
        report.expect(f"{place} {name} days", said, (str(first), str(last)))
        public = log.between(scope, first, last)
        compare_share(f"{place} {name}", shown[name], public, report)
        both.append(answered(public))
    now, before = both
    if now is None or before is None:
        report.expect(f"{place} difference", shown["difference"], None)
        return
    wanted = difference(now, before)
    value, low, high = wanted or (None, None, None)
    interval = shown["interval"] or {"low": None, "high": None}
    report.near(f"{place} difference", shown["difference"], value)
    report.near(f"{place} difference low", interval["low"], low)
    report.near(f"{place} difference high", interval["high"], high)
    noise = None if low is None or high is None else not low <= 0 <= high
    report.expect(f"{place} more than noise", (shown["more_than_noise"],), (noise,))


def compare_children(
    place: str, shown: Mapping[Scope, Json], parent: Scope, log: Log, report: Report
) -> None:
    """All places of one parent, with their ranks."""
    report.expect(f"{place} children", sorted(shown), sorted(log.children_of(parent)))
    publics = {scope: log.of(scope) for scope in shown}
    wanted = ranks(publics)
    for scope, child in shown.items():
        compare_share(f"{place} > {scope[1]}", child, publics[scope], report)
        said = child["rank"] and tuple(child["rank"][name] for name in ("best", "worst", "of"))
        report.expect(f"{place} > {scope[1]} rank", (said,), None if wanted is None else (wanted[scope],))


def response(scope: Scope, log: Log) -> tuple[Mapping[str, int], Public]:
    """The files of the units that said so this year, and what is public of their days."""
    year = log.today.year
    files = log.files_in(scope, year)
    days = date(year, 1, 1), date(year, 12, 31)
    return files, together(log.between(("unit", unit), *days) for unit in files)


def compare_response(place: str, shown: Json | None, scope: Scope, log: Log, report: Report) -> None:
    files, public = response(scope, log)
    report.expect(f"{place} response is there", shown is not None, bool(files))
    if shown is None or not files:
        return
    required, every = sum(map(log.handled.required, files.values())), sum(files.values())
    for name, wanted in (
        ("year", log.today.year),
        ("units", len(files)),
        ("files", every),
        ("required", required),
    ):
        report.expect(f"{place} response {name}", shown[name], wanted)
    sure, hidden = answered(public), suppressed(public)
    if sure is None or hidden is None or public.hidden is None:
        report.expect(f"{place} response", shown, None)
        return
    enough = not hidden and sure.total >= required
    report.expect(f"{place} ratings", (shown["ratings"],), (None if hidden else sure.total,))
    report.near(f"{place} rate", shown["rate"], None if hidden or not every else sure.total / every)
    report.expect(
        f"{place} reached", (shown["reached"],), (None if public.hidden and not enough else enough,)
    )


def _text(wanted: Range) -> str:
    return str(wanted[0]) if wanted[0] == wanted[1] else f"{wanted[0]} to {wanted[1]}"
