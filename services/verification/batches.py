"""Read a batch of messages: what each one asks for, and which can never be read."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from chassis.dead_letters.cap import Cap, Verdict
from contracts.dead_letters import dead_letter
from contracts.envelope import InvalidMessage, Message, UnknownType, decode
from contracts.events import (
    EditionPublished,
    PhoneCodeEntered,
    RatingSubmitted,
    RatingVoidRequested,
    RatingWithdrawalRequested,
    Withdrawal,
)
from contracts.topics import RATING_SUBMISSIONS
from services.verification import hashing
from services.verification.challenges import Challenges
from services.verification.domain.days import whole_edition, window
from services.verification.domain.outcomes import Rated
from services.verification.domain.ratings import (
    Claim,
    Command,
    Decided,
    TryPhoneCode,
    Verify,
    Withdraw,
    decision,
)
from services.verification.phone_codes import PhoneCodes
from services.verification.ports import (
    Clock,
    Directory,
    HashedCodes,
    KeyRing,
    Record,
    Slot,
    Source,
    Stored,
    Unreadable,
)
from services.verification.proof_of_work import ProofsOfWork

Asked = RatingSubmitted | PhoneCodeEntered | RatingWithdrawalRequested | RatingVoidRequested


@dataclass(slots=True)
class Item:
    """One message that could be read, what it would claim, and (`claims`) what it has got, or not."""

    source: Source
    event_id: UUID
    event: Asked
    command: Command | None = None
    token: bytes = b""
    nonce: bytes = b""
    proof_nonce: bytes = b""
    slot: Slot | None = None
    claims: dict[Claim, bool] = field(default_factory=dict)
    _rated: Rated | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def rating_id(self) -> UUID:
        return self.event.rating_id

    @property
    def rated(self) -> Rated | None:
        """What an outcome says of it; None of what is no submission. Made once."""
        if self._rated is None and isinstance(self.event, RatingSubmitted):
            self._rated = Rated.of(self.event_id, self.event)
        return self._rated

    def decided_here(self, stored: Stored | None) -> Decided | None:
        """The decision that this very message led to when it was processed before."""
        if stored is None or stored.source != self.source:
            return None
        return decision(stored.state)


@dataclass(frozen=True, slots=True)
class Batch:
    items: Sequence[Item]
    dead_letters: Sequence[Message]
    invalid: Sequence[str]  # their reasons
    next_offset: int

    @property
    def tries(self) -> Sequence[Item]:
        return [item for item in self.items if isinstance(item.event, PhoneCodeEntered)]


MOST_TRIES = 5
"""Of phone codes in a batch: each is hashed slowly, and who is told to stop finishes its batch in time."""


class Reader:
    """Decoding and opening boxes is computing: it happens in a thread, and touches no database."""

    def __init__(
        self,
        *,
        directory: Directory,
        challenges: Challenges,
        proofs: ProofsOfWork,
        phone_codes: PhoneCodes,
        ring: KeyRing,
        clock: Clock,
        cap: Cap,
    ) -> None:
        self._directory = directory
        self._challenges = challenges
        self._proofs = proofs
        self._phone_codes = phone_codes
        self._ring = ring
        self._clock = clock
        self._cap = cap

    async def read(self, partition: int, records: Sequence[Record]) -> Batch:
        """A batch from the beginning of `records`, which must not be empty; what is left makes another.

        The codes in it are still to be checked. Raises TooManyDeadLetters: then nothing may be passed.
        """
        items, dead_letters, reasons, taken = await asyncio.to_thread(self._decode, partition, records)
        records = records[:taken]
        self._cap.judge(Verdict(partition, each.offset, reasons.get(each.offset)) for each in records)
        if any(self._edition(item) is None for item in items if isinstance(item.event, RatingSubmitted)):
            # Intake read the edition in the directory before it took the rating, so it is there by now,
            # unless it was removed.
            await self._directory.catch_up()
        await asyncio.to_thread(self._understand, items)
        return Batch(items, dead_letters, list(reasons.values()), records[-1].offset + 1)

    async def check_codes(self, batch: Batch, sent: Mapping[UUID, HashedCodes]) -> None:
        """`sent` holds the codes of those ratings that await one."""
        await hashing.aside(self._check, batch.tries, sent)

    def _edition(self, item: Item) -> EditionPublished | None:
        if isinstance(item.event, RatingSubmitted):
            return self._directory.edition(item.event.edition_id)
        return None

    def _decode(
        self, partition: int, records: Iterable[Record]
    ) -> tuple[list[Item], list[Message], dict[int, str], int]:
        """What can be read, the dead letters, their reasons by offset, and how many records that is."""
        items, dead_letters, reasons = list[Item](), [], {}
        tries = taken = 0
        for record in records:
            try:
                envelope = decode(record.value, record.headers)
                event = envelope.data
                if not isinstance(event, Asked):
                    raise UnknownType(f"{event.NAME} does not belong here")
            except InvalidMessage as error:
                reasons[record.offset] = error.reason
                letter = dead_letter(
                    key=record.key,
                    value=record.value,
                    headers=record.headers,
                    topic=RATING_SUBMISSIONS.name,
                    partition=partition,
                    offset=record.offset,
                    error=error,
                    at=self._clock(),
                )
                # As old as its message: what is sealed in it may not be kept longer than there.
                written_ms = max(0, int(record.timestamp.timestamp() * 1000))
                dead_letters.append(letter._replace(written_ms=written_ms))
            else:
                tries += isinstance(event, PhoneCodeEntered)
                if tries > MOST_TRIES:
                    break
                items.append(Item(Source(partition, offset=record.offset), envelope.id, event))
            taken += 1
        return items, dead_letters, reasons, taken

    def _understand(self, items: Iterable[Item]) -> None:
        # Looking for each submission whether the keys are still the same would cost more than opening it.
        keys = self._challenges.as_now(), self._proofs.as_now()
        for item in items:
            match item.event:
                case RatingSubmitted() as event:
                    self._submission(item, event, *keys)
                case RatingWithdrawalRequested() as event:
                    item.command = Withdraw(event.requested_at)
                case RatingVoidRequested() as event:
                    item.command = Withdraw(
                        event.requested_at, Withdrawal.VOIDED, event.reason, event.wave_id
                    )

    def _check(self, tries: Iterable[Item], sent: Mapping[UUID, HashedCodes]) -> None:
        for item in tries:
            if isinstance(item.event, PhoneCodeEntered):
                code, at = item.event.code, item.event.entered_at
                check = self._phone_codes.check(item.rating_id, code, at, sent.get(item.rating_id))
                item.command = TryPhoneCode(at, check)

    def _submission(
        self, item: Item, event: RatingSubmitted, challenges: Challenges, proofs: ProofsOfWork
    ) -> None:
        edition = self._edition(item)
        check, nonce = challenges.check(event.challenge, event.edition_id, event.submitted_at)
        proof, proof_nonce = proofs.check(event.proof_of_work, event.edition_id, event.submitted_at)
        readable = True
        if edition is not None:
            if edition.policy.verification.asks_phone_code:
                readable = self._readable(event)
            item.slot = slot(edition, event)
        item.token = bytes.fromhex(event.idempotency_token)
        item.nonce = nonce
        item.proof_nonce = proof_nonce
        item.command = Verify(
            edition=edition,
            submitted_at=event.submitted_at,
            challenge=check,
            phone_readable=readable,
            now=self._clock(),
            proof=proof,
            vouched_by=event.vouched_by,
            has_file=event.file_pseudonym is not None,
            has_slot=item.slot is not None,
        )

    def _readable(self, event: RatingSubmitted) -> bool:
        try:
            if event.phone is None:
                return False
            self._ring.open(event.phone)
        except Unreadable:
            return False
        return True


def slot(edition: EditionPublished, event: RatingSubmitted) -> Slot | None:
    """What only one accepted rating can have: its file in the edition, or else its phone with this officer
    in the window. None where it names neither, as on paper."""
    if event.file_pseudonym is not None:
        return event.file_pseudonym, "", event.edition_id, whole_edition(edition)
    if event.phone_pseudonym is None:
        return None
    return event.phone_pseudonym, event.officer_id, event.edition_id, window(edition, event.submitted_at)
