import base64
import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chassis.key_files import KeyDestroyed, KeyFolder, KeyMissing, create, destroy, read, rotate


def test_a_key_is_32_random_bytes_that_only_its_owner_reads(tmp_path: Path) -> None:
    one, other = tmp_path / "keys" / "one.key", tmp_path / "keys" / "other.key"
    assert create(one)
    assert create(other)
    assert len(read(one)) == 32
    assert read(one) != read(other)
    assert stat.S_IMODE(one.stat().st_mode) == 0o600
    assert stat.S_IMODE(one.parent.stat().st_mode) == 0o700


def test_a_key_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    create(path)
    before = read(path)
    assert not create(path)
    assert read(path) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.key"]


def test_for_a_key_that_is_there_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.key"
    create(path)

    def refused(*_: object) -> int:
        raise OSError(errno.EROFS, "read-only, as a mounted secret is")

    monkeypatch.setattr(os, "open", refused)
    assert not create(path)


def test_many_that_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: create(path), range(8)))
        keys = set(pool.map(lambda _: read(path), range(8)))
    assert sum(made) == 1
    assert len(keys) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "a.key$"),
        (b"not base64!", "not base64"),
        (base64.b64encode(b"short"), "not 32 bytes"),
        (b"\xff" * 44, "not base64"),
    ],
)
def test_what_is_no_key_is_said_by_name(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "a.key"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyMissing, match=why):
        read(path)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_reads_a_key_or_lists_a_folder_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        keys = tmp_path / "keys"
        create(keys / "service" / "a.key")
        rotate(keys / "service" / "a.key", keys / "service" / "a.previous.key")
        destroy(keys / "other" / "b.key")
    finally:
        os.umask(before)
    modes = {path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in _all(keys)}
    assert modes == {
        "keys": 0o700,
        "keys/service": 0o700,
        "keys/service/a.key": 0o600,
        "keys/service/a.previous.key": 0o600,
        "keys/other": 0o700,
        "keys/other/b.key.destroyed": 0o600,
    }


def _all(folder: Path) -> list[Path]:
    return [folder, *folder.rglob("*")]


def test_a_rotation_leaves_the_key_before_and_forgets_the_one_before_that(tmp_path: Path) -> None:
    now, previous = tmp_path / "a.key", tmp_path / "a.previous.key"
    create(now)
    first = read(now)
    rotate(now, previous)
    second = read(now)
    assert read(previous) == first != second
    rotate(now, previous)
    assert read(previous) == second
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.key", "a.previous.key"]


def test_a_reader_finds_the_key_from_before_in_one_of_both_files_at_every_moment(tmp_path: Path) -> None:
    now, previous = tmp_path / "a.key", tmp_path / "a.previous.key"
    create(now)
    rotate(now, previous)
    with ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            before = read(now)
            rotating = pool.submit(rotate, now, previous)
            while not rotating.done():
                assert before in (read(now), read(previous))
            rotating.result()


def test_a_key_that_was_never_made_is_not_rotated(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing):
        rotate(tmp_path / "a.key", tmp_path / "a.previous.key")
    assert list(tmp_path.iterdir()) == []


def test_a_destroyed_key_is_overwritten_removed_and_never_made_again(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    create(path)
    key = path.read_bytes()
    os.link(
        path, tmp_path / ".a.key.12345678"
    )  # as a process leaves it that is killed while it makes the key
    with path.open("rb") as still_open:
        assert destroy(path)
        held = still_open.read()
    assert len(held) == len(key)
    assert held != key, "who holds the file open reads what it was overwritten with"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.key.destroyed"]
    with pytest.raises(KeyDestroyed, match=r"a\.key"):
        create(path)
    assert not destroy(path)


def test_a_key_that_was_never_there_can_be_destroyed_ahead(tmp_path: Path) -> None:
    assert not destroy(tmp_path / "a.key")
    with pytest.raises(KeyDestroyed):
        create(tmp_path / "a.key")


def test_a_folder_gives_each_key_as_it_is_now(tmp_path: Path) -> None:
    path, folder = tmp_path / "a.key", KeyFolder(tmp_path)
    create(path)
    assert folder.read("a.key") == read(path)
    rotate(path, tmp_path / "a.previous.key")
    assert folder.read("a.key") == read(path)
    destroy(path)
    with pytest.raises(KeyMissing, match=r"a\.key"):
        folder.read("a.key")
