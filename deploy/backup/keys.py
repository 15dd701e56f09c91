"""Keys to a sealed file and back: nothing but the recovery key opens it, and that stays elsewhere.

The recovery key's public half is all that a backup needs. What was destroyed never comes back from a backup
in which it still was, as far as the place restored to, or a later backup beside it, says that it was.
"""

import base64
import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

from chassis import key_files
from chassis.key_files import KeyMissing, private_folder
from deploy.backup import files
from deploy.backup.files import Keys, Unusable, described, private

SEALED = "keys.sealed"
TOMBSTONE = ".destroyed"


def create_recovery_key(path: Path) -> str:
    """Make it unless it is there; returns its public half. Raises Unusable."""
    try:
        key_files.create(path)
        return _public(key_files.read(path))
    except KeyMissing as error:
        raise Unusable(f"{path} is no recovery key: {error}") from error


def take(folder: Path, folders: Sequence[Path], public_key: str) -> Keys:
    """All files below `folders`, each under its folder's name. Raises Unusable."""
    content = io.BytesIO()
    names: list[str] = []
    with tarfile.open(fileobj=content, mode="w") as archive:
        for each in folders:
            if not each.is_dir():
                raise Unusable(f"{each} is no folder of keys.")
            # A name with a leading dot is a key that is just being made.
            for path in sorted(p for p in each.rglob("[!.]*") if p.is_file()):
                name = f"{each.name}/{path.relative_to(each)}"
                archive.add(path, name)
                names.append(name)
    try:
        box = SealedBox(PublicKey(base64.b64decode(public_key, validate=True)))
    except (ValueError, TypeError) as error:
        raise Unusable("The recovery key's public half is no key.") from error
    with private(folder / SEALED) as file:
        file.write(box.encrypt(content.getvalue()))
    return Keys(
        file=described(folder, folder / SEALED),
        sealed_for=public_key,
        names=tuple(name for name in names if not name.endswith(TOMBSTONE)),
        destroyed=tuple(name.removesuffix(TOMBSTONE) for name in names if name.endswith(TOMBSTONE)),
    )


def put_back(
    folder: Path, keys: Keys, to: Path, recovery_key: Path, also_destroyed: Iterable[str]
) -> tuple[list[str], list[str]]:
    """The names that were restored, and of those that were destroyed since. Raises Unusable.

    What is there already must be the same. `also_destroyed`: what later backups say.
    """
    content = _opened(folder / keys.file.name, keys, recovery_key)
    gone = {*keys.destroyed, *also_destroyed, *_destroyed_in(to)}
    kept = {name: held for name, held in content.items() if not _is_of(name, gone)}
    for name, held in kept.items():
        there = (to / name).exists() and not name.endswith(TOMBSTONE)
        if there and (to / name).read_bytes() != held:
            raise Unusable(f"{to / name} is another key: restore to where there is none.")
    for name, held in kept.items():
        if not (to / name).exists():
            with private(to / name) as file:
                file.write(held)
    for name in gone:
        tombstone = to / f"{name}{TOMBSTONE}"
        if not tombstone.exists():
            private_folder(tombstone.parent)
            private(tombstone).close()
    back = [name for name in kept if not name.endswith(TOMBSTONE)]
    return back, sorted(name for name in content.keys() - kept.keys() if not name.endswith(TOMBSTONE))


def destroyed_since(folder: Path) -> set[str]:
    """What backups beside this one, that are later, know to be destroyed."""
    taken_at = files.read(folder).taken_at
    found: set[str] = set()
    for other in folder.absolute().parent.glob(f"*/{files.MANIFEST}"):
        manifest = files.read(other.parent)
        if manifest.keys is not None and manifest.taken_at > taken_at:
            found |= set(manifest.keys.destroyed)
    return found


def _opened(path: Path, keys: Keys, recovery_key: Path) -> Mapping[str, bytes]:
    try:
        key = key_files.read(recovery_key)
        plain = SealedBox(PrivateKey(key)).decrypt(path.read_bytes())
    except KeyMissing as error:
        raise Unusable(f"There is no recovery key at {recovery_key}: {error}") from error
    except CryptoError as error:
        raise Unusable(
            f"The keys are sealed for {keys.sealed_for}, not for {_public(key)} of {recovery_key}."
        ) from error
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        members = [member for member in archive if member.isfile()]
        content = {each.name: held.read() for each in members if (held := archive.extractfile(each))}
    for name in content:
        if name.startswith("/") or ".." in Path(name).parts:
            raise Unusable(f"The backup names a file outside of the keys: {name}")
    return content


def _destroyed_in(to: Path) -> set[str]:
    return {str(path.relative_to(to)).removesuffix(TOMBSTONE) for path in to.rglob(f"*{TOMBSTONE}")}


def _is_of(name: str, destroyed: Iterable[str]) -> bool:
    """Whether it is a destroyed key, or, of an edition that has ended, one of its numbered keys."""
    for each in destroyed:
        if name == each:
            return True
        edition = each.removesuffix(".edition")
        if edition != each and _numbered(name, edition):
            return True
    return False


def _numbered(name: str, edition: str) -> bool:
    number = name.removeprefix(f"{edition}-").removesuffix(".sealing.key")
    return name == f"{edition}-{number}.sealing.key" and number.isdecimal()


def _public(key: bytes) -> str:
    return base64.b64encode(bytes(PrivateKey(key).public_key)).decode()
