"""A TCP proxy that can be cut, slowed down or fall silent: the network between one process and one server."""

import asyncio
import contextlib
import socket
from enum import StrEnum

from deploy.local.ports import HOST

CHUNK = 65_536


class Trouble(StrEnum):
    """What a link can suffer. `STALL` ends with what was held going on; `HALF_OPEN` ends with a reset."""

    CUT = "cut"
    DELAY = "delay"
    STALL = "stall"
    HALF_OPEN = "half-open"


class Link:
    """One listener before one server. Healthy until `suffer`, and again after `heal`."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.port = 0
        self.target = 0
        self._delay = 0.0
        self._trouble: Trouble | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen on a `port` of the system's choice. `target` may be set any time before the first use."""
        self._server = await asyncio.start_server(self._serve, HOST, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def suffer(self, trouble: Trouble, *, delay: float = 0.2) -> None:
        """`delay` is in seconds, each way and for each piece that is sent."""
        self._trouble = trouble
        if trouble is Trouble.CUT:
            self._reset_all()
        elif trouble is Trouble.DELAY:
            self._delay = delay
        else:
            self._flows.clear()

    def heal(self) -> None:
        if self._trouble is Trouble.HALF_OPEN:
            self._reset_all()
        self._trouble = None
        self._delay = 0.0
        self._flows.set()

    async def close(self) -> None:
        self.heal()
        if self._server is not None:
            self._server.close()
        self._reset_all()

    def _reset_all(self) -> None:
        for writer in list(self._writers):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        onward: asyncio.StreamWriter | None = None
        try:
            if self._trouble is Trouble.CUT:
                _reset(writer)
                return
            await self._flows.wait()
            back, onward = await asyncio.open_connection(HOST, self.target)
            self._writers.add(onward)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, onward))
                group.create_task(self._pump(back, writer))
        except* (OSError, asyncio.IncompleteReadError):
            pass  # either end went away, which is what ends a connection
        finally:
            for each in (writer, onward):
                if each is not None:
                    each.close()  # after what was written before; a reset has closed it already
                    self._writers.discard(each)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until either end goes away, which shows as an OSError, so that the other direction ends too."""
        while data := await reader.read(CHUNK):
            if self._delay:
                await asyncio.sleep(self._delay)
            await self._flows.wait()
            if writer.is_closing():
                break
            writer.write(data)
            await writer.drain()
        raise ConnectionResetError


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other end gets a reset, whatever is still in the buffers."""
    found = writer.get_extra_info("socket")
    if found is not None:
        with contextlib.suppress(OSError):
            # l_onoff 1, l_linger 0: close(2) then sends RST; see socket(7).
            found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()
