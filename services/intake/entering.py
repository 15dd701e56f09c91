"""Taking in the code that a citizen got by SMS."""

import unicodedata
from datetime import UTC
from uuid import UUID

from chassis.logs import logger
from contracts.envelope import Envelope, encode
from contracts.events import PhoneCodeEntered
from contracts.topics import RATING_SUBMISSIONS, key_of
from services.intake.domain.identity import SOURCE, event_id
from services.intake.domain.limits import Arrival, Caller
from services.intake.domain.rating import Fault
from services.intake.limiting import Limiter
from services.intake.ports import Parts
from services.intake.submitting import Faulty

DIGITS = 6
log = logger(__name__)


class EnterPhoneCode:
    """One a process. Whether the rating exists and the code is right is verification's to say."""

    def __init__(self, parts: Parts, limiter: Limiter) -> None:
        self._parts = parts
        self._limiter = limiter

    async def __call__(
        self, rating_id: UUID, edition_id: str, code: str, idempotency_key: str, caller: Caller
    ) -> UUID:
        """Returns the event's id once the log has it: the same key and code are the same try.

        Raises DirectoryUnread, Faulty, Limited or NotKept.
        """
        edition = self._parts.directory.current.editions.get(edition_id)
        digits = "".join(unicodedata.normalize("NFKC", code).split())
        faults = [] if edition else [Fault("/edition_id", "edition_unknown")]
        if not (digits.isascii() and digits.isdigit() and len(digits) == DIGITS):
            faults.append(Fault("/code", "phone_code_invalid"))
        if faults or edition is None:
            raise Faulty(faults)
        now = self._parts.clock()
        event_id_ = event_id(self._parts.keys.secret, "phone-code", idempotency_key, str(rating_id), digits)
        self._limiter.code(Arrival(str(event_id_), caller), now.timestamp())
        event = PhoneCodeEntered(
            rating_id=rating_id,
            code=self._parts.sealer.seal(edition.sealing_key, digits.encode()),
            entered_at=now.astimezone(UTC),
        )
        envelope = Envelope(
            id=event_id_,
            source=SOURCE,
            subject=str(rating_id),
            time=event.entered_at,
            correlation_id=event_id_,
            data=event,
        )
        await self._parts.log.append(RATING_SUBMISSIONS.name, encode(envelope, key=key_of(event)))
        log.info("phone code kept", correlation_id=str(event_id_), edition_id=edition_id)
        return event_id_
