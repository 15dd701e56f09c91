"""What became of the mutants, read from the files that mutmut leaves."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path


class Fate(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    UNTESTED = "untested"  # no test calls the function: survived without a fight
    TIMEOUT = "timeout"
    UNCLEAR = "unclear"  # anything else, and never tried; counts for none


_FATES = {
    0: Fate.SURVIVED,
    1: Fate.KILLED,
    3: Fate.KILLED,  # the mutant broke pytest itself
    5: Fate.UNTESTED,
    33: Fate.UNTESTED,
    **dict.fromkeys((-24, 24, 36, 152, 255), Fate.TIMEOUT),
}


@dataclass(frozen=True, slots=True)
class Module:
    path: str
    fates: Mapping[str, Fate] = field(default_factory=dict)

    def count(self, fate: Fate) -> int:
        return Counter(self.fates.values())[fate]

    @property
    def score(self) -> float:
        """Percent of the mutants that were noticed; one that makes the code run on and on is noticed too."""
        noticed = self.count(Fate.KILLED) + self.count(Fate.TIMEOUT)
        return 100 * noticed / len(self.fates) if self.fates else 0.0

    @property
    def left(self) -> list[str]:
        """The mutants to look at."""
        return [name for name, fate in self.fates.items() if fate is not Fate.KILLED]


def read(mutants: Path, patterns: Sequence[str]) -> list[Module]:
    """The modules that match any of `patterns`; a pattern that no mutant belongs to gives one without any."""
    found = []
    for meta in sorted(mutants.rglob("*.py.meta")):
        codes: dict[str, int | None] = json.loads(meta.read_text("utf-8"))["exit_code_by_key"]
        if codes:
            path = str(meta.relative_to(mutants)).removesuffix(".meta")
            fates = {name: Fate.UNCLEAR if code is None else fate(code) for name, code in codes.items()}
            found.append(Module(path, fates))
    missing = [each for each in patterns if not any(fnmatch(module.path, each) for module in found)]
    return found + [Module(pattern) for pattern in missing]


def fate(code: int) -> Fate:
    return _FATES.get(code, Fate.UNCLEAR)


def table(modules: Sequence[Module]) -> str:
    """A Markdown table, a row a module and one for all."""
    every = Module("all", {name: fate for module in modules for name, fate in module.fates.items()})
    lines = [
        "| module | mutants | " + " | ".join(Fate) + " | score |",
        "| --- |" + " ---: |" * (len(Fate) + 2),
    ]
    for module in (*modules, every):
        counts = [len(module.fates), *(module.count(fate) for fate in Fate)]
        lines.append(f"| {module.path} | {' | '.join(map(str, counts))} | {module.score:.1f} % |")
    return "\n".join(lines)
