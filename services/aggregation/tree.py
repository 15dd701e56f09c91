"""Which places show what, of figures that add up from place to place. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from services.aggregation.domain import Measure, Scope
from services.aggregation.stored import Cells, Counts, items, total
from services.aggregation.suppression import hidden, shown

TREES = (Measure.REASON, Measure.REJECTION)
PARTITIONS = (Measure.CHANNEL, Measure.ASSURANCE, Measure.HOUR, Measure.WEEKDAY)
"""Each rating has one item of these: they add up to all ratings."""
Key = tuple[Measure, str]


@dataclass(frozen=True)
class Tree:
    """Places that add up to those above them, up to the `root`. That may be a place of the tree `above`,
    which then says what of the root is shown: a unit's officers are looked at without those of all others."""

    root: Scope
    children: Mapping[Scope, Collection[Scope]]
    counts: Mapping[Scope, Counts]
    below: int
    above: "Tree | None" = None

    @cached_property
    def shown(self) -> set[Scope]:
        """Of which places the ratings are."""
        if self.above is not None and self.root not in self.above.shown:
            return set()
        totals = {scope: total(counts) for scope, counts in self.counts.items()}
        return shown(self.root, self.children, totals, self.below)

    @cached_property
    def shown_items(self) -> Mapping[Key, set[Scope]]:
        """Where each reason is, of citizens and for rejections: each adds up by itself."""
        wanted = {key for counts in self.counts.values() for key in counts if key[0] in TREES}
        return {
            key: shown(
                self.root,
                self.children,
                {scope: counts.get(key, 0) for scope, counts in self.counts.items()},
                self.below,
                within=self.shown,
            )
            for key in wanted
            if self.above is None or self.root in self.above.shown_items.get(key, ())
        }


def parts_shown(counts: Counts, below: int) -> Counts:
    """What a place that is shown shows of partitions. Most places stand as they did in the version before."""
    known = counts.worked_out if isinstance(counts, Cells) else {}
    if below not in known:
        found: dict[Key, int] = {}
        for measure in PARTITIONS:
            parts = items(counts, measure)
            if sum(parts.values()) == total(counts):
                found |= {(measure, item): parts[item] for item in parts.keys() - hidden(parts, below)}
        known[below] = found
    return known[below]
