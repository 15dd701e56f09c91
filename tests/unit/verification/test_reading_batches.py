"""Batches end soon however many codes are tried, and the slow hashing of them blocks nobody."""

import base64
import threading
from datetime import datetime
from uuid import UUID, uuid4

from chassis.dead_letters.cap import Cap, Limits
from contracts.envelope import Envelope, encode
from contracts.events import (
    ChallengeAnswer,
    EditionPublished,
    PhoneCodeEntered,
    RatingSubmitted,
    Sealed,
    Vouching,
)
from contracts.golden import EVENTS
from contracts.topics import key_of
from services.verification.batches import MOST_TRIES, Item, Reader
from services.verification.challenges import Challenge, Challenges
from services.verification.domain.days import whole_edition, window
from services.verification.domain.ratings import ChallengeCheck, CodeCheck, TryPhoneCode, Verify
from services.verification.phone_codes import PhoneCodes
from services.verification.ports import HashedCodes, Record
from services.verification.proof_of_work import ProofsOfWork
from tests.unit.verification.scenario import EDITION, NOON

SUBMITTED = next(event for event in EVENTS if isinstance(event, RatingSubmitted))
RATING = UUID(int=7)
CODE = Sealed(key_id="k", box=base64.b64encode(b"123456").decode())
SENT = {RATING: HashedCodes(None, ())}


class PlainRing:
    def open(self, sealed: Sealed) -> bytes:
        return base64.b64decode(sealed.box)


class OneEdition:
    def edition(self, edition_id: str) -> EditionPublished | None:
        return EDITION if edition_id == EDITION.edition_id else None

    async def catch_up(self) -> None:
        raise AssertionError(f"{EDITION.edition_id} is known")


class Watched(PhoneCodes):
    """Says where it was called, and for what."""

    def __init__(self) -> None:
        super().__init__(b"k" * 32, PlainRing())
        self.threads: set[threading.Thread] = set()
        self.asked: list[tuple[UUID, Sealed, datetime, HashedCodes | None]] = []

    def check(self, rating_id: UUID, entered: Sealed, at: datetime, sent: HashedCodes | None) -> CodeCheck:
        self.threads.add(threading.current_thread())
        self.asked.append((rating_id, entered, at, sent))
        return CodeCheck.WRONG


def reader(codes: PhoneCodes, challenges: Challenges | None = None) -> Reader:
    return Reader(
        directory=OneEdition(),
        challenges=challenges or Challenges(b"c" * 32),
        proofs=ProofsOfWork(b"c" * 32, maxnumber=10),
        phone_codes=codes,
        ring=PlainRing(),
        clock=lambda: NOON,
        cap=Cap(Limits(10, 0.5, 10)),
    )


def record(offset: int, event: RatingSubmitted | PhoneCodeEntered) -> Record:
    event_id = uuid4()
    envelope = Envelope(
        id=event_id, source="/test", subject=key_of(event), time=NOON, correlation_id=event_id, data=event
    )
    message = encode(envelope, key=key_of(event))
    return Record(offset, NOON, message.key, message.value, tuple(message.headers))


def a_try(offset: int, rating_id: UUID = RATING) -> Record:
    return record(offset, PhoneCodeEntered(rating_id=rating_id, code=CODE, entered_at=NOON))


async def test_a_batch_ends_before_one_try_too_many_and_the_next_goes_on_there() -> None:
    tries = [a_try(offset) for offset in range(100, 102 + MOST_TRIES)]
    records = [record(99, SUBMITTED), *tries, record(300, SUBMITTED)]
    batch = await reader(Watched()).read(3, records)
    assert [item.source.offset for item in batch.items] == list(range(99, 100 + MOST_TRIES))
    assert (len(batch.tries), batch.next_offset) == (MOST_TRIES, 100 + MOST_TRIES)
    rest = await reader(Watched()).read(3, [each for each in records if each.offset >= batch.next_offset])
    assert [item.source.offset for item in rest.items] == [100 + MOST_TRIES, 101 + MOST_TRIES, 300]
    assert rest.next_offset == 301


async def test_what_cannot_be_read_beyond_the_end_of_a_batch_is_judged_with_the_next() -> None:
    tries = [a_try(offset) for offset in range(MOST_TRIES + 1)]
    batch = await reader(Watched()).read(3, [*tries, Record(50, NOON, None, b"?", ())])
    assert (batch.dead_letters, batch.invalid, batch.next_offset) == ([], [], MOST_TRIES)


async def test_codes_are_checked_in_a_thread_of_their_own_against_what_was_sent_for_their_rating() -> None:
    codes = Watched()
    other = uuid4()
    batch = await reader(codes).read(3, [a_try(1), record(2, SUBMITTED), a_try(3, other)])
    assert not codes.asked, "reading alone hashes nothing"
    await reader(codes).check_codes(batch, SENT)
    assert codes.asked == [(RATING, CODE, NOON, SENT[RATING]), (other, CODE, NOON, None)]
    assert threading.main_thread() not in codes.threads
    assert [item.command for item in batch.tries] == [TryPhoneCode(NOON, CodeCheck.WRONG)] * 2


async def test_keys_are_looked_at_once_a_batch_and_what_was_issued_just_before_it_counts() -> None:
    keys, looks = [b"1" * 32], list[int]()

    def now() -> list[bytes]:
        looks.append(len(keys))
        return keys

    challenges = Challenges(now)

    def answered(offset: int, challenge: Challenge) -> Record:
        answer = ChallengeAnswer(id=challenge.id, answer=challenge.digits)
        told = {"challenge": answer, "edition_id": EDITION.edition_id, "submitted_at": NOON}
        return record(offset, SUBMITTED.model_copy(update=told))

    under_one_key = [answered(offset, challenges.issue(EDITION.edition_id, NOON)) for offset in range(3)]
    reading = reader(Watched(), challenges)
    looks.clear()
    await reading.read(3, under_one_key)
    assert len(looks) == 1
    keys.insert(0, b"2" * 32)
    batch = await reading.read(3, [answered(3, challenges.issue(EDITION.edition_id, NOON)), *under_one_key])
    assert [_check(item) for item in batch.items] == [ChallengeCheck.RIGHT] * 4
    del keys[1]
    batch = await reading.read(3, under_one_key)
    assert [_check(item) for item in batch.items] == [ChallengeCheck.INVALID] * 3


def _check(item: Item) -> ChallengeCheck:
    assert isinstance(item.command, Verify)
    return item.command.challenge


async def test_a_file_counts_once_in_the_edition_and_a_phone_once_with_an_officer_in_its_window() -> None:
    with_file = SUBMITTED.model_copy(update={"file_pseudonym": "f1" * 32})
    on_paper = SUBMITTED.model_copy(
        update={"phone": None, "phone_pseudonym": None, "vouched_by": Vouching.PAPER}
    )
    events = [SUBMITTED, with_file, on_paper]
    batch = await reader(Watched()).read(3, [record(at, event) for at, event in enumerate(events)])
    phone, edition, officer = SUBMITTED.phone_pseudonym, EDITION.edition_id, SUBMITTED.officer_id
    assert [item.slot for item in batch.items] == [
        (phone, officer, edition, window(EDITION, SUBMITTED.submitted_at)),
        ("f1" * 32, "", edition, whole_edition(EDITION)),
        None,
    ]
    commands = [item.command for item in batch.items if isinstance(item.command, Verify)]
    assert [(each.vouched_by, each.has_file, each.has_slot) for each in commands] == [
        (None, False, True),
        (None, True, True),
        (Vouching.PAPER, False, False),
    ]
