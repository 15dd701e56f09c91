"""The end of keys: of one that nothing needs any more, or of all that an edition ever had."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol


class StillNeeded(Exception):
    """The text says by what, a line each."""


class Kept(Protocol):
    """What Kafka keeps. All raise outages."""

    async def sealed_for(self, key_id: str) -> int: ...
    async def undecided(self, edition_id: str) -> int: ...
    async def published_key(self, edition_id: str) -> str | None: ...


class Store(Protocol):
    """What the database keeps. The last four are a batch each, and return how many rows it was."""

    async def texts_sealed_for(self, key_id: str) -> int: ...
    async def slots_of(self, edition_id: str) -> int: ...
    async def texts_of(self, edition_id: str) -> int: ...
    async def counts_of(self, edition_id: str) -> int: ...
    async def pseudonyms_of(self, edition_id: str) -> int: ...


async def check_retired(kept: Kept, store: Store, key_id: str) -> None:
    """Raises StillNeeded where a box may still have to be opened with the key."""
    edition_id = key_id.rpartition("-")[0]
    reasons = []
    if await kept.published_key(edition_id) == key_id:
        reasons.append(f"edition {edition_id} is published with it, so intake seals with it")
    if messages := await kept.sealed_for(key_id):
        reasons.append(f"{messages} messages that Kafka keeps are sealed for it")
    if texts := await store.texts_sealed_for(key_id):
        reasons.append(f"{texts} SMS to be sent need it")
    if reasons:
        raise StillNeeded("\n".join(reasons))


async def check_destroyed(kept: Kept, edition_id: str) -> None:
    """Raises StillNeeded where a submission would be decided without what tells duplicates."""
    if undecided := await kept.undecided(edition_id):
        raise StillNeeded(
            f"{undecided} submissions of edition {edition_id} wait for the worker to decide them"
        )


async def forget_edition(store: Store, edition_id: str) -> Mapping[str, int]:
    """Remove what the database keeps under the edition's pseudonyms, and what is sealed for its keys."""
    return {
        "slots": await _all(store.slots_of, edition_id),
        "texts": await _all(store.texts_of, edition_id),
        "counts": await _all(store.counts_of, edition_id),
        "pseudonyms": await _all(store.pseudonyms_of, edition_id),
    }


async def _all(batch: Callable[[str], Awaitable[int]], edition_id: str) -> int:
    total = 0
    while found := await batch(edition_id):
        total += found
    return total
