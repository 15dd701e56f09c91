"""Verification's key files: numbered for an edition, the one and the one before for the service."""

import base64
import os
import time
from pathlib import Path

import pytest
from nacl.public import PublicKey, SealedBox

from contracts.events import Sealed, SealingKey
from services.verification.adapters.key_files import (
    CHALLENGE_KEY,
    REST,
    FileKeyRing,
    KeyDestroyed,
    KeyMissing,
    RotatedKey,
    TooSoon,
    create_keys,
    destroy_edition,
    read_key,
    retire_key,
    rotate_edition,
    rotate_key,
)
from services.verification.ports import Unreadable


def seal(key: SealingKey, text: str) -> Sealed:
    box = SealedBox(PublicKey(base64.b64decode(key.public_key))).encrypt(text.encode())
    return Sealed(key_id=key.key_id, box=base64.b64encode(box).decode())


def test_an_edition_s_next_key_opens_beside_those_before_it(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path)
    keys = [create_keys(tmp_path, "2017"), rotate_edition(tmp_path, "2017"), rotate_edition(tmp_path, "2017")]
    assert [key.key_id for key in keys] == ["2017-1", "2017-2", "2017-3"]
    assert len({key.public_key for key in keys}) == 3
    assert [ring.open(seal(key, key.key_id)).decode() for key in keys] == ["2017-1", "2017-2", "2017-3"]


def test_the_public_half_printed_again_is_the_newest(tmp_path: Path) -> None:
    create_keys(tmp_path, "2017")
    newest = rotate_edition(tmp_path, "2017")
    assert create_keys(tmp_path, "2017") == newest


def test_editions_whose_ids_begin_alike_have_nothing_to_do_with_each_other(tmp_path: Path) -> None:
    longer = [create_keys(tmp_path, "2017-1"), rotate_edition(tmp_path, "2017-1")]
    short = create_keys(tmp_path, "2017")
    assert [key.key_id for key in longer] == ["2017-1-1", "2017-1-2"]
    assert short.key_id == "2017-1"
    assert destroy_edition(tmp_path, "2017-1") == ["2017-1-1", "2017-1-2"]
    assert FileKeyRing(tmp_path).open(seal(short, "here")) == b"here"
    assert rotate_edition(tmp_path, "2017").key_id == "2017-2"


def test_an_edition_without_a_key_is_not_rotated(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing):
        rotate_edition(tmp_path, "2017")


def test_a_retired_key_opens_nothing_more_and_its_number_is_not_given_again(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path)
    old, new = create_keys(tmp_path, "2017"), rotate_edition(tmp_path, "2017")
    box = seal(old, "secret")
    assert ring.open(box) == b"secret"
    assert retire_key(tmp_path, "2017-1")
    with pytest.raises(Unreadable):
        ring.open(box)
    assert ring.open(seal(new, "goes on")) == b"goes on"
    assert retire_key(tmp_path, "2017-2")
    assert rotate_edition(tmp_path, "2017").key_id == "2017-3"


def test_a_destroyed_edition_has_no_key_and_gets_none(tmp_path: Path) -> None:
    ring = FileKeyRing(tmp_path)
    boxes = [seal(create_keys(tmp_path, "2017"), "a"), seal(rotate_edition(tmp_path, "2017"), "b")]
    assert [ring.open(box) for box in boxes] == [b"a", b"b"]
    assert destroy_edition(tmp_path, "2017") == ["2017-1", "2017-2"]
    for box in boxes:
        with pytest.raises(Unreadable):
            ring.open(box)
    for makes in (create_keys, rotate_edition):
        with pytest.raises(KeyDestroyed, match="2017"):
            makes(tmp_path, "2017")
    assert destroy_edition(tmp_path, "2017") == []
    create_keys(tmp_path, "2018")


def test_an_edition_can_be_destroyed_before_it_ever_had_keys(tmp_path: Path) -> None:
    assert destroy_edition(tmp_path, "2017") == []
    with pytest.raises(KeyDestroyed):
        create_keys(tmp_path, "2017")


def test_a_process_that_runs_takes_up_a_rotated_key_and_keeps_the_one_before(tmp_path: Path) -> None:
    create_keys(tmp_path, "2017")
    keys = RotatedKey(tmp_path, CHALLENGE_KEY)
    first = read_key(tmp_path / CHALLENGE_KEY)
    assert keys() == (first,)
    rotate_key(tmp_path, CHALLENGE_KEY)
    assert keys() == (read_key(tmp_path / CHALLENGE_KEY), first)
    assert RotatedKey(tmp_path, CHALLENGE_KEY)() == keys()


def test_a_folder_that_cannot_be_read_for_a_while_changes_nothing(tmp_path: Path) -> None:
    create_keys(tmp_path, "2017")
    keys = RotatedKey(tmp_path, CHALLENGE_KEY)
    before = keys()
    (tmp_path / CHALLENGE_KEY).unlink()
    assert keys() == before
    with pytest.raises(KeyMissing):
        RotatedKey(tmp_path, CHALLENGE_KEY)


def test_a_second_rotation_waits_until_nothing_counts_that_it_would_forget(tmp_path: Path) -> None:
    create_keys(tmp_path, "2017")
    rotate_key(tmp_path, CHALLENGE_KEY)
    second = read_key(tmp_path / CHALLENGE_KEY)
    with pytest.raises(TooSoon):
        rotate_key(tmp_path, CHALLENGE_KEY)
    assert read_key(tmp_path / CHALLENGE_KEY) == second
    rotate_key(tmp_path, CHALLENGE_KEY, at_once=True)
    third = read_key(tmp_path / CHALLENGE_KEY)
    long_ago = time.time() - REST.total_seconds() - 1
    os.utime(tmp_path / CHALLENGE_KEY, (long_ago, long_ago))
    rotate_key(tmp_path, CHALLENGE_KEY)
    assert RotatedKey(tmp_path, CHALLENGE_KEY)()[1] == third
