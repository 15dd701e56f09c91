"""Which places show what, of figures that add up from place to place. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from services.aggregation.domain import Measure, Scope
from services.aggregation.stored import Counts, total
from services.aggregation.suppression import shown

TREES = (Measure.REASON, Measure.REJECTION)
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
