"""docs/reliability.md names what covers each fault, and only what there is."""

import pytest

from faults.schedule import deck
from tests.support import documented_tests
from tests.support.documented_tests import names

ROWS = documented_tests.rows("docs/reliability.md", "The fault table")
KINDS = {fault.kind for fault in deck(brokers=3)}
COVERED_BY = 3


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row[:2]))
def test_each_row_names_what_covers_it(row: list[str]) -> None:
    found = names(row[COVERED_BY])
    assert found, "nothing covers it"
    known = {test.rpartition("::")[2] for test in documented_tests.known_tests()}
    for name in found:
        assert name in known or any(kind.startswith(name) for kind in KINDS), f"there is no {name}"


def test_every_kind_of_fault_is_in_the_table() -> None:
    covered = [name for row in ROWS for name in names(row[COVERED_BY])]
    assert not [kind for kind in KINDS if not any(kind.startswith(name) for name in covered)]
