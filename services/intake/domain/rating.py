"""What a rating must be to be taken in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from contracts.events import (
    EditionPublished,
    FileNumbers,
    OfficerPublished,
    ProofOfWork,
    ScaleAnswer,
    UnitPublished,
    Vouching,
)
from services.intake.domain import file_numbers, instruments
from services.intake.domain.directory import Directory, takes_ratings
from services.intake.domain.phones import NotMobile, to_e164

CITIZEN = "citizen"
AHEAD = timedelta(minutes=1)
"""Of a clock that says later than ours: as if it said now."""


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating as it was sent, not yet judged."""

    edition_id: str
    officer_id: str
    answer: str
    reasons: Sequence[str]
    phone: str
    consent: bool
    challenge: tuple[str, str] | None
    channel: str
    language: str
    proof_of_work: str | None = None
    vouched_by: Vouching | None = None
    file_number: str = ""
    respondent: str = ""
    deciding_unit_id: str = ""
    rated_at: datetime | None = None
    scale_answers: Sequence[ScaleAnswer] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    code: str


@dataclass(frozen=True, slots=True)
class Sound:
    """A rating that can be taken in, with whom and what it is about.

    `phone` is None where somebody vouches for it; `file_number` where it names no file, or is not to.
    """

    edition: EditionPublished
    unit: UnitPublished
    officer: OfficerPublished
    phone: str | None
    file_number: str | None = None
    respondent: str = CITIZEN
    deciding_unit_id: str | None = None


def judge(rating: Rating, directory: Directory, day: date) -> Sound | list[Fault]:
    """Everything that is wrong with the rating at once, or the rating with what it refers to."""
    faults: list[Fault] = []
    edition = directory.editions.get(rating.edition_id)
    if edition is None:
        faults.append(Fault("/edition_id", "edition_unknown"))
    elif not takes_ratings(edition, day):
        faults.append(Fault("/edition_id", "edition_closed"))
    officer = directory.officers.get(rating.officer_id)
    unit = directory.units.get(officer.unit_id) if officer else None
    if officer is None:
        faults.append(Fault("/officer_id", "officer_unknown"))
    elif not directory.is_active(officer, day):
        faults.append(Fault("/officer_id", "officer_not_active"))
    if edition is not None:
        faults += _answer_faults(rating, edition)
        faults += (_vouching_faults if rating.vouched_by else _challenge_faults)(rating, edition)
        found = instruments.answer_faults(rating.scale_answers, edition.instrument)
        faults += [Fault(pointer, code) for pointer, code in found]
        faults += _file_faults(rating, edition) + _respondent_faults(rating, edition)
    if rating.deciding_unit_id and rating.deciding_unit_id not in directory.units:
        faults.append(Fault("/deciding_unit_id", "deciding_unit_unknown"))
    phone = None if rating.vouched_by else to_e164(rating.phone)
    if isinstance(phone, NotMobile):
        faults.append(Fault("/phone", phone.value))
    if not rating.vouched_by and not rating.consent:
        faults.append(Fault("/consent", "consent_missing"))
    if faults or edition is None or officer is None or unit is None or isinstance(phone, NotMobile):
        return faults
    elsewhere = rating.deciding_unit_id not in ("", unit.unit_id)
    return Sound(
        edition,
        unit,
        officer,
        phone,
        file_number=file_numbers.normalised(rating.file_number),
        respondent=rating.respondent or CITIZEN,
        deciding_unit_id=rating.deciding_unit_id if elsewhere else None,
    )


def given_at(rating: Rating, now: datetime, oldest: timedelta) -> datetime | Fault:
    """When its citizen gave it: now, unless a device that vouches says how long it has kept it."""
    if rating.rated_at is None:
        return now
    if rating.vouched_by is None:
        return Fault("/rated_at", "rated_at_not_yours")
    if rating.rated_at > now + AHEAD:
        return Fault("/rated_at", "rated_at_in_future")
    if rating.rated_at < now - oldest:
        return Fault("/rated_at", "rated_at_too_old")
    return min(rating.rated_at, now)


def _answer_faults(rating: Rating, edition: EditionPublished) -> list[Fault]:
    choice = edition.instrument.answer(rating.answer)
    if choice is None:
        return [Fault("/answer", "answer_missing" if not rating.answer else "answer_unknown")]
    if not choice.asks_reasons:
        return [Fault("/reasons", "reasons_not_asked")] if rating.reasons else []
    if not rating.reasons:
        return [] if choice.reasons_optional else [Fault("/reasons", "reasons_missing")]
    known = {reason.id for reason in edition.instrument.reasons}
    its = {reason.id for reason in instruments.reasons_of(edition.instrument, choice)}
    faults = [
        Fault(f"/reasons/{i}", "reason_of_another" if r in known else "reason_unknown")
        for i, r in enumerate(rating.reasons)
        if r not in its
    ]
    if len(set(rating.reasons)) != len(rating.reasons):
        faults.append(Fault("/reasons", "reasons_repeated"))
    return faults


def _challenge_faults(rating: Rating, edition: EditionPublished) -> list[Fault]:
    """`instead` takes either: who cannot compute enters the image code."""
    policy, faults = edition.policy, []
    computed = rating.proof_of_work is not None
    stands_for_code = policy.proof_of_work is ProofOfWork.INSTEAD and computed
    if rating.challenge is None and policy.verification.asks_challenge and not stands_for_code:
        faults.append(Fault("/challenge", "challenge_missing"))
    if rating.challenge is not None and not rating.challenge[1].strip():
        faults.append(Fault("/challenge/answer", "challenge_answer_missing"))
    if policy.proof_of_work is ProofOfWork.BESIDE and not computed:
        faults.append(Fault("/proof_of_work", "proof_of_work_missing"))
    return faults


def _vouching_faults(rating: Rating, edition: EditionPublished) -> list[Fault]:
    """Who vouches says so in place of phone and code, not beside them."""
    faults = []
    if rating.vouched_by not in edition.policy.vouching:
        faults.append(Fault("/vouched", "vouching_refused"))
    proofs = {"phone": rating.phone or None, "challenge": rating.challenge}
    beside = proofs | {"proof_of_work": rating.proof_of_work}
    return faults + [Fault(f"/{name}", "not_with_vouching") for name, given in beside.items() if given]


def _file_faults(rating: Rating, edition: EditionPublished) -> list[Fault]:
    asked, given = edition.policy.file_numbers, bool(rating.file_number.strip())
    if asked is FileNumbers.NONE:
        return [Fault("/file_number", "file_number_not_asked")] if given else []
    if not given:
        return [Fault("/file_number", "file_number_missing")] if asked is FileNumbers.REQUIRED else []
    if file_numbers.normalised(rating.file_number) is None:
        return [Fault("/file_number", "file_number_invalid")]
    return []


def _respondent_faults(rating: Rating, edition: EditionPublished) -> list[Fault]:
    if edition.policy.asks_respondent:
        return [] if rating.respondent else [Fault("/respondent", "respondent_missing")]
    known = rating.respondent in ("", CITIZEN)
    return [] if known else [Fault("/respondent", "respondent_not_asked")]
