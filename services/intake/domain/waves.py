"""Which submissions a wave is made of, and what is asked for each of them. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID, uuid5

from contracts.envelope import Envelope
from contracts.events import RatingSubmitted, RatingVoidRequested, Selection, WaveVoided
from services.intake.domain.identity import SOURCE

NARROWING = ("unit_id", "officer_id", "channel", "client_id", "origin", "session", "form")
"""At least one is needed: nobody voids an edition by leaving something out."""


def fits(selection: Selection, rating: RatingSubmitted) -> bool:
    if rating.edition_id != selection.edition_id:
        return False
    if not selection.since <= rating.submitted_at < selection.before:
        return False
    wanted = ((name, getattr(selection, name)) for name in NARROWING)
    return all(value is None or _of(rating, name) == value for name, value in wanted)


def _of(rating: RatingSubmitted, name: str) -> str | None:
    if name == "form":
        return rating.form.number if rating.form else None
    value: str | None = getattr(rating, name)
    return value


def is_narrow(selection: Selection) -> bool:
    return any(getattr(selection, name) is not None for name in NARROWING)


@dataclass(slots=True)
class Found:
    """The ratings that fit, those for which the log has been asked in this wave already, and how many there
    are of each kind. How they were answered is nobody's business here."""

    ratings: set[UUID] = field(default_factory=set)
    asked: set[UUID] = field(default_factory=set)
    by: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in NARROWING})

    def take(self, wave: WaveVoided, event: RatingSubmitted | RatingVoidRequested) -> None:
        if isinstance(event, RatingVoidRequested):
            if event.wave_id == wave.wave_id:
                self.asked.add(event.rating_id)
        elif fits(wave.selection, event) and event.rating_id not in self.ratings:
            self.ratings.add(event.rating_id)
            for name, counted in self.by.items():
                counted[_of(event, name) or "none"] += 1

    @property
    def left(self) -> set[UUID]:
        return self.ratings - self.asked


def requests(wave: WaveVoided, ratings: Iterable[UUID]) -> Iterable[Envelope[RatingVoidRequested]]:
    """However often the wave is gone through, the same rating is asked for in the same event."""
    for rating_id in sorted(ratings):
        id_ = uuid5(wave.wave_id, str(rating_id))
        yield Envelope(
            id=id_,
            source=SOURCE,
            subject=str(rating_id),
            time=wave.voided_at,
            correlation_id=id_,
            causation_id=wave.wave_id,
            data=RatingVoidRequested(
                rating_id=rating_id,
                wave_id=wave.wave_id,
                reason=wave.reason,
                requested_at=wave.voided_at,
            ),
        )
