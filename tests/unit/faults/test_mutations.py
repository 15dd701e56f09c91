"""Mutations fit the code as it is."""

import shutil
from pathlib import Path

import pytest

from deploy.local.layout import CHECKOUT
from faults.mutations import MUTATIONS, Mutation
from faults.selftest import Unfit, applied


def copied(mutation: Mutation, folder: Path) -> Path:
    for file, _, _ in mutation.changes:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / file, folder / file)
    return folder


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_mutation_changes_code_that_still_compiles(mutation: Mutation, tmp_path: Path) -> None:
    applied(mutation, copied(mutation, tmp_path))
    for file, before, _ in mutation.changes:
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert before not in text or before in _after(mutation, file)
        compile(text, file, "exec")


def _after(mutation: Mutation, file: str) -> str:
    return "".join(after for name, _, after in mutation.changes if name == file)


def test_a_mutation_that_no_longer_fits_says_so(tmp_path: Path) -> None:
    mutation = Mutation("old", "", (("chassis/kafka.py", "what was there once", ""),), "", frozenset())
    with pytest.raises(Unfit, match=r"old: chassis/kafka\.py"):
        applied(mutation, copied(mutation, tmp_path))
