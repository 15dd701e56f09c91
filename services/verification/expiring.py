"""Ratings whose phone code was not entered in time end as expired."""

from datetime import datetime

from contracts.envelope import Message
from services.verification.domain.outcomes import outcome_message
from services.verification.domain.ratings import Decided, Expire, Rejected, decide, evolve
from services.verification.ports import DecisionTransaction, Source

ROUND = 500


async def expire(
    tx: DecisionTransaction, partition: int, reached: datetime, now: datetime
) -> tuple[int, list[tuple[Message, Decided]]] | None:
    """Decide what is overdue at `reached`. Returns the number of this round and what to tell, if anything.

    The number is committed to Kafka with the outcomes, so a round is told exactly once.
    """
    due = await tx.due(reached, most=ROUND)
    states, told = {}, list[tuple[Message, Decided]]()
    for rating_id, stored in due.items():
        event = decide(Expire(reached), stored.state, {})
        if isinstance(event, Rejected) and stored.rated is not None:
            states[rating_id] = evolve(stored.state, event)
            told.append((outcome_message(stored.rated, event, now), event))
    if not states:
        return None
    number = await tx.next_expiry()
    source = Source(partition, expiry=number)
    await tx.update({rating_id: (state, source) for rating_id, state in states.items()}, now)
    return number, told
