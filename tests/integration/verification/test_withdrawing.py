"""A rating is withdrawn once, by a running worker, whatever breaks between both commits."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx

from contracts.envelope import decode
from contracts.events import (
    Outcome,
    RatingAccepted,
    RatingVoidRequested,
    RatingWithdrawalRequested,
    RatingWithdrawn,
)
from contracts.topics import RATING_OUTCOMES, RATING_SUBMISSIONS
from services.verification.bootstrap import catch_up_with_log, worker_app
from tests.integration.verification.test_exactly_once import failing, times
from tests.support.verification import Submission, World, running, until

ONE = 2  # partition


async def asked(world: World, *rating_ids: UUID, wave: UUID | None = None) -> None:
    now = datetime.now(UTC)
    for each in rating_ids:
        event = (
            RatingWithdrawalRequested(rating_id=each, requested_at=now)
            if wave is None
            else RatingVoidRequested(rating_id=each, wave_id=wave, reason="automated", requested_at=now)
        )
        await world.send(RATING_SUBMISSIONS.name, world.envelope(event, uuid4()), ONE)


async def told(world: World, sent: Sequence[Submission]) -> dict[UUID, list[Outcome]]:
    """All outcomes of each, in their order."""
    found: dict[UUID, list[Outcome]] = {each.id: [] for each in sent}
    for record in await world.read(RATING_OUTCOMES.name):
        event = decode(record.value, record.headers).data
        if isinstance(event, Outcome) and event.submission_id in found:
            found[event.submission_id].append(event)
    return found


def is_withdrawn(outcomes: Sequence[Outcome]) -> bool:
    return [type(each) for each in outcomes] == [RatingAccepted, RatingWithdrawn]


async def test_withdrawn_and_voided_ratings_are_told_once_whatever_breaks_in_between(
    world: World, api: httpx.AsyncClient
) -> None:
    edition, wave = await world.edition(), uuid4()
    sent = [world.submission(edition) for _ in range(6)]
    kept = world.submission(edition)
    crash = failing(world, "before", times(1, lambda: RuntimeError("crash")))
    async with running(worker_app(world.settings, open_log=crash)) as worker:
        await world.submit(*sent, kept, partition=ONE)
        await asked(world, *(each.rating_id for each in sent[:4]))
        await asked(world, *(each.rating_id for each in sent), wave=wave)

        async def crashed() -> bool:
            return worker.failure is not None

        await until(crashed, why="the process fails between both commits")
        worker.failure = None
    async with running(worker_app(world.settings)):
        await asked(world, *(each.rating_id for each in sent))
        await world.drained()
    said = await told(world, [*sent, kept])
    assert [is_withdrawn(said[each.id]) for each in sent] == [True] * len(sent)
    assert [type(each) for each in said[kept.id]] == [RatingAccepted]
    for each, how in zip(sent, ["citizen"] * 4 + ["voided"] * 2, strict=True):
        accepted, withdrawn = said[each.id]
        assert isinstance(accepted, RatingAccepted)
        assert isinstance(withdrawn, RatingWithdrawn)
        assert (withdrawn.kind, withdrawn.accepted_at) == (how, accepted.decided_at)
        assert withdrawn.wave_id == (wave if how == "voided" else None)
        assert withdrawn.model_dump(include=set(RatingAccepted.model_fields) - {"decided_at"}) == (
            accepted.model_dump(exclude={"decided_at"})
        )
        answer = (await api.get(f"/v1/ratings/{each.rating_id}/outcome")).json()
        assert answer["status"] == "withdrawn"
    answer = (await api.get(f"/v1/ratings/{kept.rating_id}/outcome")).json()
    assert answer["status"] == "accepted"
    assert answer["withdrawable_until"] > answer["decided_at"]


async def test_a_restored_database_knows_again_what_is_withdrawn_and_what_is_still_to_be(
    world: World,
) -> None:
    """One withdrawal is told and the database has forgotten it; of another it is the other way about."""
    world.settings = world.settings.model_copy(update={"dead_letter_share": 1.0})
    edition = await world.edition()
    gone, untold, _ = sent = [world.submission(edition) for _ in range(3)]
    async with running(worker_app(world.settings)):
        await world.submit(*sent, partition=ONE)
        await asked(world, gone.rating_id)
        await world.drained()
    await world.database.execute(
        "UPDATE ratings SET withdrawn_at = NULL, withdrawal = NULL WHERE rating_id = $1", gone.rating_id
    )
    crash = failing(world, "before", times(1, lambda: RuntimeError("crash")))
    async with running(worker_app(world.settings, open_log=crash)) as worker:
        await asked(world, untold.rating_id)

        async def crashed() -> bool:
            return worker.failure is not None

        await until(crashed, why="the process fails between both commits")
        worker.failure = None

    await catch_up_with_log(world.settings)

    withdrawn = await world.database.fetch(
        "SELECT rating_id FROM ratings WHERE withdrawn_at IS NOT NULL AND rating_id = ANY ($1::uuid[])",
        [each.rating_id for each in sent],
    )
    assert {row["rating_id"] for row in withdrawn} == {gone.rating_id}
    async with running(worker_app(world.settings)):
        await asked(world, gone.rating_id)

        async def all_told() -> bool:
            said = await told(world, sent)
            return is_withdrawn(said[gone.id]) and is_withdrawn(said[untold.id])

        await until(all_told, why="both withdrawals")
        await world.drained()
    said = await told(world, sent)
    assert [len(said[each.id]) for each in sent] == [2, 2, 1]
