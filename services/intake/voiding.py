"""The office voids a wave of ratings: first the wave is on the log, then each of its ratings."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Protocol, TypeVar

from contracts.envelope import encode
from contracts.events import RatingSubmitted, RatingVoidRequested, WaveVoided
from contracts.topics import RATING_SUBMISSIONS, key_of
from services.intake.domain.changes import Change, Kind
from services.intake.domain.directory import Directory
from services.intake.domain.waves import Found, requests
from services.intake.office import Decide
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


def on_record(wave: WaveVoided) -> Decide:
    """The wave as an action of the office: on `directory`, and with who took it in the office's trail."""

    def decide(_directory: Directory, _day: date) -> Sequence[Change]:
        return [Change(key_of(wave), Kind.ADDED, wave)]

    return decide


async def void(log: Log, wave: WaveVoided, found: Found, told: Told) -> None:
    """Ask for all of it that was not asked for. Raises NotKept: the same call sends what is left.

    What comes twice counts once: verification withdraws a rating once, whoever asks.
    """
    asked, left = 0, iter(requests(wave, found.left))
    while batch := _next(left):
        await asyncio.gather(
            *(log.append(RATING_SUBMISSIONS.name, encode(each, key=key_of(each.data))) for each in batch)
        )
        asked += len(batch)
        told(asked, len(found.left))


def _next(left: Iterator[T]) -> list[T]:
    return list(islice(left, AT_ONCE))
