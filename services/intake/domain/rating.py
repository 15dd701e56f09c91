"""What a rating must be to be taken in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from contracts.events import EditionPublished, OfficerPublished, ProofOfWork, UnitPublished
from services.intake.domain.directory import Directory, takes_ratings
from services.intake.domain.phones import NotMobile, to_e164


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


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field; `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    code: str


@dataclass(frozen=True, slots=True)
class Sound:
    """A rating that can be taken in, with whom and what it is about."""

    edition: EditionPublished
    unit: UnitPublished
    officer: OfficerPublished
    phone: str


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
        faults += _answer_faults(rating, edition) + _challenge_faults(rating, edition)
    phone = to_e164(rating.phone)
    if isinstance(phone, NotMobile):
        faults.append(Fault("/phone", phone.value))
    if not rating.consent:
        faults.append(Fault("/consent", "consent_missing"))
    if faults or edition is None or officer is None or unit is None or isinstance(phone, NotMobile):
        return faults
    return Sound(edition, unit, officer, phone)


def _answer_faults(rating: Rating, edition: EditionPublished) -> list[Fault]:
    choice = edition.instrument.answer(rating.answer)
    if choice is None:
        return [Fault("/answer", "answer_missing" if not rating.answer else "answer_unknown")]
    if not choice.asks_reasons:
        return [Fault("/reasons", "reasons_not_asked")] if rating.reasons else []
    if not rating.reasons:
        return [Fault("/reasons", "reasons_missing")]
    known = {reason.id for reason in edition.instrument.reasons}
    faults = [
        Fault(f"/reasons/{i}", "reason_unknown") for i, r in enumerate(rating.reasons) if r not in known
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
