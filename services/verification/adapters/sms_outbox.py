"""For development: each SMS is a file that only its owner can read, and goes nowhere."""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4


class OutboxSmsGateway:
    """Files are `<UTC time>-<random>.json` with `to`, `text` and `at`; their names sort by time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, to: str, text: str) -> None:
        await asyncio.to_thread(self._write, to, text)

    def _write(self, to: str, text: str) -> None:
        now = datetime.now(UTC)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{now:%Y%m%dT%H%M%S.%fZ}-{uuid4().hex[:8]}.json"
        temporary = path.with_suffix(".part")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"to": to, "text": text, "at": now.isoformat()}, file, ensure_ascii=False)
        temporary.rename(path)
