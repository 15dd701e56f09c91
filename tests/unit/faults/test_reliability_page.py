"""docs/reliability.md names what covers each fault, and only what there is."""

import re
from pathlib import Path

import pytest

from deploy.local.layout import CHECKOUT
from faults.schedule import deck

PAGE = (CHECKOUT / "docs" / "reliability.md").read_text(encoding="utf-8")
TABLE = PAGE.split("## The fault table", 1)[1].split("\n## ", 1)[0]
ROWS = [line for line in TABLE.splitlines() if line.startswith("|")][2:]
KINDS = {fault.kind for fault in deck(brokers=3)}


def names(row: str) -> list[str]:
    return re.findall(r"`([^`]+)`", row.split("|")[4])


def defined() -> set[str]:
    found: set[str] = set()
    for path in Path(CHECKOUT / "tests").rglob("test_*.py"):
        found |= set(re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")))
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row.split("|")[1:3]))
def test_each_row_names_what_covers_it(row: str) -> None:
    found = names(row)
    assert found, "nothing covers it"
    known = defined()
    for name in found:
        assert name in known or any(kind.startswith(name) for kind in KINDS), f"there is no {name}"


def test_every_kind_of_fault_is_in_the_table() -> None:
    covered = [name for row in ROWS for name in names(row)]
    assert not [kind for kind in KINDS if not any(kind.startswith(name) for name in covered)]
