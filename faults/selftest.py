"""Shows that the campaign goes red: mutations in copies of the code, with the faults that uncover them.

First the same faults in a copy without any mutation, which must stay green: otherwise red would say nothing.
"""

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.local.layout import CHECKOUT
from faults.mutations import FAILURE, MUTATIONS, Change, Mutation
from faults.schedule import schedule

COPIED = ("contracts", "chassis", "services", "portal", "deploy", "faults", "data")
DEADLINE_SECONDS = 300.0
CYCLE_SECONDS = 90.0
SETTLE_SECONDS = 12
# In every copy, the control's too: what does not come in this time does not come; zombies stay away long
# enough for others to take over, but not so long that PostgreSQL ends their transaction; and a short campaign
# too meets wrong phone codes and silent phones.
CONDITIONS: tuple[Change, ...] = (
    ("faults/schedule.py", "FREEZE_SECONDS = 8.5", "FREEZE_SECONDS = 11.0"),
    ("services/aggregation/adapters/ledger.py", 'IN_TRANSACTION = "10s"', 'IN_TRANSACTION = "30s"'),
    ("faults/client.py", "CODE_SECONDS = 120.0", "CODE_SECONDS = 45.0"),
    ("faults/campaign.py", "RECOVERY_SECONDS = 60.0", "RECOVERY_SECONDS = 30.0"),
    ("faults/judging.py", "REFOLD_SECONDS = 180.0", "REFOLD_SECONDS = 25.0"),
    ("faults/replicas.py", "READY_SECONDS = 60.0", "READY_SECONDS = 40.0"),
    ("faults/planning.py", "Kind.PLAIN: 64", "Kind.PLAIN: 60"),
    ("faults/planning.py", "Kind.PHONE_WRONG: 1", "Kind.PHONE_WRONG: 3"),
    ("faults/planning.py", "Kind.PHONE_SILENT: 1", "Kind.PHONE_SILENT: 3"),
    ("services/verification/sms.py", "LEASE_SECONDS = 60.0", "LEASE_SECONDS = 12.0"),
)


class Unfit(Exception):
    """A mutation no longer fits the code."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One copy of the code, one campaign. Without `mutations` it is a control."""

    name: str
    mutations: tuple[Mutation, ...]
    faults: tuple[str, ...]
    setup: tuple[Change, ...] = ()

    @property
    def changes(self) -> Iterable[Change]:
        return itertools.chain(CONDITIONS, self.setup, *(mutation.changes for mutation in self.mutations))


@dataclass(frozen=True, slots=True)
class Verdict:
    """`good`: the mutation was seen, or (`mutation` None) the control was green. `seconds` of its trial."""

    trial: Trial
    mutation: Mutation | None
    good: bool
    found: str
    seconds: float

    @property
    def line(self) -> str:
        if self.mutation is None:
            return f"{'green' if self.good else 'RED':<8} {self.trial.name}: {self.found}"
        return f"{'seen' if self.good else 'NOT SEEN':<8} {self.mutation.name}: {self.found}"


@dataclass(slots=True)
class Report:
    """What a campaign's report says."""

    red: Sequence[str] = ()
    examples: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "Report":
        path = folder / "report.json"
        if not path.exists():
            return cls([f"no report; see {folder.parent}"])
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        examples: dict[str, list[str]] = {}
        for check in content["checks"]:
            for kind, texts in check["examples"].items():
                examples.setdefault(kind, []).extend(texts)
        return cls(content["red"], examples)

    def shows(self, mutation: Mutation) -> str:
        """The example that shows it; empty where there is none."""
        among = self.red if mutation.finding == FAILURE else self.examples.get(mutation.finding, [])
        return next((text for text in among if mutation.says in text), "")


def changed(name: str, changes: Iterable[Change], checkout: Path = CHECKOUT) -> dict[str, str]:
    """The changed files' texts. Raises Unfit where what is to be changed is not there exactly once."""
    texts: dict[str, str] = {}
    for file, before, after in changes:
        text = texts.get(file) or (checkout / file).read_text(encoding="utf-8")
        if text.count(before) != 1:
            raise Unfit(f"{name}: {file} holds {text.count(before)} times: {before.strip()}")
        texts[file] = text.replace(before, after)
    return texts


def planned(only: str = "") -> list[Trial]:
    """Controls, then the mutations whose name contains `only`, those of one group in one trial."""
    groups: dict[str, list[Mutation]] = {}
    for mutation in MUTATIONS:
        if only in mutation.name or only in mutation.group:
            groups.setdefault(mutation.group or mutation.name, []).append(mutation)
    trials = [
        Trial(name, tuple(group), _distinct(mutation.faults for mutation in group), group[0].setup)
        for name, group in groups.items()
    ]
    controls = [
        Trial(
            f"control-{number}",
            (),
            _distinct(fault for trial in trials if trial.setup == setup for fault in trial.faults),
            setup,
        )
        for number, setup in enumerate(dict.fromkeys(trial.setup for trial in trials), start=1)
    ]
    return controls + trials


