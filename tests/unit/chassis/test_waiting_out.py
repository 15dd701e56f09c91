"""An outage is waited out and shown; anything else is raised at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.readiness import Check, Readiness
from chassis.tasks import Owned, attempts, wait_out


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every pause that was made, none of them waited for."""
    made: list[float] = []

    async def sleep(seconds: float) -> None:
        made.append(seconds)

    monkeypatch.setattr("chassis.tasks.asyncio.sleep", sleep)
    return made


class Away:
    """Fails so many times, then works."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left = times
        self.error = error
        self.seen: list[tuple[bool, str]] = []
        self.check = Check("kafka")

    async def __call__(self) -> str:
        self.seen.append((self.check.ok, self.check.detail))
        if self.left:
            self.left -= 1
            raise self.error
        return "result"


def outage(error: BaseException) -> bool:
    return isinstance(error, OSError)


async def test_an_outage_shows_on_its_check_until_it_is_over(pauses: list[float]) -> None:
    away = Away(3, ConnectionRefusedError("nobody there"))
    assert await wait_out(away.check, away, outage=outage, first=0.1, most=0.3) == "result"
    assert away.seen == [(False, "waiting"), *[(False, "ConnectionRefusedError: nobody there")] * 3]
    assert (away.check.ok, away.check.detail) == (True, "ok")
    assert pauses == [0.1, 0.2, 0.3]


async def test_what_is_no_outage_is_raised_at_once(pauses: list[float]) -> None:
    away = Away(1, ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        await wait_out(away.check, away, outage=outage)
    assert pauses == []


async def test_a_long_reason_is_cut(pauses: list[float]) -> None:
    away = Away(1, OSError("x" * 1000))
    await wait_out(away.check, away, outage=outage)
    assert len(away.seen[1][1]) == 200


async def test_pauses_double_up_to_the_most(pauses: list[float]) -> None:
    numbers: AsyncIterator[int] = attempts(first=1, most=5)
    assert [await anext(numbers) for _ in range(6)] == [1, 2, 3, 4, 5, 6]
    assert pauses == [1, 2, 4, 5, 5]


async def test_what_is_cancelled_while_it_waits_ends() -> None:
    away = Away(10**6, OSError("away"))
    waiting = asyncio.create_task(wait_out(away.check, away, outage=outage, first=60))
    async with asyncio.timeout(5):
        while not away.seen:
            await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_closing_cancels_what_runs_and_is_no_failure() -> None:
    stopped: list[str] = []
    owned = Owned()
    owned.stop_process = lambda: stopped.append("stopped")
    task = owned.start("lasting", _lasting())
    await owned.close()
    assert task.cancelled()
    assert (stopped, owned.failure) == ([], None)


async def test_the_first_of_many_failures_is_the_reason() -> None:
    stopped: list[str] = []
    owned = Owned()
    owned.stop_process = lambda: stopped.append("stopped")
    first, second = ValueError("first"), ValueError("second")
    owned.fail("a", first)
    owned.fail("b", second)
    assert owned.failure is first
    assert stopped == ["stopped"]


async def _lasting() -> None:
    await asyncio.Event().wait()


def test_readiness_needs_every_check_that_is_required() -> None:
    readiness = Readiness()
    said = [readiness.ready]
    kafka = readiness.check("kafka")
    assert readiness.check("kafka") is kafka
    said.append(readiness.ready)  # a check that nobody has made yet is not ok
    kafka.up()
    readiness.check("sms", required=False)
    said.append(readiness.ready)
    assert said == [True, False, True]
