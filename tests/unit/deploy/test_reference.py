"""The pages of reference say what the code says."""

from pathlib import Path

import pytest

from chassis.settings import settings_of
from deploy.reference import settings
from deploy.reference.__main__ import PAGES


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_a_committed_page_is_what_the_code_says_today(file: Path) -> None:
    assert file.read_text() == PAGES[file](), "stale: make reference"


@pytest.mark.parametrize("program", settings.PROGRAMS)
def test_every_setting_says_what_it_means_and_every_number_its_unit(program: str) -> None:
    for each in settings_of(settings.PROGRAMS[program]):
        assert each.field.description, f"{each.variable} wants a description beside its field"
        number = each.field.annotation in (int, float) and not each.variable.endswith("_PORT")
        assert each.unit or not number, f"{each.variable} wants a unit beside its field"
