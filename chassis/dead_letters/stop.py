"""A consumer that the cap has stopped: the process lives on, says so, and waits for its restart."""

import asyncio

from prometheus_client import Gauge

from chassis.dead_letters.cap import Cap, Limits, TooManyDeadLetters
from chassis.logs import logger
from chassis.readiness import Check

log = logger(__name__)
CHECK = "dead_letter_share"

STOPPED = Gauge(
    "consumer_stopped_by_dead_letters",
    "1 while the consumer is stopped because too many messages could not be read, else 0.",
)
SHARE = Gauge(
    "consumer_dead_letter_share", "Of the last messages read, the share that could not be understood: 0 to 1."
)


def watched(limits: Limits, check: Check) -> Cap:
    """A cap whose share shows in the metrics, and which has not stopped anything yet."""
    cap = Cap(limits)
    SHARE.set_function(lambda: cap.share)
    STOPPED.set(0)
    check.up()
    return cap


async def stay_stopped(check: Check, found: TooManyDeadLetters, *, setting: str, limits: Limits) -> None:
    """Show on /readyz, in the log and the metrics what was found and what to do. Never returns.

    Going on by itself would bury the next part of the log each time. `setting` names the variable that raises
    the cap.
    """
    text = (
        f"stopped: {found}; the cap is {limits.share:g}. Nothing more is read, buried or passed."
        " Deploy a reader that understands these messages and restart it; or, if they are truly broken,"
        f" restart with {setting}=1 to bury them. See docs/runbooks/dead-letters.md"
    )
    check.down(text)
    STOPPED.set(1)
    log.critical(
        "stopped by dead letters",
        unreadable=found.unreadable,
        seen=found.seen,
        reason=found.reason,
        what_to_do=text,
    )
    await asyncio.get_running_loop().create_future()
