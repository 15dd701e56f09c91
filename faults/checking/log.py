"""The whole log and the directory, and what is public of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from faults.checking.figures import CITY_HOURS
from faults.checking.handled import Handled
from faults.checking.published import CITY, Edition, Public, Rules, Scope
from faults.checking.reading import Record, read

DAYS = 30


@dataclass(frozen=True)
class Log:
    """All outcomes, what is public of them now, and what the directory says of each unit and officer by its
    key."""

    outcomes: Sequence[Record]
    editions: Sequence[Edition]
    today: date
    directory: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    handled: Handled = field(default_factory=Handled)

    def of(self, scope: Scope) -> Public:
        return together(each.of(scope) for each in self.editions)

    def days(self, scope: Scope) -> dict[date, Public]:
        found: dict[date, Public] = {}
        for edition in self.editions:
            for day, part in edition.days(scope).items():
                found.setdefault(day, Public()).add(part)
        return found

    def between(self, scope: Scope, first: date, last: date) -> Public:
        """Of the days from `first` to `last`; of officers nothing is public."""
        if scope[0] == "officer":
            return Public(hidden=True)
        return together(part for day, part in self.days(scope).items() if first <= day <= last)

    @property
    def two_periods(self) -> tuple[tuple[date, date], tuple[date, date]]:
        """The days that are shown unless it is asked otherwise, and as many before them."""
        first = self.today - timedelta(days=DAYS - 1)
        return (first, self.today), (first - timedelta(days=DAYS), first - timedelta(days=1))

    def most_rated(self, level: str) -> list[str]:
        return [name for name, _ in Counter(each.data[f"{level}_id"] for each in self.outcomes).most_common()]

    @cached_property
    def above(self) -> Mapping[Scope, Scope]:
        """What each place belongs to: as the directory says or, where it does not, as it was rated first."""
        found: dict[Scope, Scope] = {}
        for record in reversed(self.outcomes):
            chain: list[Scope] = [(kind, record.data[f"{kind}_id"]) for kind in ("officer", "unit", "group")]
            found |= dict(zip(chain, [*chain[1:], CITY], strict=True))
        for key, said in self.directory.items():
            kind, _, name = key.partition(":")
            parent: Scope = ("unit", said["unit_id"]) if kind == "officer" else ("group", said["group_id"])
            found[kind, name] = parent
            found |= {parent: CITY} if kind == "unit" else {}
        return found

    def children_of(self, scope: Scope) -> list[Scope]:
        return [each for each, parent in self.above.items() if parent == scope]

    def name_of(self, scope: Scope) -> str:
        """In Vietnamese; the id of one whom the directory does not name."""
        name = self.directory.get(":".join(scope), {}).get("name", scope[1])
        return str(name if isinstance(name, str) else name["vi"])

    def files_in(self, scope: Scope, year: int) -> dict[str, int]:
        """The units in the scope that are known and said how many files they handled."""
        return {
            unit: files
            for unit, files in self.handled.files.get(year, {}).items()
            if ("unit", unit) in self.above and scope in (("unit", unit), self.above["unit", unit], CITY)
        }


def together(parts: Iterable[Public]) -> Public:
    whole = Public()
    for part in parts:
        whole.add(part)
    return whole


async def read_log(bootstrap: str, handled: Handled) -> Log:
    outcomes = sorted(
        (await read(bootstrap, "rating-outcomes")).records, key=lambda r: (r.partition, r.offset)
    )
    directory = (await read(bootstrap, "directory")).records
    rules = _rules(directory)
    by_edition: dict[str, list[Record]] = {}
    for record in outcomes:
        by_edition.setdefault(record.data["edition_id"], []).append(record)
    now = datetime.now(UTC)
    editions = [Edition(theirs, rules.get(name, Rules()), now) for name, theirs in by_edition.items()]
    said = {record.key: record.data for record in directory}
    named = {key: data for key, data in said.items() if data and key.startswith(("unit:", "officer:"))}
    return Log(outcomes, editions, (now + CITY_HOURS).date(), named, handled)


def _rules(directory: Iterable[Record]) -> dict[str, Rules]:
    """A batch stays what it was when the edition was first published; the rest is as it was last."""
    found: dict[str, Rules] = {}
    for record in directory:
        if record.key.startswith("edition:") and record.data:
            said, name = record.data["policy"]["publication"], record.data["edition_id"]
            batch = found[name].batch if name in found else said["officer_batch"]
            found[name] = Rules(batch, said["officer_hour"], said["suppress_below"])
    return found
