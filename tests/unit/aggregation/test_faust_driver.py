"""What the consumer's thread makes of the records that it was given."""

from types import SimpleNamespace
from typing import Any

from aiokafka import TopicPartition

from services.aggregation.adapters.faust_driver import ConsumerThread

AT = TopicPartition("rating-outcomes", 2)


def thread_at(position: int) -> Any:
    thread: Any = ConsumerThread.__new__(ConsumerThread)
    thread.positions = {AT: position}
    return thread


def records(*offsets: int) -> list[Any]:
    return [SimpleNamespace(offset=offset) for offset in offsets]


def test_each_record_knows_from_where_reading_went_on_to_it() -> None:
    thread = thread_at(10)
    linked = thread._linked(AT, records(10, 11, 14))
    assert [(each.record.offset, each.follows) for each in linked] == [(10, 10), (11, 11), (14, 12)]
    assert thread.positions == {AT: 15}


def test_what_was_read_before_is_not_handed_over_and_the_checkpoint_is_sought_again() -> None:
    """The group was joined again while they were fetched. A log that was cut shows when that is sought."""
    thread = thread_at(1223)
    assert thread._linked(AT, records(1215, 1216)) == []
    assert AT not in thread.positions
