"""What a dashboard shows of one officer, their unit, its group and the city, and how it moves."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.support.system import OFFICER, UNIT, System

SCOPES = (f"officers/{OFFICER}", f"units/{UNIT}", "groups/so-ban-nganh", "city")
FIGURES_SECONDS = 60.0


async def counts(system: System) -> dict[str, dict[str, int]]:
    """Of each scope: satisfied, not satisfied, reasons, channels and rejections, in one flat dictionary."""
    found = {}
    for scope in SCOPES:
        figures = await system.figures(scope)
        flat = {"satisfied": figures["satisfied"], "not_satisfied": figures["not_satisfied"]}
        flat |= {f"reason {r['id']}": r["count"] for r in figures["reasons"]}
        flat |= {f"channel {c['id']}": c["count"] for c in figures["channels"]}
        flat |= {f"rejected {r['reason']}": r["count"] for r in figures["rejected"]}
        found[scope] = {key: count for key, count in flat.items() if count}
    return found


async def moved_by(system: System, before: dict[str, dict[str, int]], added: dict[str, int]) -> None:
    """Wait until all scopes show what they showed before and `added` on top, no more and no less. Channels
    are not shown of officers."""
    wanted = {
        scope: {
            key: shown.get(key, 0) + added.get(key, 0)
            for key in shown.keys() | added.keys()
            if not (scope.startswith("officers/") and key.startswith("channel "))
        }
        for scope, shown in before.items()
    }
    shown = await counts(system)
    try:
        async with asyncio.timeout(FIGURES_SECONDS):
            while shown != wanted:
                await asyncio.sleep(0.05)
                shown = await counts(system)
    except TimeoutError:
        assert shown == wanted


async def live_events(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Any]]:
    """Each event of a stream: its kind and its data."""
    kind = ""
    async for line in lines:
        if line.startswith("event:"):
            kind = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            yield kind, json.loads(line.removeprefix("data:"))
