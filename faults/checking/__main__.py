"""python -m faults.checking FOLDER: check a running campaign's topics, databases, logs and figures."""

import asyncio
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from faults.checking.decisions import check_decisions, read_decisions
from faults.checking.figures import check_api, check_model, read_model
from faults.checking.findings import Findings, Wrong
from faults.checking.ledger import Ledger, read_ledger
from faults.checking.phones import Phones
from faults.checking.reading import read
from faults.checking.submissions import Submission, check_outcomes, match

DEAD_LETTERS = ("rating-submissions-dlt", "rating-outcomes-dlt", "directory-dlt")
DUMP_SECONDS = 120


@dataclass(slots=True)
class Counts:
    posted: int = 0
    kept: int = 0
    submissions: int = 0
    deliveries: int = 0
    outcomes: int = 0
    aborted: int = 0
    waiting: int = 0
    searched_bytes: int = 0


def _batches(folder: Path) -> dict[str, int]:
    """By how many ratings an officer's figures move, by edition, as the editions' files say."""
    found = {}
    for path in folder.glob("faults-*.yaml"):
        edition = yaml.safe_load(path.read_text(encoding="utf-8"))["edition"]
        found[edition["id"]] = edition["policy"]["publication"]["officer_batch"]
    return found


async def check(folder: Path, *, refolded: bool, leaks: bool) -> tuple[Findings, Counts, dict[str, float]]:
    """The findings, what was counted, and the seconds each part took."""
    findings, counts, took = Findings(), Counts(), {}
    addresses = json.loads((folder / "addresses.json").read_text())
    ledger = read_ledger(folder / "ledger.jsonl")
    batches = _batches(folder)
    started = time.monotonic()
    submitted = await read(addresses["kafka"], "rating-submissions")
    # Reading takes a while, and codes expire meanwhile: what follows the log is read before it, what the log
    # follows after it.
    model = await read_model(addresses["aggregation"])
    again = await read_model(addresses["refolded"]) if refolded else None
    outcomes = await read(addresses["kafka"], "rating-outcomes")
    decisions = await read_decisions(addresses["verification"])
    everything = await read(addresses["kafka"], "rating-outcomes", committed=False)
    took["reading"] = time.monotonic() - started
    submissions = match(ledger, submitted, outcomes, findings)
    check_outcomes(submissions, decisions.waiting, findings)
    check_decisions(decisions, submissions, findings)
    check_model(model, outcomes, batches, findings, name="read models")
    check_api(addresses["figures"], model, batches, findings)
    await _dead_letters(addresses, findings)
    for text in ledger.unexpected:
        findings.add(Wrong.ANSWER, text)
    if again is not None:
        check_model(again, outcomes, batches, findings, name="folded again")
    if leaks:
        started = time.monotonic()
        _search(folder, addresses, ledger, findings, counts)
        took["searching"] = time.monotonic() - started
    _count(counts, ledger, submissions)
    counts.outcomes = len(outcomes.records)
    counts.aborted = len(everything.records) - len(outcomes.records)
    counts.waiting = len(decisions.waiting)
    return findings, counts, took


def _count(counts: Counts, ledger: Ledger, submissions: list[Submission]) -> None:
    counts.posted = len(ledger.posted)
    counts.kept = sum(posted.kept for posted in ledger.posted.values())
    counts.submissions = len(submissions)
    counts.deliveries = sum(len(each.deliveries) for each in submissions)


async def _dead_letters(addresses: dict[str, Any], findings: Findings) -> None:
    """Every message is valid, so none may be here: an outage is no reason."""
    for topic in DEAD_LETTERS:
        for record in (await read(addresses["kafka"], topic, committed=False)).records:
            findings.add(Wrong.DEAD_LETTER, f"{topic}@{record.offset}: {record.headers}")


def _search(
    folder: Path, addresses: dict[str, Any], ledger: Ledger, findings: Findings, counts: Counts
) -> None:
    phones = Phones(ledger.phones())
    for name, content in _kept(folder, addresses, ledger):
        counts.searched_bytes += len(content)
        for place in phones.found_in(content):
            findings.add(Wrong.LEAK, f"{name}: {place}", of=name)


def _kept(folder: Path, addresses: dict[str, Any], ledger: Ledger) -> Iterator[tuple[str, bytes]]:
    """Logs of every process and life, Kafka's files byte for byte, dumps of the databases, metrics, and the
    URLs that were given out or called."""
    for path in sorted(Path(addresses["logs"]).glob("*")):
        yield f"log {path.name}", path.read_bytes()
    for data in addresses["kafka_data"]:
        for path in sorted(Path(data).glob("*-[0-9]*/*.log")):
            yield f"topic {path.relative_to(data)}", path.read_bytes()
    for database in ("verification", "aggregation"):
        command = [addresses["pg_dump"], addresses[database]]
        dump = subprocess.run(command, check=True, capture_output=True, timeout=DUMP_SECONDS).stdout
        yield f"dump of {database}", dump
    for path in sorted((folder / "metrics").glob("*")):
        yield f"metrics of {path.name}", path.read_bytes()
    yield "URLs given out", "\n".join(ledger.urls).encode()
    yield "URLs of the SMS gateway", (folder / "sms-urls.txt").read_bytes()


def main(
    folder: Annotated[Path, typer.Argument(help="A campaign's folder, while its servers run.")],
    refolded: Annotated[bool, typer.Option(help="Also compare the log folded again.")] = False,
    leaks: Annotated[bool, typer.Option(help="Also search everything for the numbers posted.")] = True,
) -> None:
    """Check, print a report as one line of JSON, and exit with 1 where anything is wrong.

    Example: python -m faults.checking .local/faults/run-7
    """
    started = datetime.now(UTC)
    findings, counts, took = asyncio.run(check(folder, refolded=refolded, leaks=leaks))
    report = {
        "at": started.isoformat(timespec="seconds"),
        "counts": asdict(counts),
        "seconds": {name: round(seconds, 2) for name, seconds in took.items()},
        "wrong": dict(findings.counts),
        "transient": findings.only_transient,
        "examples": findings.examples,
    }
    print(json.dumps(report, ensure_ascii=False))
    raise typer.Exit(0 if findings.none else 1)


if __name__ == "__main__":
    typer.run(main)
