"""A cap on the share of unreadable messages.

One bad message is a dead letter; when many are, the reader is at fault (a bad deploy, say), and would drain
the log into the dead-letter topic. Then it is better to stop. Pure: whoever reads decides what stopping is.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Too many: more than `share` (0 to 1) of the last `window` messages, and `least` of them at least.

    The window is never shorter than `least`. A share of 1 is never exceeded.
    """

    window: int = 1000
    share: float = 0.2
    least: int = 50


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a message could be read: `reason` is None, or why not."""

    partition: int
    offset: int
    reason: str | None = None


class TooManyDeadLetters(Exception):
    """`unreadable` of the last `seen` messages; `most` of them for `reason`."""

    def __init__(self, unreadable: int, seen: int, reason: str, most: int) -> None:
        super().__init__(
            f"{unreadable} of the last {seen} messages cannot be read, most often {reason} ({most} of them)"
        )
        self.unreadable, self.seen, self.reason, self.most = unreadable, seen, reason, most


class Cap:
    """The last messages of one process, whatever their partition. Once exceeded, it stays so."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._window = max(limits.window, limits.least)
        self._seen: deque[Verdict] = deque()
        self._places: set[tuple[int, int]] = set()
        self._reasons: Counter[str] = Counter()
        self._exceeded: TooManyDeadLetters | None = None

    def judge(self, batch: Iterable[Verdict]) -> None:
        """Before a batch's dead letters are written and its offsets passed. Raises TooManyDeadLetters.

        A batch that comes again, because what followed failed, counts once.
        """
        for verdict in batch:
            if self._exceeded is not None:
                break
            if (verdict.partition, verdict.offset) not in self._places:
                self._add(verdict)
                self._weigh()
        if self._exceeded is not None:
            raise self._exceeded

    @property
    def share(self) -> float:
        """Of unreadable messages in the window; 0 while it is empty."""
        return self._reasons.total() / len(self._seen) if self._seen else 0.0

    def _add(self, verdict: Verdict) -> None:
        self._seen.append(verdict)
        self._places.add((verdict.partition, verdict.offset))
        if verdict.reason is not None:
            self._reasons[verdict.reason] += 1
        if len(self._seen) > self._window:
            oldest = self._seen.popleft()
            self._places.remove((oldest.partition, oldest.offset))
            if oldest.reason is not None:
                self._reasons[oldest.reason] -= 1

    def _weigh(self) -> None:
        if not self._reasons:
            return
        unreadable, seen = self._reasons.total(), len(self._seen)
        if unreadable >= self._limits.least and unreadable > self._limits.share * seen:
            [(reason, most)] = self._reasons.most_common(1)
            self._exceeded = TooManyDeadLetters(unreadable, seen, reason, most)
