"""A running stack on one screen."""

from collections.abc import Callable, Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from contracts.topics import RATING_OUTCOMES, RATING_SUBMISSIONS
from deploy.local.looking import Seen, Snapshot, Way

PROBES = ("/healthz", "/readyz", "/metrics")
_MEGABYTE = 1024 * 1024
_STEPS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("taken in", "intake_submissions_total", {}),
    ("limited (429)", "intake_limited_total", {}),
    ("accepted", "verification_decisions_total", {"outcome": "accepted"}),
    ("rejected", "verification_decisions_total", {"outcome": "rejected"}),
    ("SMS sent", "verification_sms_total", {"result": "sent"}),
    ("counted", "aggregation_outcomes_total", {"result": "counted"}),
)


def screen(now: Snapshot, before: Snapshot) -> RenderableType:
    """Rates are those between the two."""
    side_by_side = Table.grid(padding=(0, 3))
    side_by_side.add_row(_steps(now, before), _dead_letters(now))
    parts = [_processes(now, before), side_by_side, _partitions(now)]
    return Group(*parts, *(Text(f"{name}: {why}", style="red") for name, why in now.absent.items()))


def _processes(now: Snapshot, before: Snapshot) -> Table:
    table = _table("process", "", "requests/s", "failed/s", "shed/s", "memory", "waits for")
    earlier = {each.name: each for each in before.processes}
    for each in now.processes:
        if not each.up:
            table.add_row(each.name, Text("away", style="red"))
            continue

        def rate(count: Callable[[Seen], float], each: Seen = each) -> str:
            return _rate(count(each), count(earlier.get(each.name, each)), now, before)

        table.add_row(
            each.name,
            Text("ready", style="green") if each.ready else Text("not ready", style="yellow"),
            rate(lambda seen: sum(_answers(seen))),
            rate(lambda seen: sum(_answers(seen, failed=True))),
            rate(lambda seen: seen.total("http_requests_shed_total")),
            f"{each.total('process_resident_memory_bytes') / _MEGABYTE:.0f} MiB",
            "; ".join(each.waits_for),
        )
    return table


def _answers(seen: Seen, *, failed: bool = False) -> Iterator[float]:
    for each in seen.samples:
        asked = each.name == "http_requests_total" and each.labels["route"] not in PROBES
        if asked and (not failed or each.labels["status"].startswith("5")):
            yield each.value


def _steps(now: Snapshot, before: Snapshot) -> Table:
    table = _table("ratings", "since start", "a second")
    for name, metric, labels in _STEPS:
        total, earlier = (each.total(metric, **labels) for each in (now, before))
        table.add_row(name, f"{total:,.0f}", _rate(total, earlier, now, before))
    table.add_row("live streams", f"{now.total('aggregation_live_clients'):,.0f}", "")
    table.add_row("until visible", _age(now, before), "")
    return table


def _age(now: Snapshot, before: Snapshot) -> str:
    """On average since the other look, of ratings without a code by SMS."""

    def since(part: str) -> float:
        name = f"aggregation_outcome_age_seconds_{part}"
        return now.total(name, phone_code="false") - before.total(name, phone_code="false")

    return f"{since('sum') / since('count'):.2f} s" if since("count") > 0 else "-"


def _dead_letters(now: Snapshot) -> Table:
    table = _table("dead letters", "not redriven")
    for topic, count in now.dead_letters.items():
        table.add_row(topic, Text(count, style="" if count == "0" else "red"))
    return table


def _partitions(now: Snapshot) -> Table:
    table = _table("partition", *("submissions", "decided", "behind"), *("outcomes", "counted", "behind"))
    submissions, outcomes = (now.ways.get(topic.name, {}) for topic in (RATING_SUBMISSIONS, RATING_OUTCOMES))
    for number in sorted({*submissions, *outcomes}):
        decided, counted = submissions.get(number, Way(0, 0)), outcomes.get(number, Way(0, 0))
        # Of outcomes the worker says it: the ends of transactions have offsets too, and are no records.
        left = (
            decided.end - decided.next_offset,
            now.total("aggregation_lag_records", partition=str(number)),
        )
        table.add_row(
            str(number),
            f"{decided.end:,}",
            f"{decided.next_offset:,}",
            _behind(left[0]),
            f"{counted.end:,}",
            f"{counted.next_offset:,}",
            _behind(left[1]),
        )
    return table


def _behind(records: float) -> Text:
    return Text(f"{records:,.0f}", style="yellow" if records else "")


def _rate(total: float, earlier: float, now: Snapshot, before: Snapshot) -> str:
    """A process that began anew counts from 0 again."""
    seconds = now.at - before.at
    return f"{max(0.0, total - earlier) / seconds:,.1f}" if seconds > 0 else "-"


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        words = number == 0 or column in ("", "waits for")
        table.add_column(column, justify="left" if words else "right", overflow="fold")
    return table
