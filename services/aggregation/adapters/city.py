"""The city's figures as stored, with what is made of them, kept for as long as nothing has changed.

Everything in a `City` is of one version. What few ask for is read when they do, and added. Of the next
version only what has moved is read: a unit's counters change with its revision, and in no other way.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from contracts.city_time import CITY_TIME
from contracts.events import Publication
from services.aggregation.documents import Merger
from services.aggregation.domain import Level, Measure, Scope
from services.aggregation.publication import View
from services.aggregation.releasing import Standing
from services.aggregation.stored import ByDay, Cells, Counts, Mark, Stored, Tallied, alone

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.pool.PoolConnectionProxy

_VERSION = """
SELECT r.value AS revision, r.xmin::text AS written, r.tableoid::bigint AS generation, v.value AS directory,
    pg_postmaster_start_time() AS server FROM revision AS r, directory.version AS v
"""
_SCOPES = "SELECT level, id, parent_id, revision, updated_at FROM scope"
_STANDINGS = "SELECT officer_id, edition_id, accepted, pending, since, last FROM standing"
_UNITS = """
SELECT scope_id, edition_id, json_agg(json_build_array(measure, item, count)) AS counts FROM tally
WHERE level = 'unit' AND scope_id = ANY ($1::text[]) AND day = 'infinity' AND edition_id <> '*'
GROUP BY scope_id, edition_id
"""
_OFFICERS = """
SELECT scope_id, edition_id, json_agg(json_build_array(measure, item, count, released)) AS counts FROM tally
WHERE level = 'officer' AND scope_id = ANY ($1::text[]) AND day = 'infinity' AND edition_id <> '*'
GROUP BY scope_id, edition_id
"""
_POLICIES = "SELECT edition_id, officer_batch, officer_hour, suppress_below FROM publication"
_DAYS = """
SELECT t.level, t.scope_id, t.edition_id, t.day, t.item, t.count, t.released
FROM unnest($1::text[], $2::text[]) AS s (level, id)
JOIN tally AS t ON t.level = s.level AND t.scope_id = s.id AND t.day < 'infinity' AND t.measure = 'answer'
"""
_MEASURES = {each.value: each for each in Measure}
_LEVELS = {each.value: each for each in Level}


class Version(NamedTuple):
    """Who finds the same would read the same. `written` and `server` tell apart revisions of one number, one
    of which was lost with a server or undone by a backup; `generation` changes with a rebuild; days and
    mornings begin with an `hour` of the city."""

    revision: int
    written: str
    generation: int
    directory: int
    server: datetime
    hour: datetime

    def same_tables(self, other: "Version") -> bool:
        return (self.generation, self.server) == (other.generation, other.server)


async def version_of(connection: "Connection | asyncpg.Pool", now: datetime) -> Version:
    """Of the moment that the connection sees. `now` is that by which figures are shown."""
    (row,) = await connection.fetch(_VERSION)
    hour = now.astimezone(CITY_TIME).replace(minute=0, second=0, microsecond=0)
    return Version(row["revision"], row["written"], row["generation"], row["directory"], row["server"], hour)


class City:
    """`names` and `mergers` hold what has been asked for so far."""

    def __init__(self, version: Version, stored: Stored, view: View) -> None:
        self.version = version
        self.stored = stored
        self.view = view
        self.names: dict[Scope, asyncpg.Record] = {}
        self.mergers: dict[str, Merger] = {}
        self._units_taken: set[str] = set()
        self._days: ByDay = {}
        self._days_read: set[Scope] = set()

    def keep(self, before: "City", unmoved: Collection[str]) -> None:
        """What holds still: days of the units that have not moved, and names where nothing new was named."""
        of_units = {Scope(Level.UNIT, unit) for unit in unmoved}
        self._days_read = before._days_read & of_units
        self._days = {
            edition: {scope: days for scope, days in its.items() if scope in self._days_read}
            for edition, its in before._days.items()
        }
        now, then = self.version, before.version
        known = (now.directory, now.hour, len(self.stored.marks))
        if known == (then.directory, then.hour, len(before.stored.marks)):
            self.names, self.mergers = before.names, before.mergers

    async def take_officers(self, connection: "Connection", scopes: Sequence[Scope]) -> None:
        """Before officers are shown. An officer's figures hang on those of all officers of the unit."""
        asked = (scope.id for scope in scopes if scope.level is Level.OFFICER)
        units = {self.stored.officers[each] for each in asked if each in self.stored.officers}
        missing = units - self._units_taken
        if missing:
            theirs = [officer for officer, unit in self.stored.officers.items() if unit in missing]
            self.view.take(await _of_officers(connection, theirs))
            self._units_taken |= missing

    async def days(self, connection: "Connection", scopes: Collection[Scope]) -> ByDay:
        """Those of the scopes, and maybe of others."""
        missing = sorted(set(scopes) - self._days_read)
        if missing:
            found = await _days(connection, missing)
            self._days = {
                edition: {**self._days.get(edition, {}), **found.get(edition, {})}
                for edition in {*self._days, *found}
            }
            self._days_read |= set(missing)
        return self._days


