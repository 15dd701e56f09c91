"""The proxy does to connections what networks do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from faults.proxy import Link, Trouble

PATIENCE = 5.0
SHORT = 0.3


@asynccontextmanager
async def echo_behind_a_link() -> AsyncIterator[Link]:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    link = Link("test")
    await link.open()
    link.target = server.sockets[0].getsockname()[1]
    try:
        yield link
    finally:
        await link.close()
        server.close()


async def answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, text: bytes, seconds: float = PATIENCE
) -> bytes:
    writer.write(text)
    async with asyncio.timeout(seconds):
        return await reader.read(1024)


async def test_a_healthy_link_carries_both_ways() -> None:
    async with echo_behind_a_link() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        assert await answered(reader, writer, b"hello") == b"hello"
        writer.close()


async def test_a_cut_resets_what_is_open_and_what_comes_until_it_is_healed() -> None:
    async with echo_behind_a_link() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        await answered(reader, writer, b"hello")
        link.suffer(Trouble.CUT)
        with pytest.raises(ConnectionError):
            await answered(reader, writer, b"anyone?")
        later = await asyncio.open_connection("127.0.0.1", link.port)
        with pytest.raises(ConnectionError):
            await answered(*later, b"anyone?")
        link.heal()
        again = await asyncio.open_connection("127.0.0.1", link.port)
        assert await answered(*again, b"back") == b"back"
        again[1].close()


async def test_a_stall_holds_everything_and_then_lets_it_go_on() -> None:
    async with echo_behind_a_link() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        await answered(reader, writer, b"hello")
        link.suffer(Trouble.STALL)
        with pytest.raises(TimeoutError):
            await answered(reader, writer, b"held", SHORT)
        link.heal()
        async with asyncio.timeout(PATIENCE):
            assert await reader.read(1024) == b"held"
        writer.close()


async def test_half_open_is_silent_and_ends_in_a_reset() -> None:
    async with echo_behind_a_link() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        await answered(reader, writer, b"hello")
        link.suffer(Trouble.HALF_OPEN)
        with pytest.raises(TimeoutError):
            await answered(reader, writer, b"lost", SHORT)
        link.heal()
        with pytest.raises(ConnectionError):
            await reader.readexactly(4)


async def test_a_delay_makes_each_way_longer() -> None:
    async with echo_behind_a_link() as link:
        reader, writer = await asyncio.open_connection("127.0.0.1", link.port)
        await answered(reader, writer, b"hello")
        link.suffer(Trouble.DELAY, delay=0.1)
        started = asyncio.get_running_loop().time()
        assert await answered(reader, writer, b"slow") == b"slow"
        assert asyncio.get_running_loop().time() - started >= 0.2
        writer.close()
