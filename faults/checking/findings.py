"""What the checker found wrong."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

SHOWN = 20  # of each kind and `of`


class Wrong(StrEnum):
    LOST = "lost"  # kept by its 202, and yet no submission, outcome or count (may be on its way still)
    DOUBLED = "doubled"
    PHANTOM = "phantom"  # nobody posted it
    CHANGED = "changed"  # not what was posted, or not the outcome it had to have
    FIGURES = "figures"  # a read model that is not the fold of the log
    CHECKPOINT = "checkpoint"
    DEAD_LETTER = "dead letter"
    LEAK = "leak"
    ANSWER = "answer"  # the API answered what it should not


TRANSIENT = frozenset({Wrong.LOST})
"""What time alone may mend."""


@dataclass(slots=True)
class Findings:
    counts: Counter[Wrong] = field(default_factory=Counter)
    examples: dict[Wrong, list[str]] = field(default_factory=dict)
    _kept: Counter[tuple[Wrong, str]] = field(default_factory=Counter)

    def add(self, wrong: Wrong, text: str, *, of: str = "") -> None:
        """`of` sorts within a kind, so that examples of one sort do not hide another's."""
        self.counts[wrong] += 1
        self._kept[wrong, of] += 1
        if self._kept[wrong, of] <= SHOWN:
            self.examples.setdefault(wrong, []).append(text)

    @property
    def none(self) -> bool:
        return not self.counts

    @property
    def only_transient(self) -> bool:
        return set(self.counts) <= TRANSIENT
