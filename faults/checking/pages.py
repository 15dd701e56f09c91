"""Dashboard pages against the log: every figure that the API gives for one, reckoned from outcomes alone."""

import json
import urllib.parse
import urllib.request
from datetime import date
from typing import Any

from faults.checking.comparing import (
    Report,
    compare_change,
    compare_children,
    compare_funnel,
    compare_items,
    compare_response,
    compare_share,
)
from faults.checking.log import Log
from faults.checking.published import CITY, Public, Scope

PATHS = {"officer": "officers", "unit": "units", "group": "groups"}
LISTS = {
    "reasons": ("reason", "id"),
    "rejected": ("rejection", "reason"),
    "channels": ("channel", "id"),
    "assurances": ("assurance", "id"),
    "hours": ("hour", "id"),
    "weekdays": ("weekday", "id"),
}


def check_pages(api: str, log: Log) -> Report:
    """Five pages, as they are now: the city, its largest group, two units and the officer rated most."""
    report = Report()
    for scope in _chosen(log):
        _page(api, scope, log, report)
    return report


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
        compare_items(path, measure, counts, public, report, left_out=measure in shown["left_out"])
    compare_funnel(path, shown["funnel"], public, report)
    compare_response(path, shown["response"], scope, log, report)
    compare_change(f"{path} change", _get(f"{address}/change"), scope, log, report)
    days = log.days(scope)
    usual = Public(hidden=scope[0] == "officer")
    for day_shown in _get(f"{address}/history")["days"]:
        day = date.fromisoformat(day_shown["day"])
        compare_share(f"{path} {day}", day_shown, days.get(day, usual), report)
    if scope[0] != "officer":
        children = _get(f"{address}/children")["children"]
        below = {(child["scope"]["level"], child["scope"]["id"]): child for child in children}
        compare_children(path, below, scope, log, report)


def _get(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310  our own process
        return dict(json.load(answer))
