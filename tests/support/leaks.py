"""Where a phone number could leak to, and how it would look there."""

import base64

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.topics import TOPICS


def spellings(phone: str) -> set[bytes]:
    """What gives a number away, with or without its leading 0 or +84: the digits as people group them, and
    as addresses, base64 and hexadecimal write them.
    """
    number = phone.replace(" ", "")[1:].encode()
    grouped = {
        separator.join(parts)
        for parts in (
            (number[:3], number[3:6], number[6:]),
            (number[:2], number[2:5], number[5:]),
            (number[:2], number[2:]),
        )
        for separator in (b" ", b".", b"-", b"+", b"%20")
    }
    grouped.add(b"%b) %b-%b" % (number[:2], number[2:5], number[5:]))
    wide = "".join(chr(ord("０") + int(digit)) for digit in number.decode()).encode()
    in_address = b"".join(b"%%%02x" % digit for digit in number)
    # Three bytes make four letters, so it depends on where in the three the number begins.
    in_base64 = {base64.b64encode(number[skip:][: (9 - skip) // 3 * 3]) for skip in range(3)}
    return {number, number.hex().encode(), wide, in_address, *grouped, *in_base64}


async def topics(kafka_bootstrap: str, *, isolation_level: str = "read_uncommitted") -> dict[str, bytes]:
    """All that is in each topic: keys, values and headers; what aborted transactions left there too."""
    found = {}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka_bootstrap, enable_auto_commit=False, isolation_level=isolation_level
    )
    await consumer.start()
    try:
        for topic in TOPICS:
            partitions = [TopicPartition(topic.name, number) for number in range(topic.partitions)]
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            content = bytearray()
            while any([await consumer.position(partition) < ends[partition] for partition in partitions]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    for record in records:
                        content += (record.key or b"") + b"\n" + (record.value or b"") + b"\n"
                        content += b"\n".join(value for _, value in record.headers) + b"\n"
            found[topic.name] = bytes(content)
    finally:
        await consumer.stop()
    return found


async def everything_in(url: str) -> bytes:
    """Every row of every table, as text."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        content = bytearray()
        for table in tables:
            rows = await connection.fetch(f"SELECT t::text AS row FROM {table['name']} t")  # noqa: S608
            content += "\n".join(row["row"] for row in rows).encode()
        return bytes(content)
    finally:
        await connection.close()
