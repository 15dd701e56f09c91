"""The office voids a wave of ratings: first the wave is on the log, then each of its ratings."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol, TypeVar

from contracts.envelope import Envelope, encode
from contracts.events import RatingSubmitted, RatingVoidRequested, WaveVoided
from contracts.topics import DIRECTORY, RATING_SUBMISSIONS, key_of
from services.intake.domain.waves import SOURCE, Found, requests
from services.intake.ports import Log

T = TypeVar("T")
AT_ONCE = 200
Told = Callable[[int, int], None]
"""Hears how much of how much is done."""


class SubmissionsLog(Protocol):
    """All that the topic keeps. Both raise outages of Kafka."""

    async def extent(self) -> int: ...

    def events(self) -> AsyncIterator[tuple[int, Sequence[RatingSubmitted | RatingVoidRequested]]]:
        """In batches, each with how many offsets it went on by."""


async def look(submissions: SubmissionsLog, wave: WaveVoided, told: Told) -> Found:
    """What the wave is made of. Changes nothing."""
    found, done, extent = Found(), 0, await submissions.extent()
    async for went_on, events in submissions.events():
        for event in events:
            found.take(wave, event)
        done += went_on
        told(done, extent)
    return found


async def void(log: Log, wave: WaveVoided, found: Found, told: Told, *, published: bool) -> None:
    """Ask for all of it that was not asked for. Raises NotKept: the same call sends what is left.

    What comes twice counts once: verification withdraws a rating once, whoever asks.
    """
    if not published:
        envelope = Envelope(
            id=wave.wave_id,
            source=SOURCE,
            subject=key_of(wave),
            time=wave.voided_at,
            correlation_id=wave.wave_id,
            data=wave,
        )
        await log.append(DIRECTORY.name, encode(envelope, key=key_of(wave)))
    asked, left = 0, iter(requests(wave, found.left))
    while batch := _next(left):
        await asyncio.gather(
            *(log.append(RATING_SUBMISSIONS.name, encode(each, key=key_of(each.data))) for each in batch)
        )
        asked += len(batch)
        told(asked, len(found.left))


def _next(left: Iterator[T]) -> list[T]:
    return list(islice(left, AT_ONCE))
