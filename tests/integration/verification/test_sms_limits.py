"""However many codes are asked for, no more SMS go out than the limits say; nobody can tell from outside."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from prometheus_client import REGISTRY

from attacks import sms_pumping
from contracts.events import EditionPublished, VerificationPolicy
from services.verification import batches, bootstrap
from services.verification.bootstrap import worker_app
from services.verification.ports import SmsFailed
from services.verification.settings import Settings
from tests.support.timing import in_turns, told_apart
from tests.support.verification import Submission, World, running, until

pytestmark = pytest.mark.any_servers

PHONE = VerificationPolicy.PHONE
LIMITS = Settings(sms_per_day=40, sms_per_origin=12, sms_unknown_origin=6, sms_withheld_alarm=50)


def quiet(_: int) -> None:
    pass


async def test_an_attack_on_hundreds_of_numbers_stays_within_the_budgets_and_rings_the_alarm(
    database_url: str, tmp_path: Path
) -> None:
    figures = await sms_pumping.run(database_url, tmp_path / "keys", 300, LIMITS, quiet)
    assert figures.failures == []
    assert [wave.sent for wave in figures.waves] == [12, 6, 22]
    assert (figures.sent, figures.twice) == (40, 0)
    assert figures.alarms == "budget_exhausted, budget_low, withheld_surge"
    again = await sms_pumping.run(database_url, tmp_path / "keys", 30, LIMITS, quiet)
    assert again.sent == 0, "a budget holds over restarts"


class Phones:
    """A gateway that is told what becomes of each message."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *fates: str) -> None:
        self.fates = list(fates)
        self.codes: list[tuple[str, str]] = []
        monkeypatch.setattr(bootstrap, "_gateway", lambda *_: self)

    async def send(self, to: str, text: str) -> None:
        fate = self.fates.pop(0) if self.fates else "delivered"
        if "delivered" in fate:
            [code] = re.findall(r"\b\d{6}\b", text)
            self.codes.append((to, code))
        if "failed" in fate:
            raise SmsFailed(fate)

    async def got(self, number: int) -> list[str]:
        async def there() -> bool:
            return len(self.codes) >= number

        await until(there, why=f"{number} SMS")
        return [code for _, code in self.codes]


async def asked(world: World, edition: EditionPublished, **changes: Any) -> Submission:
    submission = world.submission(edition, **changes)
    await world.submit(submission)
    await world.awaits_code(submission.rating_id)
    return submission


async def handled(world: World) -> None:
    """Every SMS asked for has been sent or withheld."""

    async def empty() -> bool:
        return not await world.database.fetchval("SELECT count(*) FROM sms_queue")

    await until(empty, why="an empty queue")


@pytest.mark.parametrize("entered", [0, 1], ids=["the first", "the second"])
async def test_a_gateway_that_failed_is_asked_again_and_where_both_arrived_either_code_counts(
    world: World, monkeypatch: pytest.MonkeyPatch, entered: int
) -> None:
    phones = Phones(monkeypatch, "delivered, then failed")
    async with running(worker_app(world.settings)):
        submission = await asked(world, edition := await world.edition(PHONE))
        codes = await phones.got(2)
        await world.enter_code(edition, submission.rating_id, codes[entered])
        await world.drained()
    assert await world.said([submission]) == {submission.id: ["accepted"]}


async def test_the_code_before_the_last_two_counts_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = Phones(monkeypatch, "delivered, then failed", "delivered, then failed")
    async with running(worker_app(world.settings)):
        submission = await asked(world, edition := await world.edition(PHONE))
        first, *_ = await phones.got(3)
        await world.enter_code(edition, submission.rating_id, first)
        await world.drained()
    assert await world.said([submission]) == {submission.id: []}


async def test_once_a_code_was_entered_no_other_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.settings.sms_pauses = (200.0,)
    phones = Phones(monkeypatch, "delivered, then failed")
    async with running(worker_app(world.settings)):
        submission = await asked(world, edition := await world.edition(PHONE))
        [code] = await phones.got(1)

        async def postponed() -> bool:
            return bool(
                await world.database.fetchval(
                    "SELECT count(*) FROM sms_queue WHERE next_attempt_at > now() + interval '100 seconds'"
                )
            )

        await until(postponed, why="the next attempt waits its pause")
        await world.enter_code(edition, submission.rating_id, code)
        await world.drained()
        await handled(world)
    assert await world.said([submission]) == {submission.id: ["accepted"]}


