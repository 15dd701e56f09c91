"""A gateway for text messages over real HTTP, which can be slow, fail, or take a message and not say so.

What it takes lies in the outbox as it would on a telephone.
"""

import asyncio
import json
from enum import StrEnum
from pathlib import Path
from uuid import uuid4

from deploy.local.ports import HOST

SLOW_SECONDS = 3.0


class SmsTrouble(StrEnum):
    SLOW = "slow"
    FAILING = "failing"
    SILENT = "silent"  # takes the message, then never answers


class SmsGateway:
    def __init__(self, outbox: Path) -> None:
        self.outbox = outbox
        self.urls = outbox.parent / "sms-urls.txt"
        self.trouble: SmsTrouble | None = None
        self.port = 0
        self._server: asyncio.Server | None = None
        self._codes: dict[str, list[str]] = {}
        self._urls: set[str] = set()

    def settings(self) -> dict[str, str]:
        return {
            "VERIFICATION_SMS_GATEWAY": "http",
            "VERIFICATION_SMS_HTTP_URL": f"http://{HOST}:{self.port}/messages",
            # A campaign is one address block, and posts in an hour what a city does in a week.
            "VERIFICATION_SMS_PER_DAY": "1000000",
            "VERIFICATION_SMS_PER_ORIGIN": "1000000",
            "VERIFICATION_SMS_UNKNOWN_ORIGIN": "1000000",
        }

    async def start(self) -> None:
        self.urls.touch()
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    def texts_to(self, phone: str) -> list[str]:
        """All that came for a number (E.164), oldest first."""
        return self._codes.get(phone, [])

    def text_to_another(self, phone: str) -> str | None:
        """The last that came for any other number."""
        return next((texts[-1] for other, texts in reversed(self._codes.items()) if other != phone), None)

    def _note_url(self, head: str) -> None:
        """What was called, for the checker: each URL once."""
        url = head.split("\r\n", 1)[0]
        if url not in self._urls:
            self._urls.add(url)
            with self.urls.open("a", encoding="utf-8") as file:
                file.write(url + "\n")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                self._note_url(head)
                length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0])
                body = await reader.readexactly(length)
                status = await self._take(body)
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\n\r\n{{}}".encode())
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the caller went away
        finally:
            writer.close()

    async def _take(self, body: bytes) -> str:
        if self.trouble is SmsTrouble.FAILING:
            return "503 Service Unavailable"
        if self.trouble is SmsTrouble.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        message = json.loads(body)
        self._codes.setdefault(message["to"], []).append(message["text"])
        path = self.outbox / f"{uuid4().hex}.json"
        await asyncio.to_thread(path.write_bytes, body)
        if self.trouble is SmsTrouble.SILENT:
            await asyncio.sleep(600)
        return "200 OK"
