"""Whether the editions that are open can take ratings: /readyz names those whose key is missing."""

import asyncio
from datetime import datetime

from chassis.logs import logger
from chassis.readiness import Check
from contracts.city_time import city_day
from services.intake.ports import DirectoryUnread, KeysMissing, Parts

EVERY_SECONDS = 5.0
log = logger(__name__)


async def watch_keys(parts: Parts, check: Check) -> None:
    """Look for ever. A missing key stops its own edition alone, so `check` should not be a required one."""
    while True:
        look(parts, check, parts.clock())
        await asyncio.sleep(EVERY_SECONDS)


def look(parts: Parts, check: Check, now: datetime) -> None:
    try:
        editions = parts.directory.current.open_editions(city_day(now))
    except DirectoryUnread:
        return
    missing = []
    for edition in editions:
        try:
            parts.keys.pseudonym_key(edition.edition_id)
        except KeysMissing as error:
            missing.append(str(error))
    if missing:
        if check.ok:
            log.error("keys of open editions are missing", files=missing)
        check.down(f"missing: {', '.join(missing)}")
    else:
        check.up()
