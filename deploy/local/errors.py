"""The one kind of failure that the embedded stack reports to whoever started it."""

from collections.abc import Sequence


class StackError(Exception):
    """What is wrong and what to do about it, in one line; `details` are log lines to show below it."""

    def __init__(self, problem: str, remedy: str, details: Sequence[str] = ()) -> None:
        super().__init__(f"{problem} {remedy}".rstrip())
        self.problem = problem
        self.remedy = remedy
        self.details = tuple(details)
