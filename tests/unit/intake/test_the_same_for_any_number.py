"""Nobody learns from intake's answer, or from its time, whether a number has rated before."""

import asyncio
from itertools import count
from pathlib import Path
from uuid import UUID

import httpx

from tests.support.timing import in_turns, told_apart
from tests.unit.intake.test_api import Intake, post

ROUNDS = 200
RATED, OTHERS = "0905 123 456", count(10**6)
KEYS = count()


def unlimited(keys: Path) -> httpx.AsyncClient:
    """Limits would end the sample; what they tell of a number is tested with them."""
    intake = Intake(keys)
    intake.settings = {"limit_lone_block": 10**6, "limit_tightened": 10**6}
    return intake.client()


async def rate(client: httpx.AsyncClient, phone: str) -> httpx.Response:
    answer = await post(client, key=f"key-of-this-rating-{next(KEYS):09d}", phone=phone)
    assert answer.status_code == 202
    return answer


async def fresh(client: httpx.AsyncClient) -> httpx.Response:
    return await rate(client, f"090{next(OTHERS):07d}")


async def rated(client: httpx.AsyncClient) -> httpx.Response:
    return await rate(client, RATED)


def shape(answer: httpx.Response) -> tuple[bytes, list[tuple[str, str]]]:
    """All that is answered, but for the ids and the receipt, which are drawn."""
    rating_id, receipt = str(UUID(answer.json()["rating_id"])), answer.json()["receipt"]
    content = answer.content.replace(rating_id.encode(), b"ID").replace(receipt.encode(), b"RECEIPT")
    headers = [(name, value.replace(rating_id, "ID")) for name, value in answer.headers.items()]
    drawn = ("x-request-id",)
    return content, [(name, "" if name in drawn else value) for name, value in headers]


async def test_a_number_that_has_rated_gets_the_same_bytes_as_one_that_has_not(tmp_path: Path) -> None:
    async with unlimited(tmp_path / "keys") as client:
        await rated(client)
        assert shape(await rated(client)) == shape(await fresh(client))


async def test_a_number_that_has_rated_is_answered_as_fast_as_one_that_has_not(tmp_path: Path) -> None:
    async with unlimited(tmp_path / "keys") as client:
        taken = await in_turns(
            {"fresh": lambda: fresh(client), "rated": lambda: rated(client)}, rounds=ROUNDS
        )
    assert told_apart(taken) == []


async def test_a_delay_for_numbers_that_have_rated_would_be_seen(tmp_path: Path) -> None:
    async with unlimited(tmp_path / "keys") as client:

        async def slowly() -> None:
            await asyncio.gather(rated(client), rated(client))

        taken = await in_turns({"fresh": lambda: fresh(client), "rated": slowly}, rounds=ROUNDS)
    assert [each.partition(" takes ")[0] for each in told_apart(taken)] == ["rated"]
