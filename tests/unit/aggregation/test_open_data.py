"""Open data holds what units' histories show, written out, and nothing else."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings

from contracts.events import Outcome
from services.aggregation.domain import CITY, Level, Measure
from services.aggregation.open_data import DICTIONARY, Rating, catalogue, lines
from services.aggregation.stored import items, total
from tests.support.publication import Book, booked
from tests.unit.aggregation.test_publication import EDITIONS, days_of, logs, rated


def rows(book: Book) -> list[Rating]:
    found = list(book.view().unit_days(book.by_day()))
    return [
        Rating.model_validate(json.loads(line))
        for day in catalogue(found).days
        for line in b"".join(lines(day.day, found)).splitlines()
    ]


@settings(deadline=None)
@given(logs())
def test_its_totals_are_the_published_figures_of_every_units_days_and_editions(log: list[Outcome]) -> None:
    book = booked([log] if log else [])
    counted = Counter((row.edition, row.unit, row.day, row.answer) for row in rows(book))
    published = Counter(
        {
            (edition, unit.id, day, answer): count
            for edition in EDITIONS[1:]
            for unit in book.scopes(Level.UNIT)
            for day, shown in days_of(book, unit, edition).items()
            for answer, count in items(shown.counts, Measure.ANSWER).items()
        }
    )
    assert counted == published


@settings(deadline=None)
@given(logs())
def test_its_list_says_how_many_rows_there_are_and_whether_some_are_left_out(log: list[Outcome]) -> None:
    book = booked([log] if log else [])
    city = days_of(book, CITY, None)
    listed = {day.day: day for day in catalogue(book.view().unit_days(book.by_day())).days}
    said = {day: (each.ratings, each.partial) for day, each in listed.items()}
    assert said == {day: (total(shown.counts), shown.partial) for day, shown in city.items()}
    assert Counter(row.day for row in rows(book)) == Counter(
        {day: each.ratings for day, each in listed.items() if each.ratings}
    )


def test_neither_a_units_day_of_few_nor_one_officers_days_are_in_it() -> None:
    of_two = [rated(9, "u2.a"), rated(9, "u2.b"), rated(9, "u2.a", days=2), rated(2, "u2.b", days=1)]
    found = rows(booked([rated(9), rated(9, days=1), *of_two]))
    assert {row.unit for row in found} == {"u2"}, "of u1 one officer alone was rated"
    assert {(row.day.day, len(found)) for row in found} == {(23, 18)}, "the 9 would tell the 2"
    assert rows(booked([rated(2), rated(2, "u1.b")])) == []


def test_a_row_names_no_officer_no_reason_and_no_time() -> None:
    book = booked([rated(9, said="late"), rated(9, "u1.b")])
    assert set(Rating.model_fields) == {"day", "edition", "group", "unit", "answer"}
    found = list(book.view().unit_days(book.by_day()))
    written = b"".join(lines(found[0].day, found)).decode()
    for secret in ("u1.a", "late", "portal", "03:00", "captcha"):
        assert secret not in written


def test_rows_are_in_no_order_of_time() -> None:
    of_each = [[*rated(6, f"{unit}.a", said="late"), *rated(6, f"{unit}.b")] for unit in ("u1", "u2")]
    first, later = booked(of_each), booked([list(reversed(each)) for each in reversed(of_each)])
    assert rows(first) == rows(later)


@pytest.mark.parametrize("language", ["## Tiếng Việt", "## English"])
def test_the_data_dictionary_names_every_field_of_a_row_and_no_other(language: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "open-data.md").read_text("utf-8")
    section = page.partition(language)[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == list(Rating.model_fields)
    assert [field.name for field in DICTIONARY] == list(Rating.model_fields)
