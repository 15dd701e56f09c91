"""Change the code a little, many times over, and see that unit tests notice: python -m tests.mutation

Which modules and tests, [tool.mutmut] in pyproject.toml says. All happens in a copy, which goes away again.
mutmut changes what functions and methods do, but no properties, methods of decorated classes or constants.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.layout import CHECKOUT, Layout
from tests.mutation.scores import Fate, Module, read, table

COPIED = ("attacks", "contracts", "chassis", "deploy", "docs", "faults", "portal", "services", "tests")
TELL_SECONDS = 20.0
_PROGRESS = re.compile(rb"(\d+)/(\d+) ")


def main(
    least: Annotated[float, typer.Option(help="Percent of each module's mutants that must be seen.")] = 85,
    children: Annotated[int, typer.Option(help="Mutants tried at once.", min=1)] = 1,
    minutes: Annotated[float, typer.Option(help="Give up after this long.")] = 60,
) -> None:
    """Try every mutant and print the score of each module. Example: python -m tests.mutation --children 2"""
    config = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]
    Layout().root.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=Layout().root) as folder:
        work = Path(folder)
        _copy(work)
        finished = _run(work, children, 60 * minutes)
        modules = read(work / "mutants", config["only_mutate"])
        _show_left(work, modules)
    print(table(modules))
    low = [module.path for module in modules if module.score < least]
    if low:
        print(f"\nBelow {least:g} %: {', '.join(low)}")
    raise typer.Exit(0 if finished and not low else 1)


def _copy(work: Path) -> None:
    shutil.copy(CHECKOUT / "pyproject.toml", work)
    for folder in COPIED:
        ignored = shutil.ignore_patterns("__pycache__", "node_modules")
        shutil.copytree(CHECKOUT / folder, work / folder, ignore=ignored)


def _run(work: Path, children: int, seconds: float) -> bool:
    """Whether mutmut came to its end. It runs as a process group, so that none of its workers outlives it."""
    started = time.monotonic()
    output = work / "mutmut.log"
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(children)]
    with output.open("wb") as log:
        mutmut = subprocess.Popen(
            command, cwd=work, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        while (left := started + seconds - time.monotonic()) > 0:
            try:
                status = mutmut.wait(min(TELL_SECONDS, left))
            except subprocess.TimeoutExpired:
                _tell(output, time.monotonic() - started)
            else:
                if status:
                    print(f"mutmut ended with status {status}:\n{_last(output)}")
                return status == 0
        print(f"Not done after {seconds / 60:g} minutes.")
        return False
    finally:
        if mutmut.poll() is None:
            os.killpg(mutmut.pid, signal.SIGKILL)
            mutmut.wait()


def _tell(output: Path, seconds: float) -> None:
    found = _PROGRESS.findall(output.read_bytes()[-4000:])
    said = "{} of {} mutants".format(*(number.decode() for number in found[-1])) if found else "setting up"
    print(f"{seconds / 60:4.1f} min  {said}", flush=True)


def _last(output: Path) -> str:
    return output.read_bytes()[-4000:].decode(errors="replace")


def _show_left(work: Path, modules: Sequence[Module]) -> None:
    """The change that each surviving mutant made. Of those that met no test, the names say enough."""
    for module in modules:
        for name in module.left:
            if module.fates[name] not in (Fate.SURVIVED, Fate.TIMEOUT):
                print(f"{module.fates[name]}: {name}")
                continue
            command = [sys.executable, "-m", "mutmut", "show", name]
            shown = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
            print(shown.stdout or shown.stderr)


if __name__ == "__main__":
    typer.run(main)
