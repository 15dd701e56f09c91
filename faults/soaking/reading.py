"""Readers of the public pages: live streams that come and go, and single requests."""

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import Mapping

import httpx

from deploy.local.ports import HOST
from faults.planning import Officer

READERS = 16
IDLE_EVERY = 8  # one reader of so many reads nothing of its stream
STAY_SECONDS = (2.0, 40.0)
PAUSE_SECONDS = 1.0
PAGE_SECONDS = 10.0
FINE = ("streams", "events", "streams that nobody read", "stream 200", "pages 200")
MOST_FAILED = 0.05


class Readers:
    """`run` until cancelled. `counts` says what became of all requests."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        urls: Mapping[str, list[str]],
        officers: list[Officer],
        pages_per_second: float,
        chance: random.Random,
    ) -> None:
        self._http = http
        self._urls = urls
        self._officers = officers
        self._rate = pages_per_second
        self._chance = chance
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(READERS):
                group.create_task(self._watch(idle=number % IDLE_EVERY == 0))
            group.create_task(self._read_pages())

    async def _watch(self, *, idle: bool) -> None:
        """One reader, who stays for a while, leaves without a word, and half the time comes back for more."""
        last = 0
        while True:
            await asyncio.sleep(self._chance.uniform(0, PAUSE_SECONDS))
            stay = self._chance.uniform(*STAY_SECONDS)
            url = self._chance.choice(self._urls["aggregation"])
            path = f"/v1/live?scope=city&{self._scopes()}&last_event_id={last}"
            self.counts["streams"] += 1
            try:
                seen = await (self._idle(url, path, stay) if idle else self._stream(url, path, stay))
            except (httpx.HTTPError, OSError) as error:
                self.counts[f"stream {type(error).__name__}"] += 1
                seen = 0
            last = seen if self._chance.random() < 0.5 else 0

    async def _stream(self, url: str, path: str, stay: float) -> int:
        """The id of the last event seen."""
        last = 0
        until = time.monotonic() + stay
        async with self._http.stream("GET", url + path, timeout=httpx.Timeout(10, read=30)) as response:
            self.counts[f"stream {response.status_code}"] += 1
            async for line in response.aiter_lines():
                if line.startswith("id:"):
                    last = int(line.removeprefix("id:"))
                    self.counts["events"] += 1
                if time.monotonic() > until:
                    break
        return last

    async def _idle(self, url: str, path: str, stay: float) -> int:
        """Asks, and reads nothing."""
        port = int(url.rsplit(":", 1)[1])
        asking = socket.socket()
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asking.setblocking(False)
        with asking:
            loop = asyncio.get_running_loop()
            await loop.sock_connect(asking, (HOST, port))
            await loop.sock_sendall(asking, f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            await asyncio.sleep(stay)
        self.counts["streams that nobody read"] += 1
        return 0

    def _scopes(self) -> str:
        officer = self._chance.choice(self._officers)
        return f"scope=group:{officer.group_id}&scope=unit:{officer.unit_id}&scope=officer:{officer.id}"

    async def _read_pages(self) -> None:
        due = time.monotonic()
        while True:
            service, path = self._chance.choice(self._pages())
            url = self._chance.choice(self._urls[service]) + path
            try:
                response = await self._http.get(url, timeout=PAGE_SECONDS)
                self.counts[f"pages {response.status_code}"] += 1
            except httpx.HTTPError as error:
                self.counts[f"pages {type(error).__name__}"] += 1
            due = max(due + 1 / self._rate, time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _pages(self) -> list[tuple[str, str]]:
        officer = self._chance.choice(self._officers)
        return [
            ("aggregation", "/v1/satisfaction/city"),
            ("aggregation", "/v1/satisfaction/city/children"),
            ("aggregation", f"/v1/satisfaction/groups/{officer.group_id}/children"),
            ("aggregation", f"/v1/satisfaction/units/{officer.unit_id}"),
            ("aggregation", f"/v1/satisfaction/units/{officer.unit_id}/history"),
            ("aggregation", f"/v1/satisfaction/officers/{officer.id}"),
            ("intake", "/v1/directory"),
            ("intake", f"/v1/directory/units/{officer.unit_id}"),
            ("intake", "/v1/directory/search?q=so thong tin"),
            ("intake", "/v1/edition"),
            ("portal", "/"),
            ("portal", "/danh-gia"),
            ("portal", f"/danh-gia/don-vi/{officer.unit_id}"),
            ("portal", "/ket-qua"),
            ("portal", f"/ket-qua/don-vi/{officer.unit_id}"),
        ]

    @property
    def wrong(self) -> list[str]:
        """Nothing breaks during a soak; a machine that is busy with other things is given a few failures."""
        asked = self.counts["streams"] + sum(n for name, n in self.counts.items() if name.startswith("pages"))
        failed = {name: number for name, number in self.counts.items() if name not in FINE}
        return (
            [f"{n} × {name}" for name, n in failed.items()]
            if sum(failed.values()) > MOST_FAILED * asked
            else []
        )