def _distinct(faults: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(faults))


def run(
    trials: Sequence[Trial], folder: Path, jars: Path, seed: int, begins: Callable[[Trial], None]
) -> Iterator[list[Verdict]]:
    """The verdicts of one trial after another; none of mutations after a red control.

    Raises Unfit before the first one begins.
    """
    green = True
    for trial in trials:
        changed(trial.name, trial.changes)
    for trial in trials:
        if trial.mutations and not green:
            return
        begins(trial)
        verdicts = _verdicts(trial, folder / trial.name, jars, seed)
        green = green and all(verdict.good for verdict in verdicts if verdict.mutation is None)
        yield verdicts


def _verdicts(trial: Trial, folder: Path, jars: Path, seed: int) -> list[Verdict]:
    started = time.monotonic()
    report = _campaign(trial, folder, jars, seed)
    seconds = time.monotonic() - started
    said = "; ".join(report.red)[:300]
    if not trial.mutations:
        return [Verdict(trial, None, not report.red, said or "nothing wrong", seconds)]
    return [
        Verdict(trial, mutation, bool(shown), shown or said or "nothing wrong", seconds)
        for mutation in trial.mutations
        for shown in (report.shows(mutation),)
    ]


def cycles(faults: Sequence[str], seed: int) -> int:
    """As many as the schedule needs until it has met all kinds."""
    only = ",".join(faults)
    return next(
        n for n in itertools.count(1) if _all_met(faults, {f.kind for f in schedule(n, seed, only=only)})
    )


def _all_met(faults: Sequence[str], kinds: set[str]) -> bool:
    return all(any(fault in kind for kind in kinds) for fault in faults)


def _campaign(trial: Trial, folder: Path, jars: Path, seed: int) -> Report:
    checkout, evidence = folder / "checkout", folder / "run"
    for package in COPIED:
        shutil.copytree(CHECKOUT / package, checkout / package, ignore=shutil.ignore_patterns("__pycache__"))
    for file, text in changed(trial.name, trial.changes).items():
        (checkout / file).write_text(text, encoding="utf-8")
    number = cycles(trial.faults, seed)
    options = {
        "--cycles": number,
        "--seed": seed,
        "--every": number,
        "--only": ",".join(trial.faults),
        "--folder": evidence,
        "--jars": jars,
        "--settle": SETTLE_SECONDS,
    }
    command = [sys.executable, "-m", "faults", "run"]
    command += [str(part) for option in options.items() for part in option]
    deadline = DEADLINE_SECONDS + number * CYCLE_SECONDS
    with (folder / "output.txt").open("w", encoding="utf-8") as output:
        try:
            subprocess.run(
                command,
                cwd=checkout,
                env=_environment(folder.parent / "compiled"),
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=deadline,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Report([f"not over after {deadline:.0f} s; see {folder}"])
    return Report.of(evidence)


def _environment(compiled: Path) -> dict[str, str]:
    """Ours, with one place for what Python compiles: a copy's processes start some twenty times."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**ours, "PYTHONPYCACHEPREFIX": str(compiled)}


def markdown(verdicts: Sequence[Verdict]) -> str:
    lines = ["| guarantee | broken by | faults | found | seconds |", "| --- | --- | --- | --- | --- |"]
    for verdict in verdicts:
        mutation, faults = verdict.mutation, ", ".join(verdict.trial.faults)
        if mutation is None:
            found = "nothing wrong" if verdict.good else f"RED: {verdict.found}"
            cells = ("all of them", "nothing (the control)", faults, found)
        else:
            found = f"{mutation.finding}: {verdict.found}" if verdict.good else f"NOT SEEN: {verdict.found}"
            cells = (mutation.breaks, mutation.name, faults, found)
        lines.append(f"| {' | '.join(_cell(each) for each in cells)} | {verdict.seconds:.0f} |")
    total = sum({verdict.trial.name: verdict.seconds for verdict in verdicts}.values())
    seen = sum(verdict.good for verdict in verdicts if verdict.mutation is not None)
    of = sum(verdict.mutation is not None for verdict in verdicts)
    lines += [
        "",
        f"{seen} of {of} mutations seen, in {total / 60:.0f} minutes. Those of a group (with the same",
    ]
    lines += ["faults and seconds) share one copy of the code and one campaign."]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:160]
