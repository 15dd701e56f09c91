"""Taking in that a citizen withdraws their rating."""

from datetime import UTC
from uuid import UUID

from chassis.logs import logger
from contracts.envelope import Envelope, encode
from contracts.events import RatingWithdrawalRequested
from contracts.topics import RATING_SUBMISSIONS, key_of
from services.intake.domain.identity import SOURCE, event_id, received
from services.intake.domain.limits import Arrival, Caller
from services.intake.domain.rating import Fault
from services.intake.limiting import Limiter
from services.intake.ports import Parts
from services.intake.submitting import Faulty

log = logger(__name__)


class WithdrawRating:
    """One a process. Whether the rating counts, and can still be withdrawn, is verification's to say."""

    def __init__(self, parts: Parts, limiter: Limiter) -> None:
        self._parts = parts
        self._limiter = limiter

    async def __call__(self, receipt: str, caller: Caller) -> UUID:
        """Returns the rating's id once the log has the request: the same receipt is the same request.

        Raises Faulty, Limited or NotKept.
        """
        secret = self._parts.keys.secret
        now = self._parts.clock()
        asked = event_id(secret, "withdrawal", receipt)
        self._limiter.withdrawal(Arrival(str(asked), caller), now.timestamp())  # a wrong one as well
        rating_id = received(secret, receipt)
        if rating_id is None:
            raise Faulty([Fault("/receipt", "receipt_unknown")])
        event = RatingWithdrawalRequested(rating_id=rating_id, requested_at=now.astimezone(UTC))
        id_ = event_id(secret, "withdrawal-of", str(rating_id))
        envelope = Envelope(
            id=id_,
            source=SOURCE,
            subject=str(rating_id),
            time=event.requested_at,
            correlation_id=id_,
            data=event,
        )
        await self._parts.log.append(RATING_SUBMISSIONS.name, encode(envelope, key=key_of(event)))
        log.info("withdrawal request kept", correlation_id=str(id_))
        return rating_id
