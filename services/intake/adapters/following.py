"""Following a topic outside any consumer group, from a fresh beginning after each outage."""

from collections.abc import Awaitable, Callable
from typing import Never

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import OffsetOutOfRangeError

from chassis import kafka
from chassis.logs import logger
from chassis.readiness import Check
from chassis.tasks import wait_out

log = logger(__name__)


async def follow(
    topic: str,
    check: Check,
    begin: Callable[[], Awaitable[AIOKafkaConsumer]],
    go_on: Callable[[AIOKafkaConsumer], Awaitable[Never]],
) -> Never:
    """`begin` opens a consumer that has caught up, and `go_on` reads what comes until an outage ends it.

    `check` is up while it goes on. Any other failure is raised.
    """
    while True:
        consumer = await wait_out(check, begin, outage=_passes)
        try:
            await go_on(consumer)
        except Exception as error:
            if not _passes(error):
                raise
            check.down(f"{type(error).__name__}: {error}"[:200])
            log.warning("lost a topic, going on with what was read", topic=topic, error=repr(error))
        finally:
            await kafka.leave(consumer)


def _passes(error: BaseException) -> bool:
    """Whether beginning anew helps: an outage, or the topic was made anew and our place in it is gone."""
    return kafka.is_outage(error) or isinstance(error, OffsetOutOfRangeError)
