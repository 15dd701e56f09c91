"""Intake's HTTP API over a log in memory."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from nacl.public import PrivateKey, SealedBox
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chassis.http import create_app
from chassis.readiness import Readiness
from chassis.tally import Tally
from chassis.tasks import Owned
from contracts.envelope import Envelope, decode
from contracts.events import Event, PhoneCodeEntered, RatingSubmitted
from services.intake.adapters.key_files import FileKeys, create_keys
from services.intake.adapters.sealing import SodiumSealer
from services.intake.bootstrap import install
from services.intake.limiting import Limiter
from services.intake.ports import Parts
from services.intake.settings import Settings
from tests.support.intake import (
    NOW,
    OFFICER,
    TODAY,
    FixedDirectory,
    MemoryLog,
    directory,
    edition,
    officer,
    unit,
)

PRIVATE = PrivateKey(b"p" * 32)
BODY: dict[str, Any] = {
    "edition_id": "2026",
    "officer_id": OFFICER,
    "answer": "not_satisfied",
    "reasons": ["late"],
    "phone": "0905 123 456",
    "consent": True,
    "challenge": {"id": "token", "answer": "234567"},
}


@asynccontextmanager
async def _nothing(app: FastAPI, readiness: Readiness, owned: Owned) -> AsyncIterator[None]:
    yield


class Intake:
    """The API with everything around it in reach."""

    def __init__(self, keys: Path) -> None:
        create_keys(keys, "2026")
        self.keys = keys
        self.log = MemoryLog()
        self.settings: dict[str, Any] = {}
        public = base64.b64encode(bytes(PRIVATE.public_key)).decode()
        self.directory = FixedDirectory(directory(unit(), officer(), edition(public_key=public)))

    def client(self) -> httpx.AsyncClient:
        """A replica of its own: nothing is shared but the keys, the log and the directory."""
        parts = Parts(self.log, self.directory, FileKeys(self.keys), SodiumSealer(), lambda: NOW)
        app = create_app(title="intake", description="", lifespan=_nothing)
        settings = Settings(outcome_base_url="http://v", **self.settings)
        install(app, parts, settings, Limiter(settings.limits, Tally(settings.limit_window)))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake")

    def events(self) -> list[Envelope[Event]]:
        return [decode(m.value, m.headers) for m in self.log.messages["rating-submissions"]]


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "keys")


@pytest.fixture
async def client(intake: Intake) -> AsyncIterator[httpx.AsyncClient]:
    async with intake.client() as client:
        yield client


async def post(client: httpx.AsyncClient, key: str = "k" * 16, **changes: Any) -> httpx.Response:
    return await client.post("/v1/ratings", json=BODY | changes, headers={"Idempotency-Key": key})


async def test_a_rating_is_kept_before_it_is_confirmed(intake: Intake, client: httpx.AsyncClient) -> None:
    answer = await post(client)
    assert answer.status_code == 202
    [kept] = intake.events()
    assert isinstance(kept.data, RatingSubmitted)
    assert answer.json()["rating_id"] == str(kept.data.rating_id) == kept.subject
    assert answer.headers["location"] == f"http://v/v1/ratings/{kept.data.rating_id}/outcome"
    assert kept.correlation_id == kept.id != kept.data.rating_id
    assert (kept.data.group_id, kept.data.unit_id, kept.data.reasons) == (
        "so-ban-nganh",
        "so-y-te",
        ("late",),
    )


async def test_a_proof_of_work_is_passed_on_as_it_came_and_belongs_to_the_rating(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    one = await post(client, proof_of_work="cHJvb2Y=")
    again = await post(client, proof_of_work="cHJvb2Y=")
    assert one.json()["rating_id"] == again.json()["rating_id"]
    assert [getattr(each.data, "proof_of_work", "") for each in intake.events()] == ["cHJvb2Y="] * 2
    assert (await post(client, proof_of_work="b3RoZXI=")).status_code == 422
    assert (await post(client, key="o" * 16, proof_of_work="not base64!")).status_code == 422


async def test_the_number_is_readable_to_the_holder_of_the_private_key_alone(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    await post(client)
    [message] = intake.log.messages["rating-submissions"]
    parts = (message.key, message.value, *(value for _, value in message.headers))
    everything = b"".join(part or b"" for part in parts)
    assert b"905123456" not in everything
    assert b"905 123 456" not in everything
    sealed = json.loads(message.value or b"")["phone"]
    assert sealed["key_id"] == "2026-1"
    assert SealedBox(PRIVATE).decrypt(base64.b64decode(sealed["box"])) == b"+84905123456"


async def test_the_same_key_and_body_are_the_same_rating_on_every_replica(intake: Intake) -> None:
    ids = []
    for phone in ("0905 123 456", "+84905123456"):  # the same number, spelt otherwise
        async with intake.client() as replica:
            ids.append((await post(replica, phone=phone)).json()["rating_id"])
    assert ids[0] == ids[1]
    assert len({event.id for event in intake.events()}) == 1


async def test_another_body_under_the_key_is_refused_where_it_is_remembered(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    await post(client)
    answer = await post(client, reasons=["other"])
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:hailong:problem:idempotency_key_reused"
    assert len(intake.events()) == 1


async def test_elsewhere_it_is_another_rating_with_the_same_token(intake: Intake) -> None:
    for reasons in (["late"], ["other"]):
        async with intake.client() as replica:
            assert (await post(replica, reasons=reasons)).status_code == 202
    one, other = (event.data for event in intake.events())
    assert isinstance(one, RatingSubmitted)
    assert isinstance(other, RatingSubmitted)
    assert one.rating_id != other.rating_id
    assert one.idempotency_token == other.idempotency_token


async def test_what_is_not_kept_is_not_confirmed_and_may_be_sent_again(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    intake.log.away = True
    refused = await post(client)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    intake.log.away = False
    assert (await post(client)).status_code == 202
    assert len(intake.events()) == 1


async def test_a_key_is_remembered_even_where_its_rating_may_not_have_been_kept(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    intake.log.away = True
    await post(client)
    intake.log.away = False
    assert (await post(client, reasons=["other"])).status_code == 422  # the first may be on the log after all
    assert (await post(client)).status_code == 202


@pytest.mark.parametrize("key", ["", "short", "x" * 256, "with space in it 123"])
async def test_a_rating_needs_a_usable_idempotency_key(client: httpx.AsyncClient, key: str) -> None:
    answer = await post(client, key=key)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:hailong:problem:idempotency_key_missing")


async def test_faults_are_told_in_the_callers_language(client: httpx.AsyncClient) -> None:
    for language, words in (("vi", "Hãy chọn ít nhất một lý do."), ("en", "Choose at least one reason.")):
        answer = await client.post(
            "/v1/ratings",
            json=BODY | {"reasons": []},
            headers={"Idempotency-Key": "k" * 16, "Accept-Language": language},
        )
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"] == [
            {"pointer": "/reasons", "code": "reasons_missing", "detail": words}
        ]


async def test_what_has_the_wrong_shape_and_what_breaks_a_rule_is_named_at_once(
    client: httpx.AsyncClient,
) -> None:
    body = {key: value for key, value in BODY.items() if key != "officer_id"}
    body |= {"phone": "0236 3822 222", "reasons": ["late", 7], "consent": "yes", "colour": "blue"}
    answer = await client.post("/v1/ratings", json=body, headers={"Idempotency-Key": "k" * 16})
    assert answer.status_code == 422
    assert {error["pointer"]: error["code"] for error in answer.json()["errors"]} == {
        "/officer_id": "missing",
        "/reasons/1": "string_type",
        "/consent": "bool_type",
        "/colour": "extra_forbidden",
        "/phone": "phone_not_mobile",
    }


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b"{", 422),
        (b'{"edition_id": "\\ud800"}', 422),
        (b"\xff", 400),
        (b" " * 17_000, 413),
    ],
)
async def test_a_body_that_is_none_is_a_problem(
    client: httpx.AsyncClient, content: bytes, status: int
) -> None:
    headers = {"Idempotency-Key": "k" * 16, "Content-Type": "application/json"}
    answer = await client.post("/v1/ratings", content=content, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_a_body_that_hides_its_length_is_cut_off(client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 1024

    headers = {"Idempotency-Key": "k" * 16, "Content-Type": "application/json"}
    answer = await client.post("/v1/ratings", content=endless(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:hailong:problem:too_large")


@pytest.mark.parametrize("answer", ["12\u0000", "\ud800", "x" * 33])
async def test_what_no_database_would_store_is_no_challenge_answer(
    intake: Intake, client: httpx.AsyncClient, answer: str
) -> None:
    body = json.dumps(BODY | {"challenge": {"id": "token", "answer": answer}})
    headers = {"Idempotency-Key": "k" * 16, "Content-Type": "application/json"}
    refused = await client.post("/v1/ratings", content=body, headers=headers)
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/challenge/answer"]
    assert intake.events() == []


async def test_a_closed_edition_is_a_problem_of_its_own(intake: Intake, client: httpx.AsyncClient) -> None:
    closed = edition(closes_on=TODAY - timedelta(days=1))
    intake.directory.read = directory(unit(), officer(), closed)
    answer = await post(client, phone="")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:hailong:problem:edition_closed")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/edition_id", "/phone"]


async def test_pages_of_other_origins_may_read_the_directory_and_post_nothing(
    client: httpx.AsyncClient,
) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    shown = await client.get("/v1/directory/units/none", headers=origin)
    assert shown.headers["access-control-allow-origin"] == "*"
    asked = origin | {"Access-Control-Request-Method": "POST"}
    refused = await client.options("/v1/ratings", headers=asked)
    assert refused.status_code == 405
    assert "access-control-allow-origin" not in refused.headers


async def test_what_is_taken_and_what_is_refused_is_counted(client: httpx.AsyncClient) -> None:
    def count(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    refused = {"problem": "validation_failed"}
    before = count("intake_submissions_total", channel="web"), count("intake_refused_total", **refused)
    await post(client)
    await post(client, phone="1")
    await post(client, colour="blue")
    after = count("intake_submissions_total", channel="web"), count("intake_refused_total", **refused)
    assert (after[0] - before[0], after[1] - before[1]) == (1, 2)


async def test_an_unknown_field_is_refused(client: httpx.AsyncClient) -> None:
    answer = await post(client, colour="blue")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/colour"


async def test_without_the_editions_key_nothing_is_taken(intake: Intake, client: httpx.AsyncClient) -> None:
    (intake.keys / "2026.pseudonym.key").unlink()
    answer = await post(client)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:hailong:problem:edition_keys_missing")
    assert intake.events() == []


async def test_nothing_is_judged_before_the_directory_is_read(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    intake.directory.read = None
    refused = await post(client)
    assert (refused.status_code, "retry-after" in refused.headers) == (503, True)


@pytest.mark.parametrize("path", ["directory", "directory/search?q=a", "directory/units/so-y-te", "edition"])
async def test_nothing_is_said_of_the_directory_before_it_is_read(
    intake: Intake, client: httpx.AsyncClient, path: str
) -> None:
    intake.directory.read = None
    answer = await client.get(f"/v1/{path}")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:hailong:problem:directory_unread")
    assert answer.headers["cache-control"] == "no-store"


async def test_no_log_line_holds_the_number_or_the_rating_id(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    with capture_logs() as lines:
        rating_id = (await post(client)).json()["rating_id"]
        intake.log.away = True
        await post(client, key="l" * 16)
    kept, _, not_kept, _ = lines
    assert (kept["event"], not_kept["event"]) == ("submission kept", "submission not kept")
    [event] = intake.events()
    expected = {"correlation_id": str(event.id), "unit_id": "so-y-te", "officer_id": OFFICER}
    assert expected.items() <= kept.items()
    assert "905" not in str(lines)
    assert rating_id not in str(lines)


async def test_a_phone_code_is_kept_sealed_and_a_retry_is_the_same_try(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    path = "/v1/ratings/0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d/phone-code"
    for code, key in (("123 456", "a" * 16), ("123456", "a" * 16), ("123456", "b" * 16)):
        headers = {"Idempotency-Key": key}
        answer = await client.post(path, json={"edition_id": "2026", "code": code}, headers=headers)
        assert answer.status_code == 202
    first, again, other = intake.events()
    assert first.id == again.id != other.id
    assert isinstance(first.data, PhoneCodeEntered)
    assert SealedBox(PRIVATE).decrypt(base64.b64decode(first.data.code.box)) == b"123456"


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345x", "١٢٣٤٥٦"])
async def test_a_phone_code_has_six_digits(intake: Intake, client: httpx.AsyncClient, code: str) -> None:
    answer = await client.post(
        "/v1/ratings/0b6b0d6e-3f5e-8c1a-9d7e-0f3a5c2b1e4d/phone-code",
        json={"edition_id": "2026", "code": code},
        headers={"Idempotency-Key": "a" * 16},
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/code"
    assert intake.events() == []


async def test_the_directory_and_the_edition_are_served(client: httpx.AsyncClient) -> None:
    groups = (await client.get("/v1/directory")).json()["groups"]
    assert [(group["id"], group["unit_count"]) for group in groups] == [("so-ban-nganh", 1)]
    assert (await client.get("/v1/directory/groups/so-ban-nganh")).json()["units"][0]["officer_count"] == 1
    assert (await client.get("/v1/directory/units/so-y-te")).json()["officers"][0]["id"] == OFFICER
    shown = (await client.get(f"/v1/directory/officers/{OFFICER}")).json()
    assert (shown["active"], shown["unit"]["id"], shown["group"]["id"]) == (True, "so-y-te", "so-ban-nganh")
    found = (await client.get("/v1/directory/search", params={"q": "nguyen thi l"})).json()
    assert found["officers"][0]["unit"]["id"] == "so-y-te"
    current = (await client.get("/v1/edition")).json()
    assert (current["id"], current["policy"]["verification"]) == ("2026", "captcha")
    assert "sealing_key" not in current


async def test_the_register_names_also_those_who_take_no_ratings_any_more(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    old = unit("old", closed_on=TODAY)
    intake.directory.read = directory(unit(), old, officer(), officer("o.old", unit_id="old"))
    register = (await client.get("/v1/directory/register")).json()
    assert [each["id"] for each in register["units"]] == ["so-y-te", "old"]
    assert {each["id"]: each["active"] for each in register["officers"]} == {OFFICER: True, "o.old": False}


@pytest.mark.parametrize("path", ["groups/x", "units/x", "officers/x"])
async def test_what_is_not_there_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/v1/directory/{path}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:hailong:problem:not_found")


async def test_without_an_open_edition_the_reader_is_told(intake: Intake, client: httpx.AsyncClient) -> None:
    intake.directory.read = directory(unit(), officer())
    answer = await client.get("/v1/edition", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["title"]) == (404, "No survey is open")


async def test_an_unchanged_document_is_not_sent_again(intake: Intake, client: httpx.AsyncClient) -> None:
    first = await client.get("/v1/directory")
    headers = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    assert (await client.get("/v1/directory", headers=headers)).status_code == 304
    intake.directory.read = directory(unit(name="Sở Y tế thành phố"), unit("b"), officer())
    changed = await client.get("/v1/directory", headers=headers)
    assert (changed.status_code, changed.json()["groups"][0]["unit_count"]) == (200, 2)


async def test_the_address_of_a_unit_that_merged_tells_who_took_over(
    intake: Intake, client: httpx.AsyncClient
) -> None:
    old = unit("old", "Sở cũ", closed_on=TODAY, merged_into="new")
    intake.directory.read = directory(unit("new", "Sở mới"), old, officer(unit_id="old"), edition())
    told = (await client.get("/v1/directory/units/old")).json()
    assert (told["closed_on"], told["merged_into"]["id"], told["officers"]) == ("2026-11-23", "new", [])
    taken_over = (await client.get("/v1/directory/units/new")).json()
    assert [each["id"] for each in taken_over["predecessors"]] == ["old"]
    [found] = (await client.get("/v1/directory/search", params={"q": "so cu"})).json()["units"]
    assert (found["id"], found["predecessors"][0]["name"]["vi"]) == ("new", "Sở cũ")
