"""Whoever reads all that is public after every rating, and knows who was rated when, learns no answer."""

import secrets
from collections.abc import AsyncIterator

import pytest

from attacks import differencing
from contracts.events import Publication
from tests.support.stack import own_database

pytestmark = pytest.mark.any_servers

SEED = 7


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[str]:
    async with own_database(postgres, f"differencing_{secrets.token_hex(4)}") as url:
        yield url


async def test_by_the_usual_policy_no_answer_that_should_be_secret_is_certain(database: str) -> None:
    results = await differencing.run(database, Publication(), 120, SEED)
    officers, alone, several = results.rows
    assert (officers.recovered, alone.recovered) == (0, 0)
    assert results.few == 0, "in any list of items, or between two of them"
    assert results.held
    assert alone.ratings > 50
    # Units of several move at once: that is what the observer can see at all.
    assert several.recovered > several.ratings / 2


async def test_without_the_rule_every_answer_is(database: str) -> None:
    results = await differencing.run(database, Publication(officer_batch=1, suppress_below=1), 30, SEED)
    assert [row.recovered for row in results.rows] == [row.ratings for row in results.rows]
    assert results.few > 100
    assert not results.held