class Cities:
    """The newest version that was read, for all readers of a process. `everything`: nothing is left out."""

    def __init__(self, *, everything: bool) -> None:
        self._everything = everything
        self._newest: City | None = None
        self._turn = asyncio.Lock()

    async def at(self, connection: "Connection", now: datetime) -> City:
        """As the connection's transaction sees it, in which nothing has been read yet: so who has the turn
        later sees the same or more."""
        async with self._turn:
            version, before = await version_of(connection, now), self._newest
            if before is not None and before.version == version:
                return before
            if before is not None and not before.version.same_tables(version):
                before = None
            stored, unmoved = await _stored(connection, version, before)
            city = City(version, stored, View(stored, now, everything=self._everything))
            if before is not None:
                city.keep(before, unmoved)
            self._newest = city
            return city


async def _stored(
    connection: "Connection", version: Version, before: City | None
) -> tuple[Stored, Collection[str]]:
    """With the officers who are alone in their unit; and the units that have not moved since `before`."""
    above: dict[Level, dict[str, str]] = {level: {} for level in Level}
    marks = {}
    for level, scope_id, parent_id, revision, updated_at in await connection.fetch(_SCOPES):
        above[_LEVELS[level]][scope_id] = parent_id
        marks[Scope(_LEVELS[level], scope_id)] = Mark(revision, updated_at)
    units, officers = above[Level.UNIT], above[Level.OFFICER]
    standings: dict[str, dict[str, Standing]] = defaultdict(dict)
    for officer, edition, *standing in await connection.fetch(_STANDINGS):
        standings[edition][officer] = Standing(*standing)
    old = Stored(0) if before is None else before.stored
    unmoved = {unit for unit in units if old.marks.get(at := Scope(Level.UNIT, unit)) == marks[at]}
    of_units: dict[str, dict[str, Counts]] = defaultdict(dict)
    for edition, its in old.of_units.items():
        of_units[edition] = {unit: counts for unit, counts in its.items() if unit in unmoved}
    for row in await connection.fetch(_UNITS, list(units.keys() - unmoved)):
        of_units[row["edition_id"]][row["scope_id"]] = _counts(row["counts"], 2)
    same_directory = before is not None and before.version.directory == version.directory
    policies = old.policies if same_directory else await _policies(connection)
    lonely = {officer for theirs in standings.values() for officer in alone(officers, theirs).values()}
    of_officers = await _of_officers(connection, lonely) if lonely else {}
    return (
        Stored(version.revision, units, officers, marks, policies, of_units, of_officers, standings),
        unmoved,
    )


async def _policies(connection: "Connection") -> Mapping[str, Publication]:
    return {
        row["edition_id"]: Publication(
            officer_batch=row["officer_batch"],
            officer_hour=row["officer_hour"],
            suppress_below=row["suppress_below"],
        )
        for row in await connection.fetch(_POLICIES)
    }


async def _of_officers(
    connection: "Connection", officers: Collection[str]
) -> Mapping[str, Mapping[str, Tallied]]:
    found: dict[str, dict[str, Tallied]] = defaultdict(dict)
    for row in await connection.fetch(_OFFICERS, sorted(officers)):
        tallied = Tallied(_counts(row["counts"], 2), _counts(row["counts"], 3))
        found[row["edition_id"]][row["scope_id"]] = tallied
    return found


async def _days(connection: "Connection", scopes: Sequence[Scope]) -> ByDay:
    found: dict[str, dict[Scope, dict[date, tuple[Cells, Cells]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(lambda: (Cells(), Cells())))
    )
    rows = await connection.fetch(_DAYS, [scope.level for scope in scopes], [scope.id for scope in scopes])
    for level, scope_id, edition, day, item, count, released in rows:
        cells = found[edition][Scope(_LEVELS[level], scope_id)][day]
        cells[0][Measure.ANSWER, item], cells[1][Measure.ANSWER, item] = count, released
    return {
        edition: {scope: {day: Tallied(*cells) for day, cells in days.items()} for scope, days in its.items()}
        for edition, its in found.items()
    }


def _counts(rows: str, column: int) -> Cells:
    return Cells({(_MEASURES[row[0]], row[1]): row[column] for row in json.loads(rows) if row[column]})
