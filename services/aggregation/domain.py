"""What the figures are: a fold over outcomes. Pure; everything else only feeds it or shows it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Self
from uuid import UUID

from contracts.city_time import CITY_TIME, city_day
from contracts.events import Outcome, RatingAccepted, RatingRejected, RatingWithdrawn

ALL_EDITIONS = "*"
ALL_DAYS = date.max  # PostgreSQL's 'infinity'; contracts let no year past 9000 in


class Level(StrEnum):
    """Whom figures are about, from the most to the fewest scopes: rows are written in this order, so that the
    rows every worker needs (the city's) are locked last and for the shortest time."""

    OFFICER = "officer"
    UNIT = "unit"
    GROUP = "group"
    CITY = "city"

    @property
    def parent(self) -> "Level | None":
        return _PARENTS.get(self)

    @property
    def children(self) -> "Level | None":
        return _CHILDREN.get(self)


_PARENTS = {Level.OFFICER: Level.UNIT, Level.UNIT: Level.GROUP, Level.GROUP: Level.CITY}
_CHILDREN = {parent: child for child, parent in _PARENTS.items()}
_RANK = {level: rank for rank, level in enumerate(Level)}


class Scope(NamedTuple):
    level: Level
    id: str


CITY = Scope(Level.CITY, "city")


class Measure(StrEnum):
    ANSWER = "answer"
    REASON = "reason"
    CHANNEL = "channel"
    ASSURANCE = "assurance"
    HOUR = "hour"
    WEEKDAY = "weekday"
    REJECTION = "rejection"


class Tally(NamedTuple):
    """What one counter counts. `day` ALL_DAYS and `edition_id` ALL_EDITIONS mark totals."""

    scope: Scope
    edition_id: str
    day: date
    measure: Measure
    item: str

    @property
    def order(self) -> tuple[int, str, str, date, str, str]:
        """One order for every writer, so that two of them never lock each other out."""
        return (_RANK[self.scope.level], self.scope.id, self.edition_id, self.day, self.measure, self.item)


def weekday(day: date) -> str:
    return str(day.isoweekday())


def measured(outcome: Outcome) -> Iterator[tuple[Measure, str]]:
    """What an outcome adds one to, or a withdrawal takes one from: the only place that says what counts.

    A reason named twice counts once. Of a rejected rating nothing counts but why it was rejected. Hours are
    "00" to "23", weekdays "1" (Monday) to "7", both of the submission in city time.
    """
    match outcome:
        case RatingAccepted() | RatingWithdrawn():
            yield Measure.ANSWER, outcome.answer
            yield Measure.CHANNEL, outcome.channel
            yield Measure.ASSURANCE, outcome.assurance
            submitted = outcome.submitted_at.astimezone(CITY_TIME)
            yield Measure.HOUR, f"{submitted.hour:02}"
            yield Measure.WEEKDAY, weekday(submitted)
            for reason in set(outcome.reasons):
                yield Measure.REASON, reason
        case RatingRejected():
            yield Measure.REJECTION, outcome.reason
        case _:
            raise TypeError(f"no outcome: {type(outcome).__name__}")


def fold(outcomes: Iterable[Outcome]) -> Counter[Tally]:
    """The increments of a batch: each outcome counts for its officer, unit, group and the city, for its day
    and its edition, its edition as a whole, and all editions.

    A withdrawal takes away what its acceptance added, on the same day. Adding is commutative, so neither
    order nor the cut into batches changes a figure.
    """
    increments: dict[Tally, int] = {}
    days = _days(outcomes)
    for level in Level:  # each from the one below it: there are fewer, the higher up
        _tallied(increments, level, days, all_editions=True)
        days = _above(days)
    return Counter(increments)


def officers_fold(outcomes: Iterable[Outcome]) -> Counter[Tally]:
    """The same for officers alone, and within editions alone: where figures are released."""
    increments: dict[Tally, int] = {}
    _tallied(increments, Level.OFFICER, _days(outcomes), all_editions=False)
    return Counter(increments)


def released_with(increments: Mapping[Tally, int], held: Mapping[Tally, int]) -> dict[Tally, int]:
    """Of what is added, what is released with it: of officers, within editions, all that is not held.

    `held` as `officers_fold` gives it.
    """
    return {
        tally: count - held.get(tally, 0)
        for tally, count in increments.items()
        if tally.scope.level is Level.OFFICER and tally.edition_id != ALL_EDITIONS
    }


_Counts = dict[tuple[Measure, str], int]
_Days = dict[tuple[tuple[str, ...], str, date], _Counts]
"""Whose (the ids from the scope itself up to the city), in which edition, on which day: what is counted."""


def _days(outcomes: Iterable[Outcome]) -> _Days:
    """What is counted of officers by day: everything else is the sum of these."""
    days: _Days = {}
    for outcome in outcomes:
        day = _whose(outcome), outcome.edition_id, city_day(outcome.submitted_at)
        counts = days.get(day)
        if counts is None:
            counts = days[day] = {}
        by = -1 if type(outcome) is RatingWithdrawn else 1
        for what in measured(outcome):
            counts[what] = counts.get(what, 0) + by
    return days


def _above(days: _Days) -> _Days:
    """The same of the scopes above."""
    found: _Days = {}
    for (whose, edition, day), counts in days.items():
        _add(found.setdefault((whose[1:], edition, day), {}), counts)
    return found


def _add(sums: _Counts, counts: _Counts) -> None:
    for what, count in counts.items():
        sums[what] = sums.get(what, 0) + count


def _tallied(increments: dict[Tally, int], level: Level, days: _Days, *, all_editions: bool) -> None:
    """Of the scopes of one level: their days, their editions as a whole, and all editions."""
    # Two units may have one officer in turn: so what is put in may be there already.
    sums: dict[tuple[str, str, date], _Counts] = {}
    for (whose, edition, day), counts in days.items():
        _add(sums.setdefault((whose[0], edition, day), {}), counts)
        _add(sums.setdefault((whose[0], edition, ALL_DAYS), {}), counts)
        if all_editions:
            _add(sums.setdefault((whose[0], ALL_EDITIONS, ALL_DAYS), {}), counts)
    for (of, edition, day), counts in sums.items():
        scope = Scope(level, of)
        for (measure, item), count in counts.items():
            increments[Tally(scope, edition, day, measure, item)] = count


class Acceptance(NamedTuple):
    """What is counted of a unit to tell later how its figures stood: when a rating was submitted, when it
    began to count, and when it ceased to (ALL_DAYS: it counts)."""

    unit_id: str
    edition_id: str
    day: date
    accepted_day: date
    withdrawn_day: date
    answer: str


def acceptances(outcomes: Iterable[Outcome]) -> Counter[Acceptance]:
    found: Counter[Acceptance] = Counter()
    for outcome in outcomes:
        match outcome:
            case RatingAccepted():
                found[_acceptance(outcome, outcome.decided_at, ALL_DAYS)] += 1
            case RatingWithdrawn():
                found[_acceptance(outcome, outcome.accepted_at, ALL_DAYS)] -= 1
                found[_acceptance(outcome, outcome.accepted_at, city_day(outcome.decided_at))] += 1
    return found


def _acceptance(
    outcome: RatingAccepted | RatingWithdrawn, accepted_at: datetime, withdrawn_day: date
) -> Acceptance:
    submitted, accepted = city_day(outcome.submitted_at), city_day(accepted_at)
    return Acceptance(outcome.unit_id, outcome.edition_id, submitted, accepted, withdrawn_day, outcome.answer)


def parents(outcomes: Iterable[Outcome]) -> dict[Scope, str | None]:
    """Every scope that the outcomes touch, with the id of the scope above it when it was first rated."""
    found: dict[Scope, str | None] = {}
    for officer, unit, group, city in dict.fromkeys(map(_whose, outcomes)):
        found.setdefault(Scope(Level.OFFICER, officer), unit)
        found.setdefault(Scope(Level.UNIT, unit), group)
        found.setdefault(Scope(Level.GROUP, group), city)
        found[CITY] = None
    return found


def _whose(outcome: Outcome) -> tuple[str, str, str, str]:
    return outcome.officer_id, outcome.unit_id, outcome.group_id, CITY.id


# --- what of a batch is new ------------------------------------------------------------------------------


class Hole(Exception):
    """Records between the checkpoint and one read were never handed over: read again from the checkpoint."""


class LogShortened(Exception):
    """The log no longer holds what comes next: it was cut, or made again."""


class Read(NamedTuple):
    """One record as it was read. `follows` is the position from which reading went on to this record: nothing
    committed lies between. `outcome` is None for a record that can never be read."""

    offset: int
    follows: int
    outcome: Outcome | None


def admit(next_offset: int, records: Sequence[Read]) -> tuple[list[Read], int]:
    """The records of a partition that its checkpoint has not counted, and the checkpoint after them.

    Offsets alone cannot show a lost record, for transaction markers and aborted records leave gaps; `follows`
    does: the records must join on to the checkpoint and to each other. Raises Hole where they do not.
    """
    fresh = []
    for record in records:
        if record.offset < next_offset:
            continue  # delivered again
        if record.follows > next_offset:
            raise Hole(f"expected what follows {next_offset}, was given what follows {record.follows}")
        fresh.append(record)
        next_offset = record.offset + 1
    return fresh, next_offset


class Once(NamedTuple):
    """What counts once: a submission's outcome, and its withdrawal."""

    submission_id: UUID
    withdrawn: bool

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        return cls(outcome.submission_id, type(outcome) is RatingWithdrawn)


def first_of_each(records: Iterable[Read]) -> dict[Once, Outcome]:
    """The outcome of each submission, and its withdrawal, in the order of the log; the first ones win."""
    found: dict[Once, Outcome] = {}
    for record in records:
        if record.outcome is not None:
            found.setdefault(Once.of(record.outcome), record.outcome)
    return found
