"""When an officer's figures move: a batch at a time, so that no move tells how one citizen rated. Pure.

What is released is a function of the officer's outcomes in the order of the log: nothing else decides it,
neither the moment of reading nor the cut into batches.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from contracts.city_time import CITY_TIME, city_day
from contracts.events import Outcome, RatingAccepted, RatingWithdrawn

LEAST_BY_MORNING = 3
"""A morning releases no fewer: of two ratings, each citizen could work out the other's."""


_ADDS = {RatingAccepted: 1, RatingWithdrawn: -1}


class Officer(NamedTuple):
    """An officer in an edition."""

    officer_id: str
    edition_id: str


class Standing(NamedTuple):
    """What of an officer's ratings is not released yet. `since` is the first day of it, `last` the day on
    which its last accepted rating was decided, or one was withdrawn."""

    accepted: int = 0  # all of them that count, released or not
    pending: int = 0  # accepted and not released, less those withdrawn since: may be below nothing
    since: date | None = None
    last: date | None = None


class Release(NamedTuple):
    """What outcomes do to an officer's figures: whether all that was pending before is released, how many of
    the outcomes are (the first so many), and how it stands afterwards."""

    earlier: bool
    released: int
    standing: Standing


def release(before: Standing, outcomes: Sequence[Outcome], batch: int) -> Release:
    """Take in outcomes of one officer and edition, in the order of the log.

    A batch that is full is released with its last rating; a smaller one when something is decided on a later
    day. Rejections go with the ratings around them.

    A withdrawal takes one from what is pending, whether the rating itself was: so a move is of at least as
    many ratings, however many of them came and went unseen; and of as many withdrawals, where those are more.
    """
    earlier, released, standing = False, 0, before
    for place, outcome in enumerate(outcomes):
        decided = city_day(outcome.decided_at)
        if standing.last is not None and decided > standing.last and _enough(standing.pending, batch):
            earlier, released = True, place
            standing = Standing(standing.accepted)
        standing = _with(standing, outcome, decided)
        if abs(standing.pending) >= batch:
            earlier, released = True, place + 1
            standing = Standing(standing.accepted)
    return Release(earlier, released, standing)


def due(standing: Standing, batch: int, hour: int) -> datetime | None:
    """The morning from which what is pending is public although nothing came after it; None where it
    waits."""
    if standing.last is None or not _enough(standing.pending, batch):
        return None
    return datetime.combine(standing.last + timedelta(days=1), time(hour), CITY_TIME)


def _enough(pending: int, batch: int) -> bool:
    return abs(pending) >= min(LEAST_BY_MORNING, batch)


def _with(standing: Standing, outcome: Outcome, decided: date) -> Standing:
    day = city_day(outcome.submitted_at)
    since = day if standing.since is None else min(day, standing.since)
    by = _ADDS.get(type(outcome))
    if by is None:
        return standing._replace(since=since)
    last = decided if standing.last is None else max(decided, standing.last)
    return Standing(standing.accepted + by, standing.pending + by, since, last)


class Moves(NamedTuple):
    """What a batch of outcomes releases. `earlier`: of whom all is released that was counted before, from
    which day on; `released`: outcomes of the batch itself, `held` those that are not; `standings`: how all of
    them stand afterwards."""

    earlier: Mapping[Officer, date]
    released: Sequence[Outcome]
    held: Mapping[Officer, Sequence[Outcome]]
    standings: Mapping[Officer, Standing]
    moved: frozenset[str]


def moves(
    outcomes: Iterable[Outcome], before: Mapping[Officer, Standing], batches: Mapping[str, int]
) -> Moves:
    """`outcomes` in the order of the log, `before` and `batches` (by edition) of all that are in them."""
    grouped: dict[Officer, list[Outcome]] = {}
    for outcome in outcomes:
        grouped.setdefault(Officer(outcome.officer_id, outcome.edition_id), []).append(outcome)
    earlier: dict[Officer, date] = {}
    released: list[Outcome] = []
    held: dict[Officer, Sequence[Outcome]] = {}
    standings: dict[Officer, Standing] = {}
    moved = set()
    for officer, theirs in grouped.items():
        standing = before[officer]
        done = release(standing, theirs, batches[officer.edition_id])
        standings[officer] = done.standing
        released += theirs[: done.released]
        if done.released < len(theirs):
            held[officer] = theirs[done.released :]
        if done.earlier:
            moved.add(officer.officer_id)
            if standing.since is not None:
                earlier[officer] = standing.since
    return Moves(earlier, released, held, standings, frozenset(moved))
