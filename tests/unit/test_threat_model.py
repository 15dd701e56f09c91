"""docs/threat-model.md names a control and a test for each threat, and only what there is."""

import re

import pytest

from deploy.local.layout import CHECKOUT
from tests.support import documented_tests
from tests.support.documented_tests import cited, known_tests, names, read

PAGE, FIGURES = "docs/threat-model.md", "docs/security.md"
THREATS = documented_tests.rows(PAGE, "Threats")
CHAPTERS = documented_tests.rows(PAGE, "ASVS 5.0, level 2, by chapter")
REQUIREMENT = re.compile(r"\b\d+\.\d+\.\d+\b")


@pytest.mark.parametrize("row", THREATS, ids=lambda row: str(row[0]))
def test_each_threat_has_a_control_and_a_test_that_are_there(row: list[str]) -> None:
    _threat, control, proved_by, requirement = row
    assert [name for name in names(control) if (CHECKOUT / name).exists()], "no file of the rule is named"
    assert (found := names(proved_by)), "nothing proves it"
    assert [name for name in found if name not in known_tests()] == []
    assert REQUIREMENT.search(requirement), "no requirement is cited"


def test_every_part_of_the_page_has_threats() -> None:
    parts = re.split(r"^### ", read(PAGE).split("\n## Threats\n")[1].split("\n## ")[0], flags=re.MULTILINE)
    assert len(parts) > 10
    assert [part.splitlines()[0] for part in parts[1:] if part.count("\n| ") < 3] == []


@pytest.mark.parametrize("page", [PAGE, FIGURES])
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    assert [path for path in cited(page) if not (CHECKOUT / path).exists()] == []


def test_every_deviation_is_told_and_nothing_else_is() -> None:
    chapters = [row for row in CHAPTERS if re.match(r"V\d+ ", row[0])]
    told = [row[0] for row in CHAPTERS if row not in chapters]
    assert len(chapters) == 17
    assert set(REQUIREMENT.findall(" ".join(row[3] for row in chapters))) == set(
        REQUIREMENT.findall(" ".join(told))
    )
