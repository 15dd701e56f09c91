"""confluent-kafka (librdkafka) where it could stand in for aiokafka. python -m benchmarks.peers.confluent"""

from typing import Annotated
from uuid import uuid4

import typer
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.peers.timing import Timed

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
Bootstrap = Annotated[str, typer.Option(help="The broker, as host:port.")]
Topic = Annotated[str, typer.Option(help="The topic that is read or written.")]
Count = Annotated[int, typer.Option(help="Records.")]
A_TRANSACTION, A_FETCH = 500, 500
FILL_SECONDS = 0.1
"""How long a call waits for as many records as it asked for."""
BYTES = 1_000
WAIT_SECONDS = 60.0


@app.command()
def produce(bootstrap: Bootstrap, topic: Topic, count: Count) -> None:
    """Send records of a kilobyte, acks=all, idempotent.

    Example: python -m benchmarks.peers.confluent produce --bootstrap … --topic x --count 50000
    """
    value = b"x" * BYTES
    keys = [str(uuid4()).encode() for _ in range(count)]
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5})
    producer.produce(topic, value)
    producer.flush(WAIT_SECONDS)
    timed = Timed()
    for key in keys:
        while True:
            try:
                producer.produce(topic, value, key=key)
            except BufferError:
                producer.poll(0.05)
            else:
                break
    if producer.flush(WAIT_SECONDS):
        raise TimeoutError("not all records were confirmed")
    timed.tell(count)


@app.command()
def consume(bootstrap: Bootstrap, topic: Topic, count: Count) -> None:
    """Read committed records.

    Example: python -m benchmarks.peers.confluent consume --bootstrap … --topic x --count 50000
    """
    consumer = _reading(bootstrap, topic, f"confluent-{uuid4()}")
    read = len(consumer.consume(1, WAIT_SECONDS))
    timed, left = Timed(), count - read
    while read < count:
        read += len(consumer.consume(A_FETCH, FILL_SECONDS))
    timed.tell(left)
    consumer.close()


@app.command()
def transact(
    bootstrap: Bootstrap,
    topic: Topic,
    count: Count,
    into: Annotated[str, typer.Option(help="The topic that is written.")],
) -> None:
    """Read records and write them into another topic, 500 and their offsets in a transaction.

    Example: python -m benchmarks.peers.confluent transact --bootstrap … --topic x --into y --count 10000
    """
    group = f"confluent-{uuid4()}"
    consumer = _reading(bootstrap, topic, group)
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": group, "linger.ms": 5})
    producer.init_transactions(WAIT_SECONDS)
    read = len(consumer.consume(1, WAIT_SECONDS))
    timed, left = Timed(), count - read
    while read < count:
        found = consumer.consume(A_TRANSACTION, FILL_SECONDS)
        if not found:
            continue
        producer.begin_transaction()
        for each in found:
            producer.produce(into, each.value(), key=each.key(), headers=each.headers())
        ends = [each for each in consumer.position(consumer.assignment()) if each.offset >= 0]
        producer.send_offsets_to_transaction(ends, consumer.consumer_group_metadata(), WAIT_SECONDS)
        producer.commit_transaction(WAIT_SECONDS)
        read += len(found)
    timed.tell(left)
    consumer.close()


def _reading(bootstrap: str, topic: str, group: str) -> Consumer:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "isolation.level": "read_committed",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    partitions = consumer.list_topics(topic, WAIT_SECONDS).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    return consumer


if __name__ == "__main__":
    app()
