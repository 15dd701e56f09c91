"""Taking a rating in: judged, sealed, on the log, and only then confirmed."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from uuid import UUID

from chassis.logs import logger
from contracts.city_time import city_day
from contracts.envelope import Envelope, encode
from contracts.events import ChallengeAnswer, FileNumbers, RatingSubmitted
from contracts.topics import RATING_SUBMISSIONS, key_of
from services.intake.domain.identity import (
    SOURCE,
    Identity,
    file_pseudonym,
    fingerprint,
    identify,
    pseudonym,
)
from services.intake.domain.limits import Arrival, Caller
from services.intake.domain.rating import Fault, Rating, Sound, given_at, judge
from services.intake.limiting import Limiter
from services.intake.ports import FilesAway, FileSystem, Parts

REMEMBERED = 5_000
OLDEST = timedelta(days=7)
log = logger(__name__)


class Faulty(Exception):
    """The rating cannot be taken in as it is."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.faults = faults


class KeyReused(Exception):
    """The Idempotency-Key came with another body before."""


class SubmitRating:
    """One a process. Needs nothing but the log: the little it remembers only answers sooner.

    `files` is asked where an edition asks for them; `oldest`: how long a device may have kept a rating.
    """

    def __init__(
        self, parts: Parts, limiter: Limiter, *, files: FileSystem | None = None, oldest: timedelta = OLDEST
    ) -> None:
        self._parts = parts
        self._limiter = limiter
        self._files = files
        self._oldest = oldest
        self._seen = _Recent(REMEMBERED)

    def faults(self, rating: Rating) -> list[Fault]:
        """What is wrong with it, without sending anything. Raises DirectoryUnread."""
        judged, _ = self._judge(rating, self._parts.clock())
        return [] if isinstance(judged, Sound) else judged

    async def __call__(self, rating: Rating, idempotency_key: str, caller: Caller) -> Identity:
        """Returns once the log has the submission.

        Raises DirectoryUnread, Faulty, FilesAway, KeyReused, KeysMissing, Limited or NotKept; after FilesAway
        and the last two the same call may be made again, here or on another replica, and is the same
        submission, whoever makes it.
        """
        now = self._parts.clock()
        judged, given = self._judge(rating, now)
        if not isinstance(judged, Sound):
            raise Faulty(judged)
        edition_key = self._parts.keys.pseudonym_key(judged.edition.edition_id)
        who = identify(
            self._parts.keys.secret,
            idempotency_key,
            fingerprint(edition_key, _canonical(rating, judged)),
        )
        phone = "" if judged.phone is None else pseudonym(edition_key, judged.phone)
        vouched = rating.vouched_by is not None
        arrival = Arrival(str(who.rating_id), caller, phone, rating.officer_id, rating.edition_id, vouched)
        file = await self._file(judged, edition_key, arrival, now)
        if self._seen.first(who.idempotency_token, who.rating_id) != who.rating_id:
            raise KeyReused
        self._limiter.rating(arrival, now.timestamp())
        event = self._event(rating, judged, who, arrival, file, given)
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

    def _judge(self, rating: Rating, now: datetime) -> tuple[Sound | list[Fault], datetime]:
        """As of the moment when it was given, which comes beside it."""
        given = given_at(rating, now, self._oldest)
        if isinstance(given, Fault):
            judged = judge(rating, self._parts.directory.current, city_day(now))
            return [given] if isinstance(judged, Sound) else [*judged, given], now
        return judge(rating, self._parts.directory.current, city_day(given)), given

    async def _file(self, judged: Sound, edition_key: bytes, arrival: Arrival, now: datetime) -> str | None:
        """The pseudonym of a file that the office's system knows. None where the rating names no file, and
        where nobody can say and it may do without."""
        if judged.file_number is None:
            return None
        self._limiter.file(arrival, now.timestamp())
        try:
            known = await self._look_up(judged.unit.unit_id, judged.file_number)
        except FilesAway as error:
            if judged.edition.policy.file_numbers is FileNumbers.REQUIRED:
                raise
            log.warning("a file was not looked up", error=str(error))
            return None
        if not known:
            raise Faulty([Fault("/file_number", "file_number_unknown")])
        return file_pseudonym(edition_key, judged.unit.unit_id, judged.file_number)

    async def _look_up(self, unit_id: str, number: str) -> bool:
        if self._files is None:
            raise FilesAway("there is no file system")
        return await self._files.knows(unit_id, number)

    def _event(  # noqa: PLR0917 - what it is put together from
        self,
        rating: Rating,
        judged: Sound,
        who: Identity,
        arrival: Arrival,
        file: str | None,
        given: datetime,
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
            scale_answers=tuple(rating.scale_answers),
            respondent=judged.respondent,
            deciding_unit_id=judged.deciding_unit_id,
            phone=judged.phone and self._parts.sealer.seal(judged.edition.sealing_key, judged.phone.encode()),
            phone_pseudonym=arrival.phone or None,
            file_pseudonym=file,
            vouched_by=rating.vouched_by,
            challenge=ChallengeAnswer(id=challenge[0], answer=challenge[1]) if challenge else None,
            proof_of_work=rating.proof_of_work,
            client_id=caller.client_id,
            session=caller.session,
            origin=caller.origin,
            submitted_at=given.astimezone(UTC),
        )


def _canonical(rating: Rating, judged: Sound) -> dict[str, object]:
    """What makes two bodies the same rating: not how a number is spelt, nor the order of reasons and
    answers to scales, nor the time that a device says."""
    where_given = {
        "proof_of_work": rating.proof_of_work,
        "vouched_by": rating.vouched_by,
        "file_number": judged.file_number,
        "respondent": rating.respondent or None,
        "deciding_unit_id": judged.deciding_unit_id,
        "scale_answers": sorted((a.scale, a.question, a.choice) for a in rating.scale_answers) or None,
    }
    return {name: value for name, value in where_given.items() if value is not None} | {
        "edition_id": rating.edition_id,
        "officer_id": rating.officer_id,
        "answer": rating.answer,
        "reasons": sorted(rating.reasons),
        "phone": judged.phone,
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
