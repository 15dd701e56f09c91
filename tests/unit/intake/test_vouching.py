"""A screen that stands for its ratings: without phone and code, with the true time, and not too many."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.events import Policy, RatingSubmitted, Vouching
from services.intake.domain import clients
from services.intake.domain.limits import RATINGS, Arrival, Caller, things
from tests.support.intake import NOW, OFFICER, edition, officer
from tests.unit.intake.test_api import Intake

SCREEN = clients.added("quay-1", "Quầy số 1", ["kiosk"], None, vouches=True)
BODY = {
    "edition_id": "2026",
    "officer_id": OFFICER,
    "answer": "satisfied",
    "channel": "kiosk",
    "vouched": True,
}


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    intake = Intake(tmp_path / "keys")
    publish(intake, vouching=(Vouching.DEVICE,))
    return intake


@pytest.fixture
async def client(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    async with intake.client() as client:
        yield client


def publish(intake: Intake, *, vouches: bool = True, vouching: tuple[Vouching, ...] | None = None) -> None:
    assert intake.directory.read is not None
    changes: dict[str, Any] = {"client:quay-1": SCREEN.client.model_copy(update={"vouches": vouches})}
    if vouching is not None:
        changes["edition:2026"] = edition(policy=Policy(vouching=vouching))
    intake.directory.read = intake.directory.read.with_(changes)


async def post(
    client: httpx.AsyncClient, number: int = 1, *, visit: str = "", key: str = SCREEN.key, **changes: Any
) -> httpx.Response:
    headers = {"Idempotency-Key": f"{number:016}", "Authorization": f"Bearer {key}"}
    headers |= {"Hailong-Session": visit} if visit else {}
    return await client.post("/v1/ratings", json=BODY | changes, headers=headers)


def kept(intake: Intake) -> RatingSubmitted:
    event = intake.events()[-1].data
    assert isinstance(event, RatingSubmitted)
    return event


def codes(answer: httpx.Response) -> set[tuple[str, str]]:
    return {(each["pointer"], each["code"]) for each in answer.json().get("errors", ())}


async def test_its_rating_goes_without_phone_and_code_and_says_who_vouches(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    assert (await post(client)).status_code == 202
    event = kept(intake)
    assert (event.vouched_by, event.client_id, event.channel) == (Vouching.DEVICE, "quay-1", "kiosk")
    assert (event.phone, event.phone_pseudonym, event.challenge) == (None, None, None)
    assert event.submitted_at == NOW


async def test_who_does_not_vouch_is_told_so(intake: Intake, client: httpx.AsyncClient) -> None:
    publish(intake, vouches=False)
    answer = await post(client)
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:hailong:problem:vouching_not_yours")
    answer = await client.post(
        "/v1/ratings", json=BODY | {"channel": "web"}, headers={"Idempotency-Key": "k" * 16}
    )
    assert answer.status_code == 403
    assert intake.events() == []


async def test_a_revoked_key_posts_nothing(intake: Intake, client: httpx.AsyncClient) -> None:
    assert intake.directory.read is not None
    shut_out = clients.revoked(SCREEN.client, None)
    intake.directory.read = intake.directory.read.with_({"client:quay-1": shut_out})
    assert (await post(client)).status_code == 401
    assert intake.events() == []


@pytest.mark.parametrize("vouching", [(), (Vouching.PAPER,)])
async def test_an_edition_that_lets_no_device_vouch_refuses_it_by_name(
    intake: Intake, client: httpx.AsyncClient, vouching: tuple[Vouching, ...]
) -> None:
    publish(intake, vouching=vouching)
    answer = await post(client)
    assert (answer.status_code, codes(answer)) == (422, {("/vouched", "vouching_refused")})


async def test_a_rating_with_phone_and_code_is_judged_by_those_or_by_the_screen_never_both(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    proofs: dict[str, Any] = {"phone": "0905 123 456", "challenge": {"id": "token", "answer": "234567"}}
    answer = await post(client, **proofs)
    assert codes(answer) == {("/phone", "not_with_vouching"), ("/challenge", "not_with_vouching")}
    assert (await post(client, vouched=False, consent=True, **proofs)).status_code == 202
    assert kept(intake).vouched_by is None


async def test_all_that_is_wrong_with_a_bent_one_is_named_and_no_phone_is_missed(
    client: httpx.AsyncClient,
) -> None:
    answer = await post(client, answer="", language="fr")
    assert {pointer for pointer, _ in codes(answer)} == {"/answer", "/language"}


async def test_it_keeps_the_time_when_it_was_given_whenever_it_is_sent(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    given = NOW - timedelta(days=2, hours=3)
    first = await post(client, rated_at=given.isoformat())
    assert first.status_code == 202
    assert kept(intake).submitted_at == given
    # Sent again, its clock may say it a little differently: it is the same rating.
    again = await post(client, rated_at=(given + timedelta(seconds=1)).isoformat())
    assert again.json()["rating_id"] == first.json()["rating_id"]
    assert len({each.id for each in intake.events()}) == 1


@pytest.mark.parametrize(
    ("age", "code"),
    [
        (timedelta(minutes=-2), ("/rated_at", "rated_at_in_future")),
        (timedelta(days=7, minutes=1), ("/rated_at", "rated_at_too_old")),
    ],
)
async def test_a_time_is_neither_in_the_future_nor_too_long_ago(
    client: httpx.AsyncClient, age: timedelta, code: tuple[str, str]
) -> None:
    answer = await post(client, rated_at=(NOW - age).isoformat())
    assert (answer.status_code, codes(answer)) == (422, {code})


async def test_a_clock_that_is_a_little_ahead_says_now(intake: Intake, client: httpx.AsyncClient) -> None:
    await post(client, rated_at=(NOW + timedelta(seconds=20)).isoformat())
    assert kept(intake).submitted_at == NOW


async def test_it_is_judged_as_of_its_own_day(intake: Intake, client: httpx.AsyncClient) -> None:
    """The officer left and the edition closed today; yesterday both took ratings."""
    assert intake.directory.read is not None
    yesterday = (NOW - timedelta(days=1)).date()
    late = edition(policy=Policy(vouching=(Vouching.DEVICE,)), closes_on=yesterday)
    gone = officer(active_until=NOW.date())
    intake.directory.read = intake.directory.read.with_({"edition:2026": late, f"officer:{OFFICER}": gone})
    assert (await post(client, rated_at=(NOW - timedelta(days=1)).isoformat())).status_code == 202
    answer = await post(client, 2)
    assert codes(answer) == {("/officer_id", "officer_not_active"), ("/edition_id", "edition_closed")}


async def test_nobody_else_says_when_a_rating_was_given(client: httpx.AsyncClient) -> None:
    answer = await post(client, vouched=False, rated_at=NOW.isoformat())
    assert ("/rated_at", "rated_at_not_yours") in codes(answer)


async def test_a_screen_takes_so_many_in_the_window_whoever_stands_before_it(intake: Intake) -> None:
    intake.settings = {"limit_device": 3, "limit_phone": 2}
    async with intake.client() as client:
        taken = [(await post(client, n, visit=f"visit-{n:012}")).status_code for n in range(5)]
        assert taken == [202, 202, 202, 429, 429]
        assert (await post(client, 0, visit=f"visit-{0:012}")).status_code == 202  # known before


def test_without_a_phone_nothing_is_counted_as_one_phone_s() -> None:
    caller = Caller("quay-1", "visit", "block")
    counted = {thing[0] for thing in things(RATINGS, Arrival("id", caller, "", OFFICER, "2026", True))}
    assert counted >= {"device", "session", "officer"}
    assert not counted & {"phone", "session_phone"}
    assert "device" not in {
        thing[0] for thing in things(RATINGS, Arrival("id", caller, "p", OFFICER, "2026"))
    }


async def test_a_client_learns_whether_it_vouches(intake: Intake, client: httpx.AsyncClient) -> None:
    async def asked() -> Any:
        headers = {"Authorization": f"Bearer {SCREEN.key}"}
        return (await client.get("/v1/client", headers=headers)).json()["vouches"]

    assert await asked() is True
    publish(intake, vouches=False)
    assert await asked() is False
