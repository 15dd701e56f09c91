import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chassis.key_files import KeyMissing, create, read


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
