"""Keys in a backup: sealed, and what was destroyed does not come back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chassis import key_files
from deploy.backup import files, keys
from deploy.backup.files import Keys, Manifest, Unusable
from services.intake.adapters.key_files import create_keys as create_intake
from services.intake.adapters.key_files import destroy_keys
from services.verification.adapters.key_files import create_keys, destroy_edition, retire_key, rotate_edition

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def services(tmp_path: Path) -> list[Path]:
    """Both services' folders, with the keys of an edition."""
    folders = [tmp_path / "keys" / name for name in ("intake", "verification")]
    create_intake(folders[0], "2017")
    create_keys(folders[1], "2017")
    return folders


@pytest.fixture
def recovery(tmp_path: Path) -> Path:
    path = tmp_path / "safe" / "recovery.key"
    keys.create_recovery_key(path)
    return path


def take(folder: Path, services: list[Path], recovery: Path, at: datetime = NOW) -> Keys:
    with files.unfinished(folder) as part:
        taken = keys.take(part, services, keys.create_recovery_key(recovery))
        files.write(part, Manifest(taken_at=at, keys=taken))
    return taken


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_keys_come_back_as_they_were_for_their_owner_alone(
    services: list[Path], recovery: Path, tmp_path: Path
) -> None:
    taken = take(tmp_path / "b", services, recovery)
    to = tmp_path / "restored"
    back, gone = keys.put_back(tmp_path / "b", taken, to, recovery, ())
    assert contents(to) == contents(tmp_path / "keys")
    assert {p.stat().st_mode & 0o777 for p in to.rglob("*") if p.is_file()} == {0o600}
    assert (sorted(back), gone) == (sorted(contents(tmp_path / "keys")), [])
    keys.put_back(tmp_path / "b", taken, to, recovery, ())  # and once more, to no harm


def test_no_key_is_in_the_clear_anywhere_in_a_backup(
    services: list[Path], recovery: Path, tmp_path: Path
) -> None:
    take(tmp_path / "b", services, recovery)
    backup = b"".join(contents(tmp_path / "b").values())
    assert not [name for name, key in contents(tmp_path / "keys").items() if key.strip() in backup]


def test_another_recovery_key_opens_nothing(services: list[Path], recovery: Path, tmp_path: Path) -> None:
    taken = take(tmp_path / "b", services, recovery)
    keys.create_recovery_key(tmp_path / "other.key")
    with pytest.raises(Unusable, match="are sealed for"):
        keys.put_back(tmp_path / "b", taken, tmp_path / "to", tmp_path / "other.key", ())
    assert not (tmp_path / "to").exists()


def test_another_key_of_the_name_is_never_overwritten(
    services: list[Path], recovery: Path, tmp_path: Path
) -> None:
    taken = take(tmp_path / "b", services, recovery)
    key_files.create(tmp_path / "to" / "verification" / "challenge.key")
    before = contents(tmp_path / "to")
    with pytest.raises(Unusable, match=r"challenge\.key is another key"):
        keys.put_back(tmp_path / "b", taken, tmp_path / "to", recovery, ())
    assert contents(tmp_path / "to") == before


def test_what_the_place_restored_to_knows_to_be_destroyed_stays_so(
    services: list[Path], recovery: Path, tmp_path: Path
) -> None:
    rotate_edition(services[1], "2017")
    taken = take(tmp_path / "b", services, recovery)
    destroy_keys(services[0], "2017")
    destroy_edition(services[1], "2017")
    _, gone = keys.put_back(tmp_path / "b", taken, tmp_path / "keys", recovery, ())
    assert gone == [
        "intake/2017.pseudonym.key",
        "verification/2017-1.sealing.key",
        "verification/2017-2.sealing.key",
    ]
    assert not [name for name in gone if (tmp_path / "keys" / name).exists()]


def test_what_a_later_backup_knows_to_be_destroyed_stays_so_and_gets_its_tombstone(
    services: list[Path], recovery: Path, tmp_path: Path
) -> None:
    rotate_edition(services[1], "2017")
    older = take(tmp_path / "backups" / "1", services, recovery)
    retire_key(services[1], "2017-1")
    take(tmp_path / "backups" / "2", services, recovery, NOW + timedelta(days=1))
    later = keys.destroyed_since(tmp_path / "backups" / "1")
    assert later == {"verification/2017-1.sealing.key"}
    assert keys.destroyed_since(tmp_path / "backups" / "2") == set()
    _, gone = keys.put_back(tmp_path / "backups" / "1", older, tmp_path / "to", recovery, later)
    assert gone == ["verification/2017-1.sealing.key"]
    with pytest.raises(key_files.KeyDestroyed):
        key_files.create(tmp_path / "to" / gone[0])


def test_an_edition_that_ended_takes_all_its_numbered_keys_along_and_no_others(
    services: list[Path], recovery: Path, tmp_path: Path
) -> None:
    create_keys(services[1], "2017-1-again")
    taken = take(tmp_path / "b", services, recovery)
    back, gone = keys.put_back(
        tmp_path / "b", taken, tmp_path / "to", recovery, {"verification/2017.edition"}
    )
    assert gone == ["verification/2017-1.sealing.key"]
    assert "verification/2017-1-again-1.sealing.key" in back
