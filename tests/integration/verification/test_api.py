"""The public HTTP API: challenges, and the outcome of a rating."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from contracts.events import ChallengeAnswer, ProofOfWork, VerificationPolicy
from services.verification.bootstrap import api_app, worker_app
from services.verification.proof_of_work import Puzzle, solve
from tests.support.verification import Submission, World, running

pytestmark = pytest.mark.any_servers


async def outcome(api: httpx.AsyncClient, rating_id: object, **query: Any) -> dict[str, Any]:
    response = await api.get(f"/v1/ratings/{rating_id}/outcome", params=query)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    body: dict[str, Any] = response.json()
    return body


async def test_a_challenge_is_issued_drawn_and_spoken_without_touching_the_database(
    api: httpx.AsyncClient, world: World
) -> None:
    counts = "SELECT (SELECT count(*) FROM used_challenges) + (SELECT count(*) FROM ratings)"
    response = await api.post("/v1/challenges", json={"edition_id": "2017", "kind": "digits"})
    assert response.status_code == 201
    body = response.json()
    assert body["edition_id"] == "2017"
    image = await api.get(body["image"])
    assert (image.headers["content-type"], image.content[:4]) == ("image/png", b"\x89PNG")
    assert (await api.get(body["image"])).content == image.content
    for url in body["audio"].values():
        audio = await api.get(url)
        assert (audio.headers["content-type"], audio.content[:4]) == ("audio/wav", b"RIFF")
        assert len(audio.content) <= 15 * 2 * 11025  # seconds, bytes, a second
    assert await world.database.fetchval(counts) == 0
    assert world.challenges.open(body["id"]).edition_id == "2017"


async def test_a_proof_of_work_of_the_api_stands_for_the_code_and_its_duplicate_is_told_as_accepted(
    api: httpx.AsyncClient, world: World
) -> None:
    edition = await world.edition(proof_of_work=ProofOfWork.INSTEAD)

    async def rated() -> Submission:
        asked = {"edition_id": edition.edition_id, "kind": "proof_of_work"}
        issued = (await api.post("/v1/challenges", json=asked)).json()
        puzzle = Puzzle(id="", **{field: issued[field] for field in Puzzle.__slots__ if field != "id"})
        return world.submission(edition, challenge=None, proof_of_work=solve(puzzle), number="+84905123456")

    first, second = await rated(), await rated()
    async with running(worker_app(world.settings)):
        await world.submit(first, second, partition=1)
        await world.drained()
    assert await world.said([first, second]) == {first.id: ["accepted"], second.id: ["duplicate"]}
    told = [await outcome(api, each.rating_id) for each in (first, second)]
    assert [body["status"] for body in told] == ["accepted", "accepted"]
    assert told[0].keys() == told[1].keys()


async def test_a_challenge_that_is_not_ours_or_too_old_is_a_problem(
    api: httpx.AsyncClient, world: World
) -> None:
    old = world.challenges.issue("2017", datetime.now(UTC) - timedelta(minutes=11))
    for challenge_id, status, code in (("x" * 80, 404, "invalid"), (old.id, 410, "expired")):
        for name in ("image.png", "audio-vi.wav"):
            response = await api.get(
                f"/v1/challenges/{challenge_id}/{name}", headers={"Accept-Language": "en"}
            )
            assert response.status_code == status
            assert response.json()["type"] == f"urn:hailong:problem:challenge_{code}"
            assert response.json()["detail"] == "Ask for a new code."


@pytest.mark.parametrize(
    "body", [{}, {"edition_id": "Not an id!"}, {"edition_id": "2017", "kind": "letters"}, {"edition": "2017"}]
)
async def test_a_challenge_asked_for_wrongly_is_refused(api: httpx.AsyncClient, body: dict[str, str]) -> None:
    response = await api.post("/v1/challenges", json=body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


async def test_the_challenge_of_the_api_makes_a_rating_count_and_the_caller_hears_at_once(
    api: httpx.AsyncClient, world: World
) -> None:
    edition = await world.edition()
    issued = (await api.post("/v1/challenges", json={"edition_id": edition.edition_id})).json()
    digits = world.challenges.open(issued["id"]).digits
    submission = world.submission(
        edition, challenge=ChallengeAnswer(id=issued["id"], answer=f"{digits[:3]} {digits[3:]}")
    )
    async with running(worker_app(world.settings)):
        await world.submit(world.submission(edition))
        await world.drained()
        waiting = [asyncio.create_task(outcome(api, submission.rating_id, wait=20)) for _ in range(50)]
        started = time.monotonic()
        await world.submit(submission)
        bodies = await asyncio.gather(*waiting)
        assert time.monotonic() - started < 15  # not when their 20 seconds were over
    for body in bodies:
        assert body.pop("decided_at") < body.pop("withdrawable_until")
        assert body == {"rating_id": str(submission.rating_id), "status": "accepted"}


async def test_a_rating_nobody_knows_is_pending_for_as_long_as_asked(api: httpx.AsyncClient) -> None:
    rating_id = uuid4()
    started = time.monotonic()
    assert await outcome(api, rating_id) == {"rating_id": str(rating_id), "status": "pending"}
    assert time.monotonic() - started < 5
    assert await outcome(api, rating_id, wait=0.5) == {"rating_id": str(rating_id), "status": "pending"}
    assert time.monotonic() - started >= 0.5
    assert (await api.get(f"/v1/ratings/{rating_id}/outcome", params={"wait": 26})).status_code == 422


async def test_with_the_captcha_alone_a_duplicate_is_told_as_accepted(
    api: httpx.AsyncClient, world: World
) -> None:
    edition = await world.edition()
    first, second, wrong = (world.submission(edition, number="+84905123456") for _ in range(3))
    right = wrong.event.challenge
    assert right is not None
    typo = wrong.event.model_copy(update={"challenge": right.model_copy(update={"answer": "1"})})
    wrong.event = typo
    async with running(worker_app(world.settings)):
        await world.submit(first, second, wrong, partition=1)
        await world.drained()
    assert await world.said([first, second]) == {first.id: ["accepted"], second.id: ["duplicate"]}
    told = [await outcome(api, each.rating_id) for each in (first, second, wrong)]
    assert [body["status"] for body in told] == ["accepted", "accepted", "rejected"]
    assert told[0].keys() == told[1].keys()
    assert told[2]["reason"] == "challenge_wrong"


async def test_a_phone_code_is_asked_for_and_its_tries_are_told(api: httpx.AsyncClient, world: World) -> None:
    edition = await world.edition(VerificationPolicy.PHONE)
    submission = world.submission(edition)
    async with running(worker_app(world.settings)):
        await world.submit(submission)
        body = await outcome(api, submission.rating_id, wait=20)
        assert body["status"] == "phone_code_needed"
        assert body["phone_code"]["tries_left"] == 5
        lasts = datetime.fromisoformat(body["phone_code"]["expires_at"]) - datetime.now(UTC)
        # Five for its SMS to go out, whenever it did, and five for the code.
        assert timedelta(minutes=9) < lasts <= timedelta(minutes=10)
        entered = asyncio.create_task(outcome(api, submission.rating_id, wait=20, tries_left=5))
        await world.enter_code(edition, submission.rating_id, "not-it")
        assert (await entered)["phone_code"]["tries_left"] == 4


async def test_the_api_hears_again_after_its_listening_connection_broke(
    api: httpx.AsyncClient, world: World
) -> None:
    edition = await world.edition()
    ended = await world.database.fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE application_name LIKE 'verification-%' AND datname = current_database()"
    )
    assert ended >= 1
    submission = world.submission(edition)
    async with running(worker_app(world.settings)):
        await world.submit(submission)
        assert (await outcome(api, submission.rating_id, wait=20))["status"] == "accepted"


async def test_without_the_database_challenges_go_on_and_outcomes_ask_to_come_back(
    world: World,
) -> None:
    settings = world.settings.model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:9/none"})
    app = api_app(settings)
    async with (
        running(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as api,
    ):
        issued = await api.post("/v1/challenges", json={"edition_id": "2017"})
        assert issued.status_code == 201
        assert (await api.get(issued.json()["image"])).status_code == 200
        response = await api.get(f"/v1/ratings/{uuid4()}/outcome", params={"wait": 5})
        assert response.status_code == 503
        assert response.headers["retry-after"] == "2"
        assert response.json()["type"] == "urn:hailong:problem:outcome_unavailable"
        assert (await api.get("/readyz")).status_code == 200
