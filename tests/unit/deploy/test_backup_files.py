"""A backup's files: what is written is what is read, and nothing else passes for it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.backup import files, records
from deploy.backup.files import Manifest, Partition, Unusable, private
from deploy.backup.records import Record, Writer

CONTENT = st.none() | st.binary(max_size=20)
RECORDS = st.lists(
    st.builds(
        Record,
        st.integers(0, 2**62),
        st.integers(-1, 2**42),
        CONTENT,
        CONTENT,
        st.lists(st.tuples(st.text(max_size=5), CONTENT), max_size=3).map(tuple),
    ),
    max_size=5,
)


@given(kept=RECORDS)
def test_records_are_read_as_they_were_written(
    kept: list[Record], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("records") / "topic-0.jsonl.gz"
    with Writer(path) as file:
        for record in kept:
            file.write(record)
    assert list(records.read(path)) == kept
    assert file.count == len(kept)


def taken(folder: Path) -> Manifest:
    with files.unfinished(folder) as part:
        path = part / "topics" / "t-0.jsonl.gz"
        with Writer(path) as file:
            file.write(Record(3, 5, b"k", b"v", ()))
        partition = Partition(file=files.described(part, path), records=1, ends=4)
        manifest = Manifest(taken_at=datetime.now(UTC), topics={"t": (partition,)})
        files.write(part, manifest)
    return manifest


def test_a_backup_has_its_name_once_it_is_whole_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "monday"
    manifest = taken(folder)
    assert files.read(folder) == manifest
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "topics")} == {0o700}
    with pytest.raises(Unusable, match="exists"), files.unfinished(folder):
        pass


def broken_off(folder: Path) -> None:
    with files.unfinished(folder) as part:
        private(part / "half").close()
        raise KeyboardInterrupt


def test_one_that_was_broken_off_is_none_and_is_in_nobodys_way(tmp_path: Path) -> None:
    folder = tmp_path / "monday"
    with pytest.raises(KeyboardInterrupt):
        broken_off(folder)
    assert not folder.exists()
    taken(folder)
    assert not (folder / "half").exists()


def test_a_file_that_changed_or_went_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "monday"
    manifest = taken(folder)
    checked: list[str] = []
    files.check(folder, manifest, lambda file: checked.append(file.name))
    assert checked == ["topics/t-0.jsonl.gz"]
    path = folder / "topics" / "t-0.jsonl.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(Unusable, match=r"t-0\.jsonl\.gz has changed"):
        files.check(folder, manifest, lambda _: None)
    path.unlink()
    with pytest.raises(Unusable, match="is missing"):
        files.check(folder, manifest, lambda _: None)


def test_a_folder_without_a_manifest_is_no_backup(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="no whole backup"):
        files.read(tmp_path)
