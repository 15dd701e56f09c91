"""Where the portal has sheets set: in processes of their own, a few at a time."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SETTING = Path(__file__).with_name("setting.py")
SECONDS = 20.0


class NotSet(Exception):
    """The process ended without a sheet; the text is what it said."""


class Press:
    """One a process of the portal."""

    def __init__(self, at_once: int) -> None:
        self._places = asyncio.Semaphore(at_once)

    async def set(self, sheet: Mapping[str, Any]) -> bytes:
        """Raises TimeoutError, also where no place came free, and NotSet."""
        async with asyncio.timeout(SECONDS), self._places:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                str(SETTING),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            try:
                made, said = await process.communicate(json.dumps(sheet).encode())
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode:
            raise NotSet(said.decode(errors="replace"))
        return made
