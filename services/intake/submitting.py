"""Taking a rating in: judged, sealed, on the log, and only then confirmed."""

from collections import OrderedDict
from datetime import UTC, datetime
from uuid import UUID

from chassis.logs import logger
from contracts.city_time import city_day
from contracts.envelope import Envelope, encode
from contracts.events import ChallengeAnswer, RatingSubmitted
from contracts.topics import RATING_SUBMISSIONS, key_of
from services.intake.domain.identity import SOURCE, Identity, fingerprint, identify, pseudonym
from services.intake.domain.limits import Arrival, Caller
from services.intake.domain.rating import Fault, Rating, Sound, judge
from services.intake.limiting import Limiter
from services.intake.ports import Parts

REMEMBERED = 5_000
log = logger(__name__)


class Faulty(Exception):
    """The rating cannot be taken in as it is."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.faults = faults


class KeyReused(Exception):
    """The Idempotency-Key came with another body before."""


class SubmitRating:
    """One a process. Needs nothing but the log: the little it remembers only answers sooner."""

    def __init__(self, parts: Parts, limiter: Limiter) -> None:
        self._parts = parts
        self._limiter = limiter
        self._seen = _Recent(REMEMBERED)

    def faults(self, rating: Rating) -> list[Fault]:
        """What is wrong with it, without sending anything. Raises DirectoryUnread."""
        judged = self._judge(rating, self._parts.clock())
        return [] if isinstance(judged, Sound) else judged

    async def __call__(self, rating: Rating, idempotency_key: str, caller: Caller) -> Identity:
        """Returns once the log has the submission.

        Raises DirectoryUnread, Faulty, KeyReused, KeysMissing, Limited or NotKept; after the last two the
        same call may be made again, here or on another replica, and is the same submission, whoever makes it.
        """
        now = self._parts.clock()
        judged = self._judge(rating, now)
        if not isinstance(judged, Sound):
            raise Faulty(judged)
        edition_key = self._parts.keys.pseudonym_key(judged.edition.edition_id)
        who = identify(
            self._parts.keys.secret,
            idempotency_key,
            fingerprint(edition_key, _canonical(rating, judged.phone)),
        )
        if self._seen.first(who.idempotency_token, who.rating_id) != who.rating_id:
            raise KeyReused
        phone = pseudonym(edition_key, judged.phone)
        arrival = Arrival(str(who.rating_id), caller, phone, rating.officer_id, rating.edition_id)
        self._limiter.rating(arrival, now.timestamp())
        event = self._event(rating, judged, who, arrival, now)
        envelope = Envelope(
            id=who.submission_id,
            source=SOURCE,
            subject=str(who.rating_id),
            time=event.submitted_at,
            correlation_id=who.submission_id,
            data=event,
        )
        await self._parts.log.append(RATING_SUBMISSIONS.name, encode(envelope, key=key_of(event)))
        log.info(
            "submission kept",
            correlation_id=str(who.submission_id),
            unit_id=event.unit_id,
            officer_id=event.officer_id,
            channel=event.channel,
        )
        return who

    def _judge(self, rating: Rating, now: datetime) -> Sound | list[Fault]:
        return judge(rating, self._parts.directory.current, city_day(now))

    def _event(
        self, rating: Rating, judged: Sound, who: Identity, arrival: Arrival, now: datetime
    ) -> RatingSubmitted:
        challenge, caller = rating.challenge, arrival.caller
        return RatingSubmitted(
            rating_id=who.rating_id,
            idempotency_token=who.idempotency_token,
            edition_id=judged.edition.edition_id,
            group_id=judged.unit.group_id,
            unit_id=judged.unit.unit_id,
            officer_id=judged.officer.officer_id,
            answer=rating.answer,
            reasons=tuple(rating.reasons),
            channel=rating.channel,
            language=rating.language,
            phone=self._parts.sealer.seal(judged.edition.sealing_key, judged.phone.encode()),
            phone_pseudonym=arrival.phone,
            challenge=ChallengeAnswer(id=challenge[0], answer=challenge[1]) if challenge else None,
            proof_of_work=rating.proof_of_work,
            client_id=caller.client_id,
            session=caller.session,
            origin=caller.origin,
            submitted_at=now.astimezone(UTC),
        )


def _canonical(rating: Rating, phone: str) -> dict[str, object]:
    """What makes two bodies the same rating: not how the number is spelt, nor the order of the reasons."""
    proof = {} if rating.proof_of_work is None else {"proof_of_work": rating.proof_of_work}
    return proof | {
        "edition_id": rating.edition_id,
        "officer_id": rating.officer_id,
        "answer": rating.answer,
        "reasons": sorted(rating.reasons),
        "phone": phone,
        "challenge": rating.challenge,
        "channel": rating.channel,
        "language": rating.language,
    }


class _Recent:
    """Which rating each of the keys seen last came with; the key seen longest ago is forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, UUID] = OrderedDict()

    def first(self, token: str, rating_id: UUID) -> UUID:
        """The rating that the key came with first, which is this one for a new key."""
        found = self._known.setdefault(token, rating_id)
        self._known.move_to_end(token)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return found
