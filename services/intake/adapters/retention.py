"""How long Kafka keeps submissions, held to what editions promise."""

from chassis.kafka import KafkaClient
from chassis.topic_settings import RETENTION, admin, configure, retention_of
from contracts.topics import DAY_MS, SEALED, kept_ms


class KeptTooLong(Exception):
    """Kafka keeps submissions longer than an edition promises; the text says what to do."""

    def __init__(self, text: str, days: int) -> None:
        super().__init__(text)
        self.days = days


async def keep_promise(client: KafkaClient, days: int, *, set_retention: bool) -> None:
    """Let whatever holds sealed phones be gone after `days`. Raises outages of Kafka.

    Unless `set_retention` it only looks, and raises KeptTooLong.
    """
    wanted = kept_ms(days)
    async with admin(client, "intake-publish") as connected:
        now = await retention_of(connected, SEALED)
        if set_retention:
            await configure(
                connected, {topic.name: {**topic.config, RETENTION: str(wanted)} for topic in SEALED}
            )
            return
    for name, retention_ms in now.items():
        if not 0 <= retention_ms <= wanted:
            kept = "for ever" if retention_ms < 0 else f"{retention_ms / DAY_MS:.1f} days and then some"
            raise KeptTooLong(
                f"An edition promises that phone numbers are gone after {days} days, and {name} keeps them"
                f" {kept}. Run the same command again with --set-retention: what is older is then deleted,"
                " of all editions, because they share the topic.",
                days,
            )
