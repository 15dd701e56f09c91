"""Taking a backup and restoring one, part by part in the order that makes them fit together."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from chassis.kafka import KafkaClient
from deploy.backup import databases, files, filling, keys, topics
from deploy.backup.files import Manifest, Unusable
from deploy.backup.topics import Told


class Part(StrEnum):
    TOPICS = "topics"
    DATABASES = "databases"
    KEYS = "keys"


Progress = Callable[[str, int], AbstractContextManager[Told]]
"""Shows a step by its name, and of how many; 0 where nobody knows."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a system keeps what it cannot make again. `programs`: PostgreSQL's, where not on the PATH."""

    kafka: KafkaClient
    database_urls: Mapping[str, str]
    programs: Path | None = None


async def take(
    folder: Path, place: Place, key_folders: Sequence[Path], public_key: str, progress: Progress
) -> Manifest:
    """Services may run. The folder has its name once it is whole.

    Databases first: what they hold was caused by what the log holds, and catching up adds what they have not
    yet. Keys last: nothing in the topics is sealed for one that is not among them. Raises Unusable and
    outages.
    """
    started = datetime.now(UTC)
    with files.unfinished(folder) as part:
        dumps = {}
        for name, url in place.database_urls.items():
            with progress(f"database {name}", 0):
                dumps[name] = await databases.take(part, name, url, place.programs)
        async with topics.source(place.kafka) as source:
            with progress("topics", source.offsets) as told:
                taken = await source.take(part, told)
        sealed = keys.take(part, key_folders, public_key) if key_folders else None
        manifest = Manifest(
            taken_at=started,
            topics=taken,
            groups=dict(source.groups),
            retention_ms=dict(source.retention_ms),
            databases=dumps,
            keys=sealed,
        )
        files.write(part, manifest)
    return manifest


def check(folder: Path, progress: Progress) -> Manifest:
    """Raises Unusable where a file is not as it was written."""
    manifest = files.read(folder)
    with progress("checksums", sum(file.size for file in manifest.files)) as told:
        files.check(folder, manifest, lambda file: told(file.size))
    return manifest


@dataclass(frozen=True, slots=True)
class Order:
    """`keys_to`: the folder in which services' folders of keys are made."""

    parts: Collection[Part]
    keys_to: Path | None = None
    recovery_key: Path | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """`not_restored`: keys that were destroyed since the backup was taken."""

    records: int = 0
    keys: Sequence[str] = ()
    not_restored: Sequence[str] = ()


async def restore(folder: Path, place: Place, order: Order, progress: Progress) -> Restored:
    """Into empty topics, empty databases and a folder without other keys. Broken off, topics go on where they
    were, after a comparison; each database is restored whole or not at all. Read models are empty afterwards.
    Raises Unusable and outages.
    """
    manifest = check(folder, progress)
    back: list[str] = []
    gone: list[str] = []
    if Part.KEYS in order.parts and manifest.keys is not None:
        if order.keys_to is None or order.recovery_key is None:
            raise Unusable("For the keys give --keys-to and --recovery-key, or leave them out by --only.")
        destroyed = keys.destroyed_since(folder)
        back, gone = keys.put_back(folder, manifest.keys, order.keys_to, order.recovery_key, destroyed)
    records = 0
    if Part.TOPICS in order.parts:
        total = sum(partition.records for topic in manifest.topics.values() for partition in topic)
        with progress("topics", 2 * total) as told:
            records = await filling.put_back(place.kafka, folder, manifest, told)
    if Part.DATABASES in order.parts:
        for name, file in manifest.databases.items():
            with progress(f"database {name}", 0):
                url = place.database_urls[name]
                await databases.put_back(folder / file.name, name, url, place.programs)
    if {Part.TOPICS, Part.DATABASES} & set(order.parts):
        await databases.empty_read_models(place.database_urls[databases.AGGREGATION])
    return Restored(records, back, gone)
