"""The worker as it runs: every figure is the fold of the log, whatever happens meanwhile."""

from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata

from chassis.kafka import KafkaClient
from contracts import golden
from contracts.envelope import Message, encode
from contracts.topics import DIRECTORY, RATING_OUTCOMES, key_of
from services.aggregation.adapters.faust_worker import GROUP
from tests.support.aggregation import PARTITIONS, Stage
from tests.support.aggregation_process import until
from tests.support.outcomes import accepted, message, rejected, some


async def test_every_figure_is_the_fold_of_the_log(stage: Stage) -> None:
    outcomes = some(500)
    await stage.send(outcomes)
    await stage.worker()
    await stage.counts_exactly(outcomes)


async def test_what_was_aborted_counts_nothing_and_what_was_committed_around_it_counts(stage: Stage) -> None:
    await stage.worker()
    kept = some(20)
    await stage.send(kept[:10])
    async with stage.transaction() as producer:
        for sent in map(message, some(50)):
            await (
                await producer.send(RATING_OUTCOMES.name, sent.value, sent.key, headers=list(sent.headers))
            )
        await producer.abort_transaction()
    async with stage.transaction() as producer:
        for sent in map(message, kept[10:]):
            await producer.send(RATING_OUTCOMES.name, sent.value, sent.key, headers=list(sent.headers))
        await producer.commit_transaction()
    await stage.counts_exactly(kept)


async def test_an_open_transaction_counts_once_it_is_committed(stage: Stage) -> None:
    worker = await stage.worker()
    async with stage.transaction() as producer:
        sent = message(accepted())
        await (await producer.send(RATING_OUTCOMES.name, sent.value, sent.key, headers=list(sent.headers)))
        await stage.send([accepted("another-partition-perhaps.o")])
        assert await worker.is_ready()
        assert await stage.total() <= 1
        await producer.commit_transaction()
    await stage.counts(2)


async def test_a_submission_counts_once_however_often_its_outcome_comes(stage: Stage) -> None:
    await stage.worker()
    outcomes = some(30)
    await stage.send(outcomes)
    await stage.counts(30)
    again = rejected(outcomes[0].officer_id, submission=outcomes[0].submission_id)
    await stage.send([*outcomes, again])
    await stage.counts_exactly(outcomes)


async def test_the_checkpoint_says_where_to_go_on_and_not_the_group(stage: Stage) -> None:
    outcomes = some(50)
    await stage.send(outcomes)
    group = AIOKafkaConsumer(
        **KafkaClient(bootstrap=stage.bootstrap).consumer_arguments("test"), group_id=GROUP
    )
    await group.start()
    group.assign(PARTITIONS)
    ends = await group.end_offsets(PARTITIONS)

    async def committed() -> bool:
        try:
            await group.commit({tp: OffsetAndMetadata(offset, "") for tp, offset in ends.items()})
        except CommitFailedError:  # a worker of another test is in the group yet
            return False
        return True

    await until(committed, why="the group's offsets at the end")
    await group.stop()
    await stage.worker()
    await stage.counts_exactly(outcomes)


async def test_the_group_is_told_the_checkpoint(stage: Stage) -> None:
    await stage.worker()
    outcomes = some(20)
    await stage.send(outcomes)
    await stage.counts_exactly(outcomes)
    rows = await stage.database.fetch("SELECT partition, next_offset FROM read_models.checkpoint")
    moved = {
        TopicPartition(RATING_OUTCOMES.name, row["partition"]): row["next_offset"]
        for row in rows
        if row["next_offset"] > stage.begun_at[TopicPartition(RATING_OUTCOMES.name, row["partition"])]
    }
    group = AIOKafkaConsumer(
        **KafkaClient(bootstrap=stage.bootstrap).consumer_arguments("test"), group_id=GROUP
    )
    await group.start()

    async def told() -> bool:
        return {tp: await group.committed(tp) for tp in moved} == moved

    await until(told, why="the group's offsets at the checkpoints")
    await group.stop()


async def test_names_come_from_the_directory_and_go_with_a_null_value(stage: Stage) -> None:
    unit = golden.EVENTS[0].model_copy(update={"unit_id": f"u-{uuid4()}"})
    key = key_of(unit)
    published = encode(golden.envelope(golden.EVENTS[0])._replace(data=unit), key=key)
    await stage.send_messages([published], DIRECTORY.name)
    await stage.worker()

    async def named() -> bool:
        return bool(
            await stage.database.fetchval("SELECT count(*) FROM directory.unit WHERE 'unit:' || id = $1", key)
        )

    async def unnamed() -> bool:
        return not await named()

    await until(named, why="the unit named")
    await stage.send_messages([Message(key.encode(), None, ())], DIRECTORY.name)
    await until(unnamed, why="the unit gone")
