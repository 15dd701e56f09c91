"""What offices say they handled, and how much of it has to be rated: read and reckoned by other code."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from pathlib import Path

USUAL_SAMPLE = "200:100 1000:30 5000:20 more:10"


@dataclass(frozen=True, slots=True)
class Handled:
    """Files by year and unit; `sample`: of up to so many files so many percent."""

    files: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    sample: str = USUAL_SAMPLE

    def required(self, files: int) -> int:
        for step in self.sample.split():
            most, percent = step.split(":")
            if most == "more" or files <= int(most):
                return int((files * Decimal(percent) / 100).to_integral_value(ROUND_CEILING))
        raise ValueError(f"the table says nothing of {files} files: {self.sample}")


def read_handled(path: Path | None, sample: str) -> Handled:
    """Without a path nobody said anything."""
    found: dict[int, dict[str, int]] = defaultdict(dict)
    if path is not None:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            for row in csv.DictReader(opened):
                found[int(row["year"])][row["unit_id"]] = int(row["files"])
    return Handled(dict(found), sample)
