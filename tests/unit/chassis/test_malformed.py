"""What is no HTTP, two requests in one, or more than a head may be, ends at the server."""

from collections.abc import AsyncIterator

import pytest

from attacks.malformed import HEAD_BYTES, OVERSIZED, SMUGGLED
from attacks.wire import send
from chassis.headers import for_data
from tests.unit.chassis.test_process import Obedient, running


@pytest.fixture(scope="module")
async def obedient(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Obedient]:
    async with running(tmp_path_factory.mktemp("malformed")) as started:
        yield started


@pytest.mark.parametrize("listener", ["http", "operations"])
@pytest.mark.parametrize(
    ("status", "request_"),
    [*((400, each) for each in SMUGGLED.values()), *((431, each) for each in OVERSIZED.values())],
    ids=[*SMUGGLED, *OVERSIZED],
)
async def test_it_is_refused_once_and_with_every_header(
    obedient: Obedient, listener: str, status: int, request_: bytes
) -> None:
    answer = await send(getattr(obedient, listener).base_url.port, request_)
    assert (answer.status, answer.answers) == (status, 1)
    assert answer.headers["connection"] == "close"
    assert {name.lower() for name in for_data()} <= set(answer.headers)


async def test_a_head_below_the_limit_is_taken(obedient: Obedient) -> None:
    answer = await obedient.http.get("/healthz", headers={"X": "a" * (HEAD_BYTES - 500)})
    assert answer.status_code == 200
