"""The office's file system, asked over HTTP whether it knows a file: 200 it does, 404 it does not."""

import asyncio
from pathlib import Path
from string import Template
from urllib.parse import quote

import httpx

from chassis.readiness import Check
from services.intake.ports import FilesAway

SECONDS = 3.0
KNOWN, UNKNOWN = 200, 404


class HttpFileSystem:
    """`url` holds $unit and $number. `key_file` holds a bearer token; read each time, so that another one
    needs no restart. Nothing that it logs or raises names a file."""

    def __init__(self, client: httpx.AsyncClient, url: str, key_file: Path | None, check: Check) -> None:
        self._client = client
        self._url = Template(url)
        self._key_file = key_file
        self._check = check

    async def knows(self, unit_id: str, number: str) -> bool:
        url = self._url.substitute(unit=quote(unit_id, safe=""), number=quote(number, safe=""))
        try:
            headers = await asyncio.to_thread(self._headers)
            async with asyncio.timeout(SECONDS), self._client.stream("GET", url, headers=headers) as answer:
                status = answer.status_code  # its body says nothing more to us
        except (httpx.HTTPError, OSError) as error:  # the deadline among them
            raise self._away(type(error).__name__) from None  # the request in it holds the number
        if status not in (KNOWN, UNKNOWN):
            raise self._away(f"status {status}")
        self._check.up()
        return status == KNOWN

    def _headers(self) -> dict[str, str]:
        if self._key_file is None:
            return {}
        return {"Authorization": f"Bearer {self._key_file.read_text().strip()}"}

    def _away(self, why: str) -> FilesAway:
        self._check.down(why)
        return FilesAway(why)