async def test_what_is_kept_of_a_code_is_no_code(world: World) -> None:
    async with running(worker_app(world.settings)):
        submission = await asked(world, await world.edition(PHONE), number="+84905123456")
        [code] = re.findall(r"\b\d{6}\b", await world.text_to("+84905123456"))
    kept = await world.database.fetchrow(
        "SELECT * FROM phone_codes WHERE rating_id = $1", submission.rating_id
    )
    assert kept is not None
    assert (len(kept["code_salt"]), len(kept["code_digest"])) == (16, 32)
    row = {name: value for name, value in kept.items() if name not in ("code_salt", "code_digest")}
    assert code not in str(row)
    assert code.encode() not in kept["code_salt"] + kept["code_digest"]


def withheld(cause: str) -> float:
    labels = {"cause": cause}
    return REGISTRY.get_sample_value("verification_sms_withheld_total", labels) or 0.0


class Numbers:
    """Three ratings that await a code, of numbers with a different past."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.of: dict[str, Submission] = {}

    async def come(self, phones: Phones) -> EditionPublished:
        edition = await self.world.edition(PHONE)
        rated = await asked(self.world, edition, number="+84905000001")
        await self.world.enter_code(edition, rated.rating_id, (await phones.got(1))[0])
        await self.world.drained()
        for _ in range(2):
            await asked(self.world, edition, number="+84905000002")
        await handled(self.world)
        before = withheld("phone")
        for name, number in (("rated", 1), ("capped", 2), ("fresh", 3)):
            self.of[name] = await asked(self.world, edition, number=f"+8490500000{number}")
        await handled(self.world)
        assert withheld("phone") == before + 1
        assert [to for to, _ in phones.codes].count("+84905000002") == 2
        return edition


@pytest.fixture
def phones(monkeypatch: pytest.MonkeyPatch) -> Phones:
    return Phones(monkeypatch)


async def shown(api: httpx.AsyncClient, rating_id: UUID) -> tuple[bytes, dict[str, str]]:
    """All that is answered, but for what is drawn or a moment."""
    answer = await api.get(f"/v1/ratings/{rating_id}/outcome")
    masked = answer.content.replace(str(rating_id).encode(), b"ID")
    masked = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"MOMENT", masked)
    # A moment of no microseconds is written shorter; one in a million.
    headers = {name: value for name, value in answer.headers.items() if name not in ("x-request-id",)}
    return masked, headers


async def test_from_outside_capped_rated_and_fresh_numbers_look_the_same_to_the_end(
    world: World, api: httpx.AsyncClient, phones: Phones
) -> None:
    world.settings.sms_per_phone = 2
    numbers = Numbers(world)

    async def same() -> bytes:
        answers = [await shown(api, each.rating_id) for each in numbers.of.values()]
        assert answers[0] == answers[1] == answers[2]
        return answers[0][0]

    async with running(worker_app(world.settings)):
        edition = await numbers.come(phones)
        assert b"phone_code_needed" in await same()
        for each in numbers.of.values():
            wrong = next(code for code in ("000000", "111111") if code not in dict(phones.codes).values())
            await world.enter_code(edition, each.rating_id, wrong)
        await world.drained()
        assert b'"tries_left":4' in await same()
        await world.database.execute(
            "UPDATE phone_codes SET expires_at = $1 WHERE awaiting", datetime(2020, 1, 1, tzinfo=UTC)
        )

        async def told() -> bool:
            return all((await world.said(list(numbers.of.values()))).values())

        await until(told, why="outcomes")
        assert b'"expired"' in await same()


async def test_from_outside_the_time_of_an_answer_tells_nothing_of_the_number(
    world: World, api: httpx.AsyncClient, phones: Phones
) -> None:
    world.settings.sms_per_phone = 2
    numbers = Numbers(world)
    async with running(worker_app(world.settings)):
        await numbers.come(phones)

    def look(name: str) -> Callable[[], Awaitable[object]]:
        return lambda: api.get(f"/v1/ratings/{numbers.of[name].rating_id}/outcome")

    taken = await in_turns({name: look(name) for name in numbers.of}, rounds=200)
    assert told_apart(taken) == []


async def test_more_tries_than_a_batch_may_hash_are_all_read_in_their_order(
    world: World, phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(worker_app(world.settings)):
        submission = await asked(world, edition := await world.edition(PHONE))
        [code] = await phones.got(1)
        await world.drained()
    wrong = "000000" if code != "000000" else "111111"
    for each in (wrong, wrong, wrong, wrong, code):
        await world.enter_code(edition, submission.rating_id, each)
    monkeypatch.setattr(batches, "MOST_TRIES", 2)
    async with running(worker_app(world.settings)):
        await world.drained()
    assert await world.said([submission]) == {submission.id: ["accepted"]}
