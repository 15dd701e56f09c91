"""Watches the running stack, look after look."""

import asyncio
from urllib.parse import urlsplit

from rich.console import Console
from rich.live import Live

from chassis import logs
from deploy.local import lock
from deploy.local.layout import Layout
from deploy.local.looking import Snapshot, look
from deploy.local.postgres import Database
from deploy.local.screen import screen


async def watch(layout: Layout, *, once: bool, seconds: float) -> bool:
    """Until Ctrl-C, or `once`. Returns whether all was well at last. Raises StackError where nothing runs."""
    logs.configure("status", level="CRITICAL")  # what a client logs on its way is no answer
    console = Console()
    before = await _look(layout)
    await asyncio.sleep(seconds)
    now = await _look(layout)
    if once:
        console.print(screen(now, before))
        return now.well
    with Live(screen(now, before), console=console, screen=True, auto_refresh=False) as live:
        while True:
            live.update(screen(now, before), refresh=True)
            await asyncio.sleep(seconds)
            before, now = now, await _look(layout)


async def _look(layout: Layout) -> Snapshot:
    urls = lock.running_urls(layout)
    port = urlsplit(urls["postgres"]).port or 0
    database = Database(layout.postgres, port=port, secrets_directory=layout.keys)
    return await look(urls, database.url("aggregation"))
