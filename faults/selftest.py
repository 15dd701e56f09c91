"""Shows that the campaign goes red: each mutation in a copy of the code, with the faults that uncover it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.layout import CHECKOUT
from faults.mutations import MUTATIONS, Mutation

COPIED = ("contracts", "chassis", "services", "deploy", "faults", "data")
DEADLINE_SECONDS = 900
SETTLE_SECONDS = 15


class Unfit(Exception):
    """A mutation no longer fits the code."""


@dataclass(frozen=True, slots=True)
class Verdict:
    mutation: Mutation
    red: bool
    said: str


def applied(mutation: Mutation, checkout: Path) -> None:
    """Raises Unfit where what is to be changed is not there exactly once."""
    for file, before, after in mutation.changes:
        path = checkout / file
        text = path.read_text(encoding="utf-8")
        if text.count(before) != 1:
            raise Unfit(f"{mutation.name}: {file} holds {text.count(before)} times: {before.strip()}")
        path.write_text(text.replace(before, after), encoding="utf-8")


def run(folder: Path, jars: Path, seed: int, only: str) -> Iterator[Verdict]:
    """One verdict for each mutation whose name contains `only`, as they come."""
    for mutation in MUTATIONS:
        if only in mutation.name:
            yield _campaign(mutation, folder / mutation.name, jars, seed)


def _campaign(mutation: Mutation, folder: Path, jars: Path, seed: int) -> Verdict:
    checkout, evidence = folder / "checkout", folder / "run"
    for package in COPIED:
        shutil.copytree(
            CHECKOUT / package,
            checkout / package,
            ignore=shutil.ignore_patterns("__pycache__"),
            symlinks=False,
        )
    applied(mutation, checkout)
    options = {
        "--cycles": mutation.cycles,
        "--seed": seed,
        "--every": 1,
        "--only": mutation.faults,
        "--folder": evidence,
        "--jars": jars,
        "--settle": SETTLE_SECONDS,
    }
    command = [sys.executable, "-m", "faults", "run"]
    command += [str(part) for option in options.items() for part in option]
    with (folder / "output.txt").open("w", encoding="utf-8") as output:
        code = subprocess.run(
            command,
            cwd=checkout,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=DEADLINE_SECONDS,
            check=False,
        ).returncode
    report = evidence / "report.json"
    if not report.exists():
        return Verdict(mutation, red=False, said=f"exit code {code} and no report; see {folder}")
    red = json.loads(report.read_text(encoding="utf-8"))
    found = {wrong for check in red["checks"] for wrong in check["wrong"]}
    said = ", ".join(red["red"]) or "green"
    return Verdict(mutation, red=code == 1 and bool(found & mutation.found), said=said[:300])
