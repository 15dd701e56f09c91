"""Who may post through which channel, and what is noted of where it came from."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from contracts.events import ApiClientPublished, RatingSubmitted
from services.intake.adapters.key_files import FileKeys
from services.intake.domain import clients
from services.intake.domain.identity import origin, session
from tests.support.intake import TODAY
from tests.unit.intake.test_api import BODY, Intake

PORTAL = clients.added("portal", "City portal", ["portal", "qr"], None)
VISIT = "visit-0123456789"
SECRET = b"s" * 32


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    intake = Intake(tmp_path / "keys")
    publish(intake, PORTAL.client)
    return intake


@pytest.fixture
async def client(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    async with intake.client() as client:
        yield client


def publish(intake: Intake, client: ApiClientPublished | None) -> None:
    assert intake.directory.read is not None
    intake.directory.read = intake.directory.read.with_({"client:portal": client})


async def post(
    client: httpx.AsyncClient, key: str | None = PORTAL.key, number: int = 1, **changes: Any
) -> httpx.Response:
    headers = {"Idempotency-Key": f"{number:016}"} | changes.pop("headers", {})
    headers |= {"Authorization": f"Bearer {key}"} if key is not None else {}
    return await client.post("/v1/ratings", json=BODY | changes, headers=headers)


def submitted(intake: Intake) -> RatingSubmitted:
    event = intake.events()[-1].data
    assert isinstance(event, RatingSubmitted)
    return event


async def test_with_a_key_the_channel_is_the_portal_s_and_without_one_the_web(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    assert (await post(client)).status_code == 202
    assert (submitted(intake).channel, submitted(intake).client_id) == ("portal", "portal")
    assert (await post(client, key=None, number=2)).status_code == 202
    assert (submitted(intake).channel, submitted(intake).client_id) == ("web", None)
    assert (await post(client, number=3, channel="qr")).status_code == 202
    assert submitted(intake).channel == "qr"


@pytest.mark.parametrize("channel", ["portal", "kiosk", "qr"])
async def test_other_channels_need_a_key(client: httpx.AsyncClient, channel: str) -> None:
    answer = await post(client, key=None, channel=channel)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["type"] == "urn:hailong:problem:key_missing"
    assert channel in answer.json()["detail"]


@pytest.mark.parametrize("channel", ["kiosk", "web"])
async def test_a_key_opens_its_own_channels_alone(client: httpx.AsyncClient, channel: str) -> None:
    answer = await post(client, channel=channel)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (
        403,
        'Bearer error="insufficient_scope"',
    )


@pytest.mark.parametrize(
    "said",
    ["Bearer x", f"Basic {PORTAL.key}", f"Bearer {PORTAL.key}x", f"Bearer {PORTAL.key[:-1]}", "Bearer"],
    ids=["unknown", "Basic", "longer", "shorter", "none"],  # the same in every process, as the key is not
)
async def test_a_key_that_is_none_is_refused_for_every_channel(client: httpx.AsyncClient, said: str) -> None:
    for channel in ("web", "portal"):
        answer = await post(client, key=None, channel=channel, headers={"Authorization": said})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (
            401,
            'Bearer error="invalid_token"',
        )
        assert said.rpartition(" ")[2] not in answer.text.replace("Bearer", "")


async def test_problems_with_keys_are_told_in_both_languages(client: httpx.AsyncClient) -> None:
    said = [
        (await post(client, key="x", headers={"Accept-Language": language})).json()["title"]
        for language in ("vi", "en")
    ]
    assert said == ["Khóa truy cập không có hiệu lực", "The key is not in force"]


async def test_old_and_new_key_go_side_by_side_until_the_old_one_expires(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    new = clients.rotated(PORTAL.client, old_expire_on=TODAY + timedelta(days=1))
    publish(intake, new.client)
    assert [(await post(client, key)).status_code for key in (PORTAL.key, new.key)] == [202, 202]
    publish(intake, clients.rotated(PORTAL.client, old_expire_on=TODAY).client)
    assert (await post(client, PORTAL.key)).status_code == 401


@pytest.mark.parametrize("how", ["its key is gone", "all its keys are gone", "it is gone"])
async def test_a_revoked_key_is_refused(intake: Intake, client: httpx.AsyncClient, how: str) -> None:
    assert (await post(client)).status_code == 202
    left = {
        "its key is gone": clients.revoked(PORTAL.client, PORTAL.client.keys[0].key_id),
        "all its keys are gone": clients.revoked(clients.rotated(PORTAL.client).client, None),
        "it is gone": None,
    }
    publish(intake, left[how])
    assert (await post(client)).status_code == 401


def test_a_key_is_long_random_and_published_as_its_digest_alone() -> None:
    made = [clients.added("portal", "Portal", ["portal"], None) for _ in range(50)]
    assert len({each.key for each in made}) == 50
    assert all(len(each.key) >= 43 for each in made)  # 256 bits in base64
    assert not any(each.key in each.client.model_dump_json() for each in made)


def test_a_key_never_lives_longer_because_another_one_came() -> None:
    first = clients.added("portal", "Portal", ["portal"], date(2026, 1, 5))
    [old, _] = clients.rotated(first.client, old_expire_on=date(2026, 2, 1)).client.keys
    assert old.expires_on == date(2026, 1, 5)


async def test_where_a_rating_came_from_does_not_make_it_another_one(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    first = await post(client, headers={"Hailong-Session": VISIT, "X-Forwarded-For": "203.0.113.7"})
    again = await post(client, headers={"Hailong-Session": "another-" + VISIT})
    assert first.json()["rating_id"] == again.json()["rating_id"]
    assert len({event.id for event in intake.events()}) == 1


async def test_a_session_and_an_address_are_believed_of_a_key_holder_alone(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    said = {"Hailong-Session": VISIT, "X-Forwarded-For": "203.0.113.7"}
    await post(client, headers=said)
    with_key = submitted(intake)
    await post(client, key=None, number=2, headers=said)
    without = submitted(intake)
    await post(client, key=None, number=3)
    silent = submitted(intake)
    assert with_key.session is not None
    assert without.session is None
    assert without.origin == silent.origin != with_key.origin


async def test_neither_address_nor_session_nor_key_is_kept_or_logged(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    with capture_logs() as logged:
        await post(client, headers={"Hailong-Session": VISIT, "X-Forwarded-For": "203.0.113.7"})
        shown = (await client.get("/metrics")).text
    event, key = submitted(intake), FileKeys(intake.keys).secret
    assert event.session == session(key, TODAY, "portal", VISIT)
    assert event.origin == origin(key, TODAY, IPv4Address("203.0.113.0"))
    kept = str(intake.log.messages)
    for secret in (VISIT, "203.0.113", PORTAL.key):
        assert secret not in kept + str(logged) + shown


async def test_over_the_limit_a_caller_is_told_when_to_come_back_and_a_retry_is_not_refused(
    intake: Intake,
) -> None:
    intake.settings = {"limit_lone_block": 2}
    async with intake.client() as client:
        answers = [await post(client, key=None, number=number) for number in (1, 2, 3, 1)]
    assert [answer.status_code for answer in answers] == [202, 202, 429, 202]
    assert answers[2].json()["type"] == "urn:hailong:problem:too_many"
    assert 0 < int(answers[2].headers["retry-after"]) <= 960
    assert answers[2].headers["retry-after"] in answers[2].json()["detail"]


async def test_a_number_that_was_used_a_lot_is_answered_as_any_other(intake: Intake) -> None:
    intake.settings = {"limit_session_phone": 3, "limit_phone": 3}
    async with intake.client() as client:
        for number in range(10):  # others have rated with the number, each from a session of their own
            await post(client, number=number, headers={"Hailong-Session": f"others-session-{number}"})
        mine = {"Hailong-Session": VISIT}
        used = await post(client, number=100, headers=mine)
        unused = await post(client, number=101, headers=mine, phone="0905 999 999")
    assert used.status_code == unused.status_code == 202
    assert used.json().keys() == unused.json().keys()


@given(st.ip_addresses())
def test_an_origin_says_the_block_and_only_that_day(address: Any) -> None:
    today = origin(SECRET, TODAY, address)
    size = 32 - 24 if address.version == 4 else 128 - 48
    kind = type(address)
    first = kind(int(address) >> size << size)
    last = kind(int(first) + 2**size - 1)
    assert {origin(SECRET, TODAY, each) for each in (first, last)} == {today}
    assert origin(SECRET, TODAY + timedelta(days=1), address) != today
    assert origin(b"t" * 32, TODAY, address) != today


def test_a_session_is_its_client_s_and_its_day_s() -> None:
    days = (TODAY, TODAY + timedelta(days=1))
    assert len({session(SECRET, day, client, VISIT) for day in days for client in ("a", "b")}) == 4


async def test_a_client_is_told_who_it_is_for_as_long_as_its_key_is_in_force(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    headers = {"Authorization": f"Bearer {PORTAL.key}"}
    told = await client.get("/v1/client", headers=headers)
    known = {"client_id": "portal", "name": "City portal", "channels": ["portal", "qr"], "vouches": False}
    assert told.json() == known
    publish(intake, clients.revoked(PORTAL.client, None))
    for said in (headers, {}, {"Authorization": "Bearer x"}):
        assert (await client.get("/v1/client", headers=said)).status_code == 401
    intake.directory.read = None
    assert (await client.get("/v1/client", headers=headers)).status_code == 503
