"""The figures made from the log again: compared, and put in the place of those that are read."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from chassis.kafka import KafkaClient
from contracts.events import Publication, RatingAccepted
from services.aggregation import rebuilding
from services.aggregation.adapters import outcome_log
from services.aggregation.adapters.generations import generation
from services.aggregation.bootstrap import NEXT, rebuild_figures, verify_figures
from services.aggregation.domain import LogShortened
from services.aggregation.rebuilding import Busy, Comparison, rebuild
from services.aggregation.scales import ScaleTally, scale_tallies
from services.aggregation.settings import Settings
from tests.support import stack
from tests.support.aggregation import PARTITIONS, Stage, a_stage
from tests.support.aggregation_process import until
from tests.support.outcomes import some, taken_back


@pytest.fixture(scope="module")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[stack.Kafka]:
    """A broker of its own: its log is folded from the beginning."""
    async with stack.kafka_server(stack.chosen(), tmp_path_factory.mktemp("kafka")) as kafka:
        yield kafka


@pytest.fixture
async def stage(kafka: stack.Kafka, postgres: str, tmp_path: Path) -> AsyncIterator[Stage]:
    async with a_stage(kafka.bootstrap, postgres, tmp_path) as stage:
        await stage.database.execute("DELETE FROM read_models.checkpoint")
        stage.begun_at = dict.fromkeys(PARTITIONS, 0)
        yield stage


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what is held over from one to the next matters."""
    monkeypatch.setattr(outcome_log, "RECORDS_A_BATCH", 400)
    monkeypatch.setattr(rebuilding, "AT_ONCE", 400)


def settings(stage: Stage) -> Settings:
    return Settings(database_url=stage.database_url, kafka=KafkaClient(bootstrap=stage.bootstrap))


async def verified(stage: Stage) -> Comparison:
    return await verify_figures(settings(stage), lambda *_: None)


async def rebuilt(stage: Stage, *, anew: bool = False) -> bool:
    return await rebuild_figures(settings(stage), lambda *_: None, anew=anew)


async def schemas(stage: Stage) -> set[str]:
    rows = await stage.database.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'read_models%'")
    return {row["nspname"] for row in rows}


async def answers_to_scales(stage: Stage) -> dict[ScaleTally, int]:
    query = "SELECT unit_id, edition_id, scale, question, choice, count FROM read_models.scale_tally"
    return {ScaleTally(*key): count for *key, count in await stage.database.fetch(query)}


async def caught_up(stage: Stage) -> None:
    await until(stage.caught_up, why="the checkpoints at the end of the log")


async def test_figures_are_what_the_log_says_and_one_that_is_not_is_named(stage: Stage) -> None:
    worker = await stage.worker()
    ratings = some(300)
    back = [
        taken_back(each, each.decided_at + timedelta(days=n % 9))
        for n, each in enumerate(ratings[:60])
        if isinstance(each, RatingAccepted)
    ]
    await stage.send(ratings)
    for _ in range(2):
        await stage.send([*back, *back])
        await caught_up(stage)
    assert await stage.total() == 300 - len(back)
    same = await verified(stage)
    assert same.differing == 0
    assert same.rows > 500
    assert await answers_to_scales(stage) == scale_tallies([*ratings, *back])
    await stage.database.execute(
        "UPDATE read_models.tally SET count = count + 1"
        " WHERE ctid = (SELECT min(ctid) FROM read_models.tally)"
    )
    await stage.database.execute(
        "DELETE FROM read_models.counted_submission"
        " WHERE submission_id = (SELECT min(submission_id::text)::uuid FROM read_models.counted_submission)"
    )
    await stage.database.execute("UPDATE read_models.scale_tally SET count = 0 WHERE choice = 'p2'")
    found = await verified(stage)
    assert found.differing == 2 + 3
    assert {each.what.split()[0] for each in found.first} == {"tally", "scale_tally", "counted_submission"}
    [gone] = [each for each in found.first if each.what.startswith("counted_submission")]
    assert (gone.live, gone.log) == ("nothing", "there")
    assert await rebuilt(stage) is False
    assert (await verified(stage)).differing == 0
    assert await answers_to_scales(stage) == scale_tallies([*ratings, *back])
    assert await schemas(stage) == {"read_models"}
    assert worker.running is not None
    assert worker.running.returncode is None


async def test_while_ratings_come_in_and_are_read_nothing_is_lost_doubled_or_late(stage: Stage) -> None:
    await stage.worker()
    await stage.worker()
    api = await stage.api()
    before, after = some(400), some(500)
    await stage.send(before)
    await caught_up(stage)
    stop, seen = asyncio.Event(), list[int]()
    reading = asyncio.create_task(read_until(stop, api.url, seen))
    sending = asyncio.create_task(send_slowly(stage, after))
    for _ in range(3):
        await rebuilt(stage)
    await sending
    await caught_up(stage)
    stop.set()
    await reading
    assert seen == sorted(seen), "figures never go back"
    assert await stage.tallies() == await stage.folded()
    assert (await verified(stage)).differing == 0


