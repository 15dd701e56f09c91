"""Telling over real TLS: the address that was looked at is called, and has to prove the name."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.verification.adapters import webhook_http
from services.verification.adapters.webhook_http import HttpWebhooks
from services.verification.ports import NotTaken
from tests.support.certificates import Authority

PORTAL = "congdan.example"


class Server:
    """Takes what it is told, as PORTAL; `heard` is what came."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.fixture
async def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def server(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    """Every name leads to it, by way of an address at which nobody answers."""
    server, pair = Server(), authority.issue("portal", dns=PORTAL)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    async with await asyncio.start_server(server.answer, "127.0.0.1", 0, ssl=context) as listening:
        server.port = listening.sockets[0].getsockname()[1]

        async def leads(_: str, port: int, **__: Any) -> list[Any]:
            found = socket.AF_INET, socket.SOCK_STREAM, 6, ""
            return [(*found, (each, port)) for each in ("127.1.2.3", "127.0.0.1")]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", leads)
        yield server


async def tell(authority: Authority, url: str, *, private: bool = True) -> None:
    trust = ssl.create_default_context(cafile=authority.certificate)
    async with httpx.AsyncClient(verify=trust, trust_env=False) as client:
        await HttpWebhooks(client, private=private).tell(url, {"webhook-id": "outcome_1"}, b"{}")


async def test_the_server_of_that_name_is_told(authority: Authority, server: Server) -> None:
    await tell(authority, f"https://{PORTAL}:{server.port}/outcomes")
    [heard] = server.heard
    assert heard.startswith(b"POST /outcomes HTTP/1.1")
    assert f"Host: {PORTAL}:{server.port}".encode().lower() in heard.lower()


async def test_a_server_of_another_name_hears_nothing(authority: Authority, server: Server) -> None:
    with pytest.raises(NotTaken, match="ConnectError"):
        await tell(authority, f"https://another.example:{server.port}/outcomes")
    assert server.heard == []


async def test_a_private_address_is_not_called(
    authority: Authority, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotTaken, match="a private address"):
        await tell(authority, f"https://{PORTAL}:{server.port}/outcomes", private=False)
    monkeypatch.setattr(webhook_http, "is_public", lambda address: str(address) == "127.1.2.3")
    with pytest.raises(NotTaken, match="a private address"):  # one public address excuses no other
        await tell(authority, f"https://{PORTAL}:{server.port}/outcomes", private=False)
    assert server.heard == []
