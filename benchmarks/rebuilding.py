"""python -m benchmarks.rebuilding: one rebuild, timed by itself. AGGREGATION_… variables say of what."""

import asyncio
import json
import resource
import time

import typer

from chassis import logs
from chassis.collecting import collect_seldom
from chassis.settings import read
from services.aggregation.bootstrap import rebuild_figures
from services.aggregation.settings import Settings


def main() -> None:
    """Make all figures from the log again; print how many records, the seconds, the CPU and the most memory.

    Example: AGGREGATION_DATABASE_URL=… AGGREGATION_KAFKA_BOOTSTRAP=… python -m benchmarks.rebuilding
    """
    logs.configure("benchmark", level="ERROR")
    settings = read(Settings)
    asked = 0

    def told(done: int, total: int) -> None:
        nonlocal asked
        del done
        asked = total

    begun, cpu = time.perf_counter(), time.process_time()
    collect_seldom()  # as the command does
    asyncio.run(rebuild_figures(settings, told, anew=True))
    seconds, spent = time.perf_counter() - begun, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    typer.echo(json.dumps({"count": asked, "seconds": seconds, "cpu": spent, "memory_mib": memory}))


if __name__ == "__main__":
    typer.run(main)
