"""Owned tasks: whatever ends one before its time ends the process."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from chassis.tasks import Owned


async def returns() -> None:
    pass


async def raises() -> None:
    raise ValueError("broken")


async def is_cancelled_from_inside() -> None:
    raise asyncio.CancelledError


async def runs_for_ever() -> None:
    await asyncio.Event().wait()


def owned_with_stops() -> tuple[Owned, list[str]]:
    owned, stops = Owned(), list[str]()
    owned.stop_process = lambda: stops.append("stop")
    return owned, stops


@pytest.mark.parametrize(
    ("work", "failure"),
    [
        (returns(), "ended although it should run for ever"),
        (raises(), "broken"),
        (is_cancelled_from_inside(), "cancelled although it should run for ever"),
    ],
    ids=["returned", "raised", "cancelled by itself"],
)
async def test_a_task_that_ends_stops_the_process(work: Coroutine[Any, Any, None], failure: str) -> None:
    owned, stops = owned_with_stops()
    await asyncio.wait({owned.start("work", work)}, timeout=5)
    await asyncio.sleep(0)  # its callbacks run after it
    assert str(owned.failure) == failure
    assert stops == ["stop"]


async def test_tasks_that_are_closed_have_not_failed() -> None:
    owned, stops = owned_with_stops()
    task = owned.start("work", runs_for_ever())
    await owned.close()
    assert task.cancelled()
    assert (owned.failure, stops) == (None, [])
