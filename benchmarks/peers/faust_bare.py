"""A Faust agent that only counts: the limit of the framework. python -m benchmarks.peers.faust_bare"""

import asyncio
import os
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any
from uuid import uuid4

import faust
import typer

from benchmarks.peers.timing import Timed

PATIENCE_SECONDS = 120.0


def main(
    bootstrap: Annotated[str, typer.Option(help="The broker, as host:port.")],
    topic: Annotated[str, typer.Option(help="The topic that is read.")],
    count: Annotated[int, typer.Option(help="Records.")],
) -> None:
    """Count the records of a topic in an agent.

    Example: python -m benchmarks.peers.faust_bare --bootstrap 127.0.0.1:9092 --topic x --count 20000
    """
    asyncio.run(_count(bootstrap, topic, count))


async def _count(bootstrap: str, topic: str, count: int) -> None:
    app = faust.App(
        f"faust-{uuid4()}",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        value_serializer="raw",
        consumer_auto_offset_reset="earliest",
        stream_wait_empty=False,
        datadir=Path(mkdtemp()),
    )
    over = asyncio.Event()
    source = app.topic(topic, value_type=bytes)

    @app.agent(source)  # type: ignore[untyped-decorator] # Faust is untyped here
    async def counting(stream: Any) -> None:
        seen, timed = 0, None
        async for _ in stream:
            seen += 1
            if timed is None:
                timed = Timed()
            if seen == count:
                timed.tell(count - 1)
                over.set()

    await app.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await over.wait()
    os._exit(0)  # it may hang at its end, and is needed no more


if __name__ == "__main__":
    typer.run(main)
