"""The running stack on one screen: what is shown of what was seen."""

from collections.abc import Sequence
from dataclasses import replace
from io import StringIO

from rich.console import Console

from deploy.local.looking import Sample, Seen, Snapshot, Way
from deploy.local.screen import screen

SUBMISSIONS, OUTCOMES = "rating-submissions", "rating-outcomes"


def answered(count: float, *, route: str = "/v1/ratings", status: str = "202") -> Sample:
    return Sample("http_requests_total", {"method": "POST", "route": route, "status": status}, count)


def intake(*samples: Sample, ready: bool = True, waits_for: Sequence[str] = ()) -> Seen:
    memory = Sample("process_resident_memory_bytes", {}, 80 * 1024 * 1024)
    return Seen("intake", up=True, ready=ready, waits_for=waits_for, samples=[memory, *samples])


def shown(now: Snapshot, before: Snapshot) -> dict[str, list[str]]:
    """The words of each line, by the first."""
    printed = StringIO()
    Console(width=130, file=printed).print(screen(now, before))
    lines = (line.split() for line in printed.getvalue().splitlines())
    return {line[0]: line[1:] for line in lines if line}


def test_rates_are_those_between_two_looks_and_probes_are_no_requests() -> None:
    before = Snapshot(100, [intake(answered(10), answered(7, route="/readyz"), answered(1, status="503"))])
    now = Snapshot(102, [intake(answered(30), answered(99, route="/readyz"), answered(4, status="503"))])
    assert shown(now, before)["intake"] == ["ready", "11.5", "1.5", "0.0", "80", "MiB"]


def test_a_process_that_began_anew_has_no_negative_rate() -> None:
    before, now = Snapshot(100, [intake(answered(1_000))]), Snapshot(102, [intake(answered(4))])
    assert shown(now, before)["intake"][1] == "0.0"


def test_who_is_away_and_who_waits_for_what_is_said() -> None:
    waiting = intake(ready=False, waits_for=["kafka: no broker"])
    now = Snapshot(2, [waiting, Seen("portal", up=False)], absent={"postgres": "OSError: refused"})
    lines = shown(now, replace(now, at=1))
    assert lines["intake"][:2] == ["not", "ready"]
    assert lines["intake"][-3:] == ["kafka:", "no", "broker"]
    assert lines["portal"] == ["away"]
    assert lines["postgres:"] == ["OSError:", "refused"]
    assert not now.well
    assert Snapshot(1, [intake()]).well


def test_each_partition_has_its_checkpoints_and_what_is_behind() -> None:
    worker = Seen(
        "aggregation-worker",
        up=True,
        samples=[Sample("aggregation_lag_records", {"partition": "1"}, 7)],
    )
    ways = {SUBMISSIONS: {0: Way(5_000, 5_000), 1: Way(40, 30)}, OUTCOMES: {0: Way(9, 8), 1: Way(60, 50)}}
    now = Snapshot(2, [worker], ways, dead_letters={"directory-dlt": "3"})
    lines = shown(now, replace(now, at=1))
    assert lines["0"] == ["5,000", "5,000", "0", "9", "8", "0"]
    assert lines["1"] == ["40", "30", "10", "60", "50", "7"]


def test_ratings_are_followed_from_intake_to_the_figures() -> None:
    def at(second: float, ratings: float, seconds: float) -> Snapshot:
        ages = {"phone_code": "false"}
        return Snapshot(
            second,
            [
                intake(Sample("intake_submissions_total", {"channel": "portal"}, ratings)),
                Seen(
                    "aggregation-worker",
                    up=True,
                    samples=[
                        Sample("aggregation_outcomes_total", {"result": "counted"}, ratings),
                        Sample("aggregation_outcome_age_seconds_sum", ages, seconds),
                        Sample("aggregation_outcome_age_seconds_count", ages, ratings),
                    ],
                ),
            ],
            dead_letters={"rating-submissions-dlt": "2"},
        )

    lines = shown(at(2, 1_200, 150), at(0, 1_000, 50))
    assert lines["taken"][:3] == ["in", "1,200", "100.0"]
    assert lines["counted"][:2] == ["1,200", "100.0"]
    assert lines["until"][1:3] == ["0.50", "s"]
