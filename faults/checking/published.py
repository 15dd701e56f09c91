"""What is public of the figures (docs/decisions/0008), reckoned from outcomes anew, by other code.

Where figures of the same size could each be the one that is left out, either may be: a figure is a range.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from faults.checking.figures import (
    CITY_HOURS,
    LEAST_BY_MORNING,
    city_day,
    items,
    moving,
    net,
    once,
    parted,
    sign,
)
from faults.checking.reading import Record

Scope = tuple[str, str]
Key = tuple[str, str]
Range = tuple[int, int]
CITY: Scope = ("city", "city")
IN_TREES, IN_UNITS = ("reason", "rejection"), ("channel", "assurance", "hour", "weekday")
NONE: Range = (0, 0)


@dataclass(frozen=True, slots=True)
class Rules:
    batch: int = 5
    hour: int = 7
    below: int = 5


@dataclass(slots=True)
class Public:
    """Of one scope. `hidden`: whether some ratings are not in it (None: that depends on a tie)."""

    counts: dict[Key, Range] = field(default_factory=dict)
    hidden: bool | None = False
    left_out: dict[str, bool | None] = field(default_factory=dict)

    def add(self, other: "Public") -> None:
        for key, (low, high) in other.counts.items():
            mine = self.counts.get(key, NONE)
            self.counts[key] = mine[0] + low, mine[1] + high
        self.hidden = _either(self.hidden, other.hidden)
        for measure, left in other.left_out.items():
            self.left_out[measure] = _either(self.left_out.get(measure, False), left)


class Edition:
    """One edition's public figures at a moment, from its outcomes in the order of each partition."""

    def __init__(self, records: Iterable[Record], rules: Rules, now: datetime) -> None:
        self._below = rules.below
        every = list({once(record): record for record in reversed(list(records))}.values())
        every.reverse()
        standing: Counter[tuple[str, str]] = Counter()  # ratings that count, by unit and officer
        self._above: dict[Scope, Scope] = {}
        for record in every:
            said = record.data
            chain: list[Scope] = [(kind, said[f"{kind}_id"]) for kind in ("officer", "unit", "group")]
            self._above |= dict(zip(chain, [*chain[1:], CITY], strict=True))
            if record.type != "rating-rejected":
                standing[said["unit_id"], said["officer_id"]] += sign(record)
        rated: dict[str, set[str]] = defaultdict(set)
        for (unit_id, officer_id), count in standing.items():
            if count:
                rated[unit_id].add(officer_id)
        visible = _visible(every, rules, now)
        single = {unit: theirs for unit, theirs in rated.items() if len(theirs) == 1 and rules.batch > 1}
        self.single = set(single)
        self._records: dict[Scope, list[Record]] = defaultdict(list)
        for record in every:
            officer, unit = ("officer", record.data["officer_id"]), ("unit", record.data["unit_id"])
            seen = once(record) in visible
            if seen:
                self._records[officer].append(record)
            if unit[1] not in single or (seen and officer[1] in single[unit[1]]):
                for scope in (unit, self._above[unit], CITY):
                    self._records[scope].append(record)
        self._counts = {scope: _counted(theirs) for scope, theirs in self._records.items()}
        self._shown = self._walk({scope: _total(counts) for scope, counts in self._counts.items()}, None)
        keys = {key for counts in self._counts.values() for key in counts if key[0] in IN_TREES}
        self._items = {
            key: self._walk({scope: counts[key] for scope, counts in self._counts.items()}, self._shown)
            for key in keys
        }

    def of(self, scope: Scope) -> Public:
        counts, shown = self._counts.get(scope, Counter()), self._shown.get(scope, False)
        public = Public(hidden=None if shown is None else bool(_total(counts)) and not shown)
        if shown is False:
            return public
        for key, count in counts.items():
            place: Mapping[Scope, bool | None] = self._items[key] if key[0] in IN_TREES else self._shown
            if key[0] not in IN_UNITS:
                public.counts[key] = _range(count, _both(shown, place.get(scope, False)))
        for unit in self._units(scope):
            self._add_items(unit, public)
        for key, count in counts.items():
            if key[0] in (*IN_TREES, *IN_UNITS):
                low, high = public.counts.get(key, NONE)
                left = None if low < count <= high or shown is None else high < count
                public.left_out[key[0]] = _either(public.left_out.get(key[0], False), left)
        return public

    def _add_items(self, unit: Scope, public: Public) -> None:
        """Channels and the like: what units show, and above them its sum."""
        shown = self._shown.get(unit, False)
        found = {key: n for key, n in self._counts.get(unit, Counter()).items() if key[0] in IN_UNITS}
        hides: dict[object, bool | None] = {}
        for measure in IN_UNITS:
            hides |= _hides([(key, n) for key, n in found.items() if key[0] == measure], self._below)
        for key, count in found.items():
            low, high = _range(count, _both(shown, _not(hides[key])))
            before = public.counts.get(key, NONE)
            public.counts[key] = before[0] + low, before[1] + high

    def days(self, scope: Scope) -> dict[date, Public]:
        found: dict[date, Public] = defaultdict(Public)
        for unit in self._units(scope):
            counts: dict[date, Counter[Key]] = defaultdict(Counter)
            for record in self._records.get(unit, ()):
                if record.type != "rating-rejected":
                    day = city_day(record.data["submitted_at"])
                    counts[day]["answer", record.data["answer"]] += sign(record)
            counts = defaultdict(Counter, {day: those for day, those in counts.items() if those.total()})
            shown = False if unit[1] in self.single else self._shown.get(unit, False)
            hides = self._hidden_days({day: counts[day].total() for day in sorted(counts)})
            for day, those in counts.items():
                seen = _both(shown, _not(hides[day]))
                ranges = {key: _range(n, seen) for key, n in those.items()}
                found[day].add(Public(ranges, hidden=_not(seen)))
        return found

    def _hidden_days(self, totals: Mapping[date, int]) -> dict[object, bool | None]:
        """Days add up to weekdays, and those to all."""
        weekdays: Counter[Key] = Counter()
        for day, count in totals.items():
            weekdays["weekday", str(day.isoweekday())] += count
        whole = _hides(list(weekdays.items()), self._below, last=True)
        found: dict[object, bool | None] = {}
        for each, hidden in whole.items():
            its = [(day, n) for day, n in totals.items() if ("weekday", str(day.isoweekday())) == each]
            found |= dict.fromkeys((day for day, _ in its), True) if hidden else {}
            found |= {} if hidden else _hides(its, self._below, last=True)
        return found

    def _units(self, scope: Scope) -> list[Scope]:
        units = [each for each in self._above if each[0] == "unit"]
        return [unit for unit in units if scope in (unit, self._above[unit], CITY)]

    def _walk(
        self, counts: Mapping[Scope, int], within: Mapping[Scope, bool | None] | None
    ) -> dict[Scope, bool | None]:
        """Which nodes of the tree are shown (None: either), from the city down."""
        below: dict[Scope, list[Scope]] = defaultdict(list)
        for scope, above in self._above.items():
            below[above].append(scope)
        whole = not 0 < counts.get(CITY, 0) < self._below
        found: dict[Scope, bool | None] = {CITY: whole if within is None else _both(whole, within[CITY])}
        waiting = [CITY]
        while waiting:
            node = waiting.pop()
            parts = [(each, counts.get(each, 0)) for each in below[node]]
            outside = [] if within is None else [each for each, _ in parts if within[each] is False]
            unsure = within is not None and any(within[each] is None for each, _ in parts)
            hides = _hides(parts, self._below, also=outside)
            for each, _ in parts:
                found[each] = _both(found[node], None if unsure else _not(hides[each]))
                waiting.append(each)
        return found


