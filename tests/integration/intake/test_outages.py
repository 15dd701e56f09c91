"""What callers see of intake while its broker hangs or is gone, and afterwards."""

import time

import pytest

from tests.support.intake_world import World, eventually
from tests.support.stack import Kafka


@pytest.mark.parametrize("how", ["hangs", "crashes"])
async def test_without_the_broker_ratings_wait_and_the_directory_stays(
    world: World, kafka: Kafka, how: str
) -> None:
    replica = await world.replica()
    assert (await world.post(replica, "first-key-of-all")).status_code == 202
    await (kafka.pause() if how == "hangs" else kafka.kill())
    try:
        for _ in range(2):
            started = time.monotonic()
            refused = await world.post(replica, "key-of-the-outage")
            assert time.monotonic() - started < 5.0
            assert (refused.status_code, refused.json()["type"]) == (
                503,
                "urn:hailong:problem:temporarily_unavailable",
            )
            assert int(refused.headers["retry-after"]) > 0

        async def noticed() -> bool:
            checks = await replica.checks()
            return not checks["kafka"]["ok"] and not checks["directory"]["ok"]

        await eventually(noticed, why="/readyz tells of the outage")
        assert not await replica.ready()
        shown = await replica.http.get(f"/v1/directory/units/{world.unit_id}")
        assert (shown.status_code, shown.json()["officers"][0]["id"]) == (200, world.officer_id)
        assert (await replica.http.get("/healthz")).status_code == 200
    finally:
        await (kafka.resume() if how == "hangs" else kafka.start())
    await eventually(replica.ready, why="ready again")
    taken = await world.post(replica, "key-of-the-outage")
    again = await world.post(replica, "key-of-the-outage")
    assert (taken.status_code, again.status_code) == (202, 202)
    assert taken.json() == again.json()
    kept = [event for event in await world.submissions() if event.subject == taken.json()["rating_id"]]
    assert len(kept) >= 2  # and perhaps what was told 503, and arrived all the same
    assert len({event.id for event in kept}) == 1
    assert replica.owned.failure is None


async def test_what_was_told_503_but_arrived_is_the_rating_that_the_retry_gets(
    world: World, kafka: Kafka
) -> None:
    replica = await world.replica()
    await kafka.pause()
    try:
        refused = await world.post(replica, "key-that-hung-there")
    finally:
        await kafka.resume()
    assert refused.status_code == 503
    await eventually(replica.ready, why="ready again")
    other = await world.replica()  # the retry may go to a replica that saw nothing of it
    taken = await world.post(other, "key-that-hung-there")
    assert taken.status_code == 202
    kept = await world.submissions()
    assert {event.subject for event in kept} == {taken.json()["rating_id"]}
    assert len({event.id for event in kept}) == 1


async def test_started_without_the_broker_it_waits_for_it(world: World, kafka: Kafka) -> None:
    await kafka.pause()
    try:
        replica = await world.replica(ready=False)
        assert not await replica.ready()
        assert (await replica.http.get("/healthz")).status_code == 200
        started = time.monotonic()
        refused = await world.post(replica, "key-before-the-start")
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
        assert (await replica.http.get("/v1/directory")).status_code == 503
        assert time.monotonic() - started < 5.0
    finally:
        await kafka.resume()
    await eventually(replica.ready, why="ready once the broker is there")
    assert (await world.post(replica, "key-before-the-start")).status_code == 202


async def test_replicas_and_restarts_give_the_same_rating(world: World) -> None:
    answers = [await world.post(await world.replica(), "key-of-two-replicas") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert len({event.id for event in await world.submissions()}) == 1
