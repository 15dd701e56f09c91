"""The SMS gateway over HTTP, against a real HTTP server."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import httpx
import pytest

from services.verification.adapters import sms_http
from services.verification.adapters.sms_http import HttpSms, HttpSmsGateway
from services.verification.ports import SmsFailed, SmsRefused

TO, TEXT = "+84905123456", 'Mã "040718", có hiệu lực\n5 phút'


@dataclass
class Server:
    """Answers with the statuses given, one a request; None: it never answers."""

    answers: list[int | None] = field(default_factory=lambda: [200])
    requests: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    url: str = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
        self.requests.append((head[0], headers, body))
        status = self.answers.pop(0)
        if status is None:
            await reader.read()
        else:
            writer.write(f"HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    async with listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/send"
        yield server


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


Gateway = Callable[..., HttpSmsGateway]


@pytest.fixture
def gateway(server: Server, client: httpx.AsyncClient) -> Gateway:
    return lambda **options: HttpSmsGateway(client, HttpSms(url=server.url, **options))


async def test_it_sends_json_with_its_credentials(server: Server, gateway: Gateway) -> None:
    await gateway(headers={"Authorization": "Bearer secret"}).send(TO, TEXT)
    ((line, headers, body),) = server.requests
    assert line == "POST /send HTTP/1.1"
    assert headers["authorization"] == "bearer secret"
    assert json.loads(body) == {"to": TO, "text": TEXT}


async def test_it_sends_a_form_where_the_gateway_wants_one(server: Server, gateway: Gateway) -> None:
    form = "application/x-www-form-urlencoded"
    await gateway(method="PUT", body="phone=$to&message=$text", content_type=form).send(TO, TEXT)
    ((line, headers, body),) = server.requests
    assert line.startswith("PUT")
    assert headers["content-type"] == form
    assert parse_qs(body) == {"phone": [TO], "message": [TEXT]}


async def test_after_a_failure_it_can_be_tried_again(server: Server, gateway: Gateway) -> None:
    server.answers = [500, 200]
    sms = gateway()
    with pytest.raises(SmsFailed):
        await sms.send(TO, TEXT)
    await sms.send(TO, TEXT)
    assert len(server.requests) == 2


async def test_a_gateway_that_does_not_answer_has_failed(
    server: Server, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [None]
    monkeypatch.setattr(sms_http, "SECONDS", 0.2)
    with pytest.raises(SmsFailed):
        await gateway().send(TO, TEXT)


@pytest.mark.parametrize("status", [400, 410, 422])
async def test_a_message_that_is_refused_is_not_tried_again(
    server: Server, gateway: Gateway, status: int
) -> None:
    server.answers = [status]
    with pytest.raises(SmsRefused):
        await gateway().send(TO, TEXT)


@pytest.mark.parametrize("status", [401, 404, 429, 502])
async def test_what_may_pass_or_is_ours_to_mend_is_tried_again(
    server: Server, gateway: Gateway, status: int
) -> None:
    server.answers = [status]
    with pytest.raises(SmsFailed):
        await gateway().send(TO, TEXT)


async def test_no_error_says_the_number_or_the_text(server: Server, gateway: Gateway) -> None:
    server.answers = [500, 400]
    for kind in (SmsFailed, SmsRefused):
        with pytest.raises(kind) as caught:
            await gateway(headers={"Authorization": "Bearer secret"}).send(TO, TEXT)
        assert not any(word in repr(caught.value) for word in (TO, TO[1:], "040718", "secret"))
    refused = HttpSmsGateway(httpx.AsyncClient(), HttpSms(url="http://127.0.0.1:9/"))
    with pytest.raises(SmsFailed) as caught_failed:
        await refused.send(TO, TEXT)
    assert caught_failed.value.__cause__ is None
