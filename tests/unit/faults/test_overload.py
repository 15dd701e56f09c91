"""What counts as a missed goal of the overload, and how its numbers are read."""

from collections import Counter
from pathlib import Path

import pytest

from faults.overloading import report
from faults.overloading.lag import percentile_of
from faults.overloading.offering import Seen, ratings
from faults.overloading.running import MOST_GROWTH, Order, Results
from faults.overloading.wire import Answer
from faults.report import percentile
from faults.soaking.sampling import Sample

PROBLEM = "HTTP/1.1 503 x\r\nContent-Type: application/problem+json\r\nRetry-After: 3"


def memory(private: float) -> Sample:
    return Sample(at=0, name="intake-0", pid=1, private=private, resident=2 * private, files=9, threads=3)


def results(**changed: object) -> Results:
    """Of an overload as it should be, but for what is changed."""
    found = Results(Order(Path("x"), Path("y")), capacity=100, kept=50, recovered=0.5)
    found.statuses = Counter({"202": 50, "503": 200, "429": 3})
    found.operations = Counter({"200": 90})
    found.refused_ms, found.taken_ms = [5.0] * 200, [30.0] * 50
    found.memory = {"before": memory(50), "peak": memory(60), "after": memory(55)}
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def test_an_overload_as_it_should_be_has_no_fault() -> None:
    assert results().red == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"statuses": Counter({"202": 1, "503": 1, "500": 2})}, "2 × 500"),
        ({"statuses": Counter({"503": 1, "ConnectionResetError": 4})}, "4 × ConnectionResetError"),
        ({"statuses": Counter({"202": 9})}, "nothing was refused"),
        ({"flaws": Counter({"no Retry-After": 1})}, "1 × no Retry-After"),
        ({"operations": Counter({"200": 9, "503": 1})}, "1 × /readyz 503"),
        ({"lost": 1}, "1 are lost"),
        ({"doubled": 2}, "2 doubled"),
        ({"memory": {"before": memory(50), "peak": memory(51 + MOST_GROWTH)}}, "memory grew"),
        ({"recovered": None}, "no rating was taken in"),
        ({"failure": "broke"}, "broke"),
    ],
)
def test_each_fault_is_named(changed: dict[str, object], said: str) -> None:
    assert said in " ".join(results(**changed).red)


def test_slow_refusals_are_reported_and_are_no_fault() -> None:
    slow = results(refused_ms=[250.0] * 200)
    assert slow.red == []
    assert "MISSED" in dict(report.summary(slow))["goal for refusals"]
    assert "met" in dict(report.summary(results()))["goal for refusals"]


def test_a_refusal_without_what_it_must_have_is_a_flaw() -> None:
    seen = Seen()
    seen.note(Answer(503, 0.01, PROBLEM))
    assert not seen.flaws
    seen.note(Answer(429, 0.01, "HTTP/1.1 429 x\r\nContent-Type: text/plain"))
    assert seen.flaws == {"no Retry-After": 1, "no problem+json": 1}


def test_a_broken_connection_is_noted_by_its_name() -> None:
    seen = Seen()
    seen.note(Answer(0, 0.01, "ConnectionResetError"))
    assert seen.statuses == {"ConnectionResetError": 1}


def test_a_percentile_of_a_histogram_is_the_end_of_its_bucket() -> None:
    before = {0.01: 10.0, 0.1: 10.0, 1.0: 10.0}
    after = {0.01: 100.0, 0.1: 109.0, 1.0: 110.0}
    assert percentile_of(before, after, 0.9) == 0.01
    assert percentile_of(before, after, 0.99) == 0.1
    assert percentile_of(before, after, 1.0) == 1.0


def test_a_percentile_is_the_nearest_rank() -> None:
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99
    assert percentile([7.0], 0.99) == 7


def test_no_two_ratings_offered_are_of_one_key() -> None:
    source = ratings(1, 7, "key")
    keys = [next(source).split(b"Idempotency-Key: ")[1].split(b"\r\n")[0] for _ in range(500)]
    assert len(set(keys)) == 500
