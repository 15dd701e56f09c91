"""The score that `make mutants` gives."""

import json
from pathlib import Path

import pytest

from tests.mutation.scores import Fate, read, table


@pytest.fixture
def mutants(tmp_path: Path) -> Path:
    """As mutmut leaves them: exit codes of pytest, 33 where no test calls the function, -24 for too long."""
    codes = {"a": 1, "b": 1, "c": 0, "d": 33, "e": -24, "f": None, "g": -11, "h": 3}
    (tmp_path / "services").mkdir()
    (tmp_path / "services" / "one.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))
    (tmp_path / "services" / "empty.py.meta").write_text(json.dumps({"exit_code_by_key": {}}))
    return tmp_path


def test_only_what_tests_noticed_counts_for_the_score(mutants: Path) -> None:
    (module,) = read(mutants, ["services/*.py"])
    assert {fate: module.count(fate) for fate in Fate} == {
        Fate.KILLED: 3,
        Fate.SURVIVED: 1,
        Fate.UNTESTED: 1,
        Fate.TIMEOUT: 1,
        Fate.UNCLEAR: 2,
    }
    assert module.score == pytest.approx(100 * 4 / 8)


def test_all_that_was_not_killed_is_to_be_looked_at(mutants: Path) -> None:
    (module,) = read(mutants, ["services/*.py"])
    assert module.left == ["c", "d", "e", "f", "g"]


def test_a_module_that_has_no_mutants_any_more_scores_nothing_and_is_named(mutants: Path) -> None:
    moved = read(mutants, ["services/one.py", "services/moved.py"])[-1]
    assert (moved.path, moved.score) == ("services/moved.py", 0.0)


def test_the_table_ends_with_all_modules_together(mutants: Path) -> None:
    rows = table(read(mutants, ["services/one.py"])).splitlines()
    assert rows[-1] == "| all | 8 | 3 | 1 | 1 | 1 | 2 | 50.0 % |"
