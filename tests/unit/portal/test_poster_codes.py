"""Codes of posters: short, readable aloud, and nobody but the portal makes one."""

import secrets
from itertools import product
from pathlib import Path

import pytest

from chassis.key_files import KeyMissing
from portal.posters import codes
from portal.posters.codes import ALPHABET, Codes, Genuine, NoMoreKeys, Target

OFFICER = Target("officer", "so-noi-vu.nguyen-van-a")
OTHER = Target("officer", "so-noi-vu.tran-thi-b")


@pytest.fixture
def made(tmp_path: Path) -> Codes:
    codes.ensure_key(tmp_path)
    return Codes(tmp_path)


def genuine(made: Codes, code: str) -> Genuine:
    found = made.read(code)
    assert found is not None
    return found


def test_a_code_leads_where_it_was_made_for_and_nowhere_else(made: Codes) -> None:
    unit = Target("unit", OFFICER.id)  # of the same id, were there such
    read = genuine(made, made.code(OFFICER))
    assert made.find(read, [OTHER, OFFICER, unit]) == OFFICER
    assert made.find(read, [OTHER, unit]) is None
    assert [made.refers(read, each) for each in (OFFICER, OTHER, unit)] == [True, False, False]


def test_a_code_is_three_groups_of_four_without_letters_that_are_mistaken_for_others(made: Codes) -> None:
    assert not set("ILOU") & set(ALPHABET)
    for n in range(200):
        groups = made.code(Target("officer", str(n))).split("-")
        assert [len(group) for group in groups] == [4, 4, 4]
        assert set("".join(groups)) <= set(ALPHABET)


def test_a_code_is_the_same_however_it_is_typed(made: Codes) -> None:
    code = next(c for n in range(99) if {"0", "1"} <= set((c := made.code(Target("officer", str(n))))[2:]))
    for typed in (
        code.lower(),
        code.replace("-", ""),
        code.replace("-", " "),
        code.replace("0", "O").replace("1", "l"),
        code.replace("0", "o").replace("1", "I"),
    ):
        assert made.read(typed) == made.read(code)


def test_every_character_counts(made: Codes) -> None:
    code = made.code(OFFICER)
    for place, character in product(range(len(code)), ALPHABET):
        if code[place] not in ("-", character):
            assert made.read(code[:place] + character + code[place + 1 :]) is None


def test_what_is_no_code_is_not_ours(made: Codes) -> None:
    code = made.code(OFFICER)
    for typed in ("", "-", code + "0", code[:-1], code[:-1] + "U", code[:-1] + "ễ", "x" * 1000, "0" * 12):
        assert made.read(typed) is None


def test_a_proof_is_of_its_own_reference_and_key(made: Codes, tmp_path: Path) -> None:
    one, other = (codes.plain(made.code(each)) for each in (OFFICER, OTHER))
    assert made.read(one[:7] + other[7:]) is None
    codes.rotate(tmp_path)
    later = codes.plain(made.code(OFFICER))
    assert made.read(one[:1] + later[1:]) is None
    assert made.read(later[:1] + one[1:]) is None


def test_whoever_has_another_key_makes_no_code_of_ours(made: Codes, tmp_path: Path) -> None:
    forger = tmp_path / "forger"
    codes.ensure_key(forger)
    assert made.read(Codes(forger).code(OFFICER)) is None


def test_guesses_do_not_come_true(made: Codes) -> None:
    for _ in range(20_000):
        assert made.read("1" + "".join(secrets.choice(ALPHABET) for _ in range(11))) is None


def test_after_a_rotation_new_codes_are_made_with_the_new_key_and_old_ones_go_on(
    made: Codes, tmp_path: Path
) -> None:
    before = made.code(OFFICER)
    assert codes.rotate(tmp_path) == 2
    after = made.code(OFFICER)
    assert (before[0], after[0]) == ("1", "2")
    for code in (before, after):
        assert made.find(genuine(made, code), [OTHER, OFFICER]) == OFFICER


def test_a_retired_key_makes_its_posters_not_ours_and_never_comes_back(made: Codes, tmp_path: Path) -> None:
    before = made.code(OFFICER)
    codes.rotate(tmp_path)
    assert codes.retire(tmp_path, 1)
    codes.ensure_key(tmp_path)
    assert made.read(before) is None
    assert made.read(made.code(OFFICER)) is not None
    codes.retire(tmp_path, 2)
    with pytest.raises(KeyMissing):
        made.code(OFFICER)
    assert codes.rotate(tmp_path) == 3


def test_there_are_so_many_keys_and_no_more(tmp_path: Path) -> None:
    assert [codes.rotate(tmp_path) for _ in range(codes.MOST)] == list(range(1, 32))
    with pytest.raises(NoMoreKeys):
        codes.rotate(tmp_path)


def test_where_two_are_referred_to_neither_is_chosen(made: Codes, monkeypatch: pytest.MonkeyPatch) -> None:
    read = genuine(made, made.code(OFFICER))
    monkeypatch.setattr(made, "refers", lambda *_: True)
    assert made.find(read, [OFFICER, OTHER]) is None
