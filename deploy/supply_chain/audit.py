"""What is publicly known against the pinned packages: python -m deploy.supply_chain.audit

Nothing here passes because nobody could be asked: a database out of reach has an exit code of its own.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.supply_chain import pins
from portal import assets, node

FOUND, NOT_REACHED = 1, 3
OSV = "https://api.osv.dev/v1"
EVERYTHING = "bench"
SECONDS = 300
console = Console(highlight=False, soft_wrap=True)


class NotReached(Exception):
    """Nobody answered, or not with what was asked for; why, in a line."""


@dataclass(frozen=True, slots=True)
class Audited:
    """`known` are vulnerabilities, as "package version: id"; None where nobody could be asked, see `why`."""

    what: str
    packages: int
    known: list[str] | None
    why: str = ""


def main(
    osv: Annotated[str, typer.Option(help="The database of vulnerabilities (osv.dev), or a mirror.")] = OSV,
) -> None:
    """Ask for each pinned package. Exits with 1 where something is known, 3 where nobody could be asked.

    Example: python -m deploy.supply_chain.audit --osv https://osv.example/v1
    """
    results = [
        _audited("Python packages", len(pins.of_set(EVERYTHING)), lambda: python_packages(osv)),
        _audited("npm packages", len(pins.npm()), npm_packages),
        _audited("Kafka's jars", len(pins.kafka()), lambda: kafka_jars(osv)),
    ]
    table = Table("what", "packages", "known vulnerabilities")
    for each in results:
        said = "NOT AUDITED: the database was not reached" if each.known is None else str(len(each.known))
        table.add_row(each.what, str(each.packages), said)
    console.print(table)
    for each in results:
        for line in each.known or []:
            console.print(f"{each.what}: {escape(line)}")
        if each.known is None:
            console.print(f"{each.what} were NOT audited: {escape(each.why)}")
    if any(each.known for each in results):
        raise typer.Exit(FOUND)
    raise typer.Exit(NOT_REACHED if any(each.known is None for each in results) else 0)


def _audited(what: str, packages: int, ask: Callable[[], list[str]]) -> Audited:
    try:
        return Audited(what, packages, ask())
    except NotReached as error:
        return Audited(what, packages, None, str(error))


def python_packages(osv: str) -> list[str]:
    """By pip-audit. It asks OSV: a mirror of the package index may know nothing of vulnerabilities, and say
    so in the words of one that knows of none. `bench` holds every other set.
    """
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--disable-pip",
        "--require-hashes",
        "--progress-spinner",
        "off",
    ]
    command += [
        "-f",
        "json",
        "-s",
        "osv",
        "--osv-url",
        f"{osv}/query",
        "-r",
        str(pins.REQUIREMENTS / f"{EVERYTHING}.txt"),
    ]
    answer = _json_of(command)
    if "dependencies" not in answer:
        raise NotReached("pip-audit gave no result")
    return [
        f"{each['name']} {each['version']}: {known['id']}"
        for each in answer["dependencies"]
        for known in each.get("vulns", [])
    ]


def npm_packages() -> list[str]:
    """By npm audit, at npm's own registry or the one that npm_config_registry names."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(assets.HERE / name, folder)
        options = ["--json", "--fetch-retries=0", "--cache", f"{folder}/cache"]
        answer = _json_of([*node.npm(), "audit", *options], folder)
    if "vulnerabilities" not in answer:
        raise NotReached(str(answer.get("message", "npm audit gave no result")))
    return [f"{name}: {each['severity']}" for name, each in answer["vulnerabilities"].items()]


def kafka_jars(osv: str) -> list[str]:
    jars = pins.kafka()
    queries = [
        {"package": {"ecosystem": "Maven", "name": f"{jar.group}:{jar.artifact}"}, "version": jar.version}
        for jar in jars
    ]
    try:
        answer = httpx.post(f"{osv}/querybatch", json={"queries": queries}, timeout=SECONDS)
        answer.raise_for_status()
        found = answer.json()["results"]
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise NotReached(f"{osv}: {error or type(error).__name__}") from error
    return [
        f"{jar}: {known['id']}"
        for jar, result in zip(jars, found, strict=True)
        for known in result.get("vulns", [])
    ]


def _json_of(command: list[str], folder: str | Path = ".") -> dict[str, Any]:
    """What the command printed. Raises NotReached where that is no JSON: it could not ask."""
    environment = {**os.environ, "PATH": f"{node.program().parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(  # noqa: S603 - the programs and their arguments are ours
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise NotReached(said[-1] if said else f"exit code {done.returncode}") from None
    return answer


if __name__ == "__main__":
    typer.run(main)
