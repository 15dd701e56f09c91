"""python -m benchmarks.offering: offers ratings to one process, from a process of its own."""

import itertools
import json
import time
from dataclasses import fields
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from benchmarks.citizens import requests
from faults.overloading.offering import closed_loop, open_loop

AHEAD = 7_000
"""Requests made beforehand for each second of a closed loop: making them is no part of the load."""
CONNECTIONS = 256


def main(  # noqa: PLR0917  options, all by name
    port: Annotated[int, typer.Option(help="Of 127.0.0.1.")],
    edition: Annotated[str, typer.Option(help="The edition's id.")],
    seed: Annotated[int, typer.Option(help="The same seed sends the same ratings.")],
    seconds: Annotated[float, typer.Option(help="How long to send.")],
    key_file: Annotated[Path, typer.Option(help="Holds the portal's key.")],
    into: Annotated[Path, typer.Option(help="Where to write what became of them, as JSON.")],
    at_once: Annotated[int, typer.Option(help="Callers of a closed loop.")] = 32,
    rate: Annotated[float, typer.Option(help="Ratings a second; 0: as fast as they are answered.")] = 0.0,
) -> None:
    """Offer ratings, and write down what became of them.

    Example: python -m benchmarks.offering --port 8001 --edition 2017 --seed 1 --seconds 5 \\
        --key-file .local/keys/portal/intake.key --into x.json
    """
    source = (request for _, request in requests(port, edition, key_file.read_text().strip(), seed))
    if rate:
        loop = open_loop(port, source, seconds, rate=rate, at_once=CONNECTIONS, begin=time.monotonic())
    else:
        ahead = list(itertools.islice(source, round(AHEAD * seconds)))
        loop = closed_loop(port, itertools.chain(ahead, source), seconds, at_once)
    seen = uvloop.run(loop)
    into.write_text(json.dumps({each.name: getattr(seen, each.name) for each in fields(seen)}))


if __name__ == "__main__":
    typer.run(main)