async def read_until(stop: asyncio.Event, url: str, seen: list[int]) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        while not stop.is_set():
            answer = await http.get("/v1/satisfaction/city", timeout=30)
            assert answer.status_code == 200
            seen.append(answer.json()["total"])


async def send_slowly(stage: Stage, outcomes: Sequence[object]) -> None:
    for at in range(0, len(outcomes), 20):
        await stage.send(outcomes[at : at + 20])  # type: ignore[arg-type]
        await asyncio.sleep(0.1)


async def test_revisions_go_on_and_times_stay_those_of_the_ratings(stage: Stage) -> None:
    await stage.worker()
    await stage.send(some(50))
    await caught_up(stage)
    revision = "SELECT value FROM read_models.revision"
    then = await stage.database.fetchval(revision)
    times = "SELECT level, id, updated_at FROM read_models.scope ORDER BY 1, 2"
    updated = await stage.database.fetch(times)
    await rebuilt(stage)
    assert await stage.database.fetchval(revision) > then
    assert await stage.database.fetch(times) == updated


@pytest.mark.usefixtures("small_batches")
async def test_what_is_broken_off_goes_on_where_it_was(stage: Stage) -> None:
    await stage.publication(Publication(officer_batch=7))
    await stage.worker()
    await stage.send(some(1_500))
    await caught_up(stage)

    class BrokenOffError(Exception):
        pass

    begun = list[int]()
    for share in (0.2, 0.6):
        begun.append(-1)

        def so_far(done: int, total: int, share: float = share) -> None:
            begun[-1] = done if begun[-1] < 0 else begun[-1]
            if share * total < done < total:
                raise BrokenOffError

        with pytest.raises(BrokenOffError):
            await rebuild_figures(settings(stage), so_far, anew=False)
        assert NEXT in await schemas(stage)
    assert await rebuild_figures(settings(stage), lambda *_: None, anew=False) is True
    assert begun == sorted(begun)
    assert begun[0] == 0 < begun[1]
    same = await verified(stage)
    assert (same.differing, same.rows > 1_500) == (0, True)
    held = "SELECT sum(count) - sum(released) FROM read_models.tally WHERE level = 'officer'"
    assert await stage.database.fetchval(held + " AND edition_id <> '*'") > 0


@pytest.mark.usefixtures("small_batches")
async def test_an_outcome_that_comes_again_much_later_counts_once_in_tables_of_the_same_keys(
    stage: Stage,
) -> None:
    """Loading looks nothing up; that the log repeats itself shows at its end."""
    await stage.publication(Publication(officer_batch=7))
    worker = await stage.worker()
    ratings = some(900)
    indexes = "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'read_models' ORDER BY indexdef"
    before = await stage.database.fetch(indexes)
    for repeated in ([], ratings[:1]):
        await stage.send(repeated or ratings)
        await caught_up(stage)
        wanted = await stage.tallies()
        await rebuilt(stage)
        assert await stage.tallies() == wanted == await stage.folded()
        assert await stage.database.fetch(indexes) == before
    assert (await verified(stage)).differing == 0
    assert worker.running is not None
    await stage.send(some(50))
    await caught_up(stage)
    assert (await verified(stage)).differing == 0


@pytest.mark.parametrize("first", [1, 10**9], ids=["in part", "altogether"])
async def test_a_log_that_was_cut_is_not_folded(stage: Stage, first: int) -> None:
    await stage.worker()
    await stage.send(some(50))
    await caught_up(stage)
    before = await stage.tallies()

    class Cut:
        async def begins(self, partitions: Sequence[int]) -> dict[int, int]:
            return dict.fromkeys(partitions, first)

    async with generation(stage.database_url, NEXT) as made:
        await made.open(anew=True)
        with pytest.raises(LogShortened, match=f"begins at offset {first}"):
            await rebuild(Cut(), made, lambda *_: None)  # type: ignore[arg-type]
        with pytest.raises(Busy):
            await rebuilt(stage)
    assert await stage.tallies() == before


async def test_the_commands_say_what_they_did(stage: Stage) -> None:
    await stage.worker()
    await stage.send(some(30))
    await caught_up(stage)
    assert await command(stage, "rebuild") == (0, "The figures are those of the log.\n")
    await stage.database.execute("UPDATE read_models.tally SET count = 7 WHERE level = 'city'")
    code, said = await command(stage, "verify")
    assert code == 1
    assert "shown is count 7 released 0, the log says count" in said


async def command(stage: Stage, name: str) -> tuple[int, str]:
    process = await stage.process(name).start()
    return await process.ended(), process.log.read_text()
