"""Who may post how much: the rules, whoever comes in whatever order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from chassis.tally import Tally
from services.intake.domain.limits import BOOKS, NAMES, Arrival, Caller
from services.intake.limiting import Limited, Limiter

WINDOW = 900.0
NOW = 1_000_000.0
MOST = dict.fromkeys(NAMES, 1_000_000)


def limiter(**most: int) -> Limiter:
    return Limiter(MOST | most, Tally(WINDOW))


def rating(number: int, *, client: str | None = None, session: str | None = None, **changes: str) -> Arrival:
    fields: dict[str, Any] = {
        "phone": f"phone-{number}",
        "officer_id": "officer",
        "edition_id": "edition",
    }
    origin = changes.pop("origin", "block")
    return Arrival(f"rating-{number}", Caller(client, session, origin), **(fields | changes))


def taken(limits: Limiter, arrivals: list[Arrival], at: float = NOW) -> int:
    """How many get in."""
    got_in = 0
    for arrival in arrivals:
        try:
            limits.rating(arrival, at)
        except Limited:
            continue
        got_in += 1
    return got_in


def test_a_session_is_limited_and_others_of_its_block_are_not() -> None:
    limits = limiter(session=10)
    mine = [rating(n, client="portal", session="mine") for n in range(30)]
    assert taken(limits, mine) == 10
    theirs = [rating(100 + n, client="portal", session=f"citizen-{n}") for n in range(300)]
    assert taken(limits, theirs) == 300


def test_without_a_session_the_block_is_limited_tightly() -> None:
    limits = limiter(lone_block=30)
    assert taken(limits, [rating(n) for n in range(100)]) == 30
    assert taken(limits, [rating(100 + n, origin="another") for n in range(100)]) == 30


def test_a_client_that_names_no_session_is_limited_as_tightly() -> None:
    limits = limiter(lone_block=30)
    assert taken(limits, [rating(n, client="portal") for n in range(100)]) == 30


def test_what_one_client_says_counts_against_nobody_else() -> None:
    limits = limiter(session=10, shared_block=50, lone_block=30)
    framing = [rating(n, client="rogue", session=f"s-{n}", origin="victim") for n in range(200)]
    assert taken(limits, framing) == 50
    assert taken(limits, [rating(500 + n, client="rogue", origin="victim") for n in range(100)]) == 30
    lone = [rating(1_000 + n, origin="victim") for n in range(30)]
    assert taken(limits, lone) == 30
    through_the_portal = [
        rating(2_000 + n, client="portal", session=f"s-{n}", origin="victim") for n in range(50)
    ]
    assert taken(limits, through_the_portal) == 50


def test_a_number_is_limited_within_a_session_and_nobody_else_notices() -> None:
    limits = limiter(session_phone=5)
    mine = [rating(n, client="portal", session="mine", phone="victim") for n in range(20)]
    assert taken(limits, mine) == 5
    for caller in ({"client": "portal", "session": "another"}, {}):
        limits.rating(rating(f"{caller}", phone="victim", **caller), NOW)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 40), max_size=120))
def test_a_rating_counts_once_and_is_never_refused_afterwards(numbers: list[int]) -> None:
    limits = limiter(lone_block=10)
    got_in: set[int] = set()
    for number in numbers:
        try:
            limits.rating(rating(number), NOW)
        except Limited:
            assert number not in got_in
            assert len(got_in) == 10
        else:
            got_in.add(number)
    assert len(got_in) == min(10, len(set(numbers)))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=120))
def test_what_the_log_shows_counts_with_what_is_taken_in_here(came: list[tuple[bool, int]]) -> None:
    limits = limiter(lone_block=20)
    known: set[int] = set()
    for elsewhere, number in came:
        if elsewhere:
            limits.taken_elsewhere(rating(number), at=NOW, now=NOW)
            known.add(number)
        elif number in known or len(known) < 20:
            limits.rating(rating(number), NOW)
            known.add(number)
        else:
            with pytest.raises(Limited):
                limits.rating(rating(number), NOW)


@given(st.lists(st.floats(0, 4 * WINDOW), min_size=1, max_size=80), st.integers(1, 5))
def test_no_window_holds_more_than_the_limit(moments: list[float], most: int) -> None:
    limits = limiter(lone_block=most)
    got_in, told = [], []
    for number, at in enumerate(sorted(moments)):
        try:
            limits.rating(rating(number), at)
        except Limited as limited:
            told.append(limited.seconds)
        else:
            got_in.append(at)
    assert all(1 <= seconds <= WINDOW + 61 for seconds in told)
    for end in got_in:
        assert sum(end - WINDOW < at <= end for at in got_in) <= most


def test_whoever_waits_as_long_as_told_gets_in() -> None:
    limits = limiter(lone_block=3)
    assert taken(limits, [rating(n) for n in range(3)]) == 3
    with pytest.raises(Limited) as limited:
        limits.rating(rating(3), NOW + 100)
    limits.rating(rating(3), NOW + 100 + limited.value.seconds)


def test_a_flood_of_an_officer_locks_out_nobody_who_comes_in_a_session() -> None:
    limits = limiter(officer=100, lone_block=30, tightened=3)
    flood = [rating(n, origin=f"block-{n}") for n in range(1_000)]
    assert taken(limits, flood) == 1_000
    citizens = [rating(2_000 + n, client="portal", session=f"s-{n}") for n in range(200)]
    assert taken(limits, citizens) == 200
    assert taken(limits, [rating(3_000 + n, origin="lone") for n in range(30)]) == 3
    elsewhere = [rating(4_000 + n, origin="other", officer_id="another") for n in range(50)]
    assert taken(limits, elsewhere) == 30


def test_an_alarm_is_raised_once_a_window_and_names_no_phone() -> None:
    limits = limiter(officer=10, phone=10)
    with capture_logs() as logged:
        taken(limits, [rating(n, phone="abc") for n in range(50)])
    assert sorted((line["of"], line["subject"]) for line in logged) == [("officer", "officer"), ("phone", "")]
    assert "abc" not in str(logged)


def test_tries_at_codes_are_limited_on_their_own() -> None:
    limits = limiter(code_session=3, code_lone_block=5, lone_block=1)
    mine = [Arrival(f"try-{n}", Caller("portal", "mine", "block")) for n in range(10)]
    lone = [Arrival(f"lone-{n}", Caller(None, None, "block")) for n in range(10)]

    def tried(arrivals: list[Arrival]) -> int:
        got_in = 0
        for arrival in arrivals:
            try:
                limits.code(arrival, NOW)
            except Limited:
                continue
            got_in += 1
        return got_in

    assert (tried(mine), tried(lone)) == (3, 5)
    assert tried(mine[:3]) == 3  # the same tries again
    assert taken(limits, [rating(1)]) == 1


def test_every_rule_has_a_number_of_its_own() -> None:
    rules = [rule.name for book in BOOKS for rule in (*book.limits, *book.alarms)]
    assert len(set(rules)) == len(rules) == len(NAMES) - 1