def _visible(every: list[Record], rules: Rules, now: datetime) -> set[str]:
    """Submissions that officers' figures may show: released batches, and what a morning has released."""
    batches = {record.data["edition_id"]: rules.batch for record in every}
    released, waiting = parted(every, batches)
    for queue in waiting.values():
        moves = moving(queue)
        if abs(net(moves)) >= min(LEAST_BY_MORNING, rules.batch):
            days = [city_day(each.data["decided_at"]) for each in moves]
            morning = datetime.combine(max(days) + timedelta(days=1), time(rules.hour), UTC) - CITY_HOURS
            released += queue if morning <= now else []
        elif rules.batch == 1:
            released += queue
    return {once(record) for record in released}


def _counted(records: Iterable[Record]) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    for record in records:
        for item in items(record):
            counts[item] += sign(record)
    return +counts  # without what adds up to nothing


def _total(counts: Mapping[Key, int]) -> int:
    return sum(count for (measure, _), count in counts.items() if measure == "answer")


def _hides(
    parts: list[tuple[Scope, int]] | list[tuple[date, int]] | list[tuple[Key, int]],
    below: int,
    *,
    also: Collection[Scope] = (),
    last: bool = False,
) -> dict[object, bool | None]:
    """Which parts of a public sum are hidden: the small ones, and the next larger until those are enough. Of
    several of one size either may be, or the `last`."""
    hides: dict[object, bool | None] = {
        part: bool(count) and (count < below or part in also) for part, count in parts
    }
    rest = sorted(
        ((count, -place, part) for place, (part, count) in enumerate(parts) if count and not hides[part])
    )
    hidden = sum(count for part, count in parts if hides[part])
    while 0 < hidden < below and rest:
        count, _, part = rest.pop(0)
        hides[part] = True
        hidden += count
        if not last and hidden >= below:
            alike = [other for size, _, other in rest if size == count]
            hides |= dict.fromkeys([part, *alike] if alike else [])
    return hides


def _range(count: int, shown: bool | None) -> Range:
    return (0 if shown is not True else count, 0 if shown is False else count)


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _either(one: bool | None, other: bool | None) -> bool | None:
    return _not(_both(_not(one), _not(other)))
