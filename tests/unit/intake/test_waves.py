"""What a wave is made of, and that it can be gone through again."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest

from contracts.envelope import Message, decode
from contracts.events import PaperForm, RatingSubmitted, RatingVoidRequested, Selection, WaveVoided
from contracts.golden import EVENTS
from contracts.topics import RATING_SUBMISSIONS
from services.intake.domain.directory import Directory
from services.intake.domain.waves import fits, is_narrow
from services.intake.ports import NotKept
from services.intake.voiding import look, on_record, void
from tests.support.intake import MemoryLog

WAVE = next(event for event in EVENTS if isinstance(event, WaveVoided))
RATED = next(event for event in EVENTS if isinstance(event, RatingSubmitted))
SELECTION = WAVE.selection


def rated(**changes: object) -> RatingSubmitted:
    return RATED.model_copy(update={"rating_id": uuid4(), **changes})


class Kept:
    """The topic of submissions, a batch a partition."""

    def __init__(self, *events: RatingSubmitted | RatingVoidRequested) -> None:
        self.batches = [events]

    async def extent(self) -> int:
        return sum(map(len, self.batches))

    async def events(self) -> AsyncIterator[tuple[int, Sequence[RatingSubmitted | RatingVoidRequested]]]:
        for batch in self.batches:
            yield len(batch), batch


@dataclass
class BreaksOff(MemoryLog):
    """Takes so many messages."""

    left: int = 250

    async def append(self, topic: str, message: Message) -> None:
        self.left -= 1
        self.away = self.left < 0
        await super().append(topic, message)


def nothing(done: int, extent: int) -> None:
    assert 0 <= done <= extent


@pytest.mark.parametrize(
    "changes",
    [
        {"edition_id": "2018"},
        {"officer_id": "so-y-te.other"},
        {"channel": "portal"},
        {"submitted_at": SELECTION.since - timedelta(microseconds=1)},
        {"submitted_at": SELECTION.before},
    ],
)
def test_a_rating_fits_where_it_meets_all_that_is_said(changes: dict[str, object]) -> None:
    assert fits(SELECTION, rated())
    assert fits(SELECTION, rated(submitted_at=SELECTION.since))
    assert not fits(SELECTION, rated(**changes))


@pytest.mark.parametrize("name", ["unit_id", "client_id", "origin", "session"])
def test_what_is_not_said_fits_all_and_what_is_said_the_same_alone(name: str) -> None:
    other = "ab" * 32
    assert fits(SELECTION, rated(**{name: other}))
    narrower = SELECTION.model_copy(update={name: other})
    assert (fits(narrower, rated(**{name: other})), fits(narrower, rated())) == (True, False)


def test_a_paper_form_is_a_wave_of_its_own() -> None:
    narrower = SELECTION.model_copy(update={"form": "000000013"})
    assert is_narrow(narrower)
    of_form = rated(form=PaperForm(number="000000013", entered_by=("5e" * 16,)))
    assert (fits(narrower, of_form), fits(narrower, rated())) == (True, False)


def test_an_edition_is_not_a_wave() -> None:
    span = {"since": SELECTION.since, "before": SELECTION.before}
    assert not is_narrow(Selection(edition_id="2017", **span))
    assert is_narrow(Selection(edition_id="2017", channel="web", **span))


async def test_a_wave_is_put_on_record_and_asked_for_rating_by_rating() -> None:
    in_it, other = [rated() for _ in range(3)], rated(channel="portal")
    found = await look(Kept(*in_it, in_it[0], other), WAVE, nothing)
    assert found.ratings == {each.rating_id for each in in_it}
    assert found.by["channel"] == {"web": 3}
    log = MemoryLog()
    await void(log, WAVE, found, nothing)
    (change,) = on_record(WAVE)(Directory(), date(2017, 11, 24))
    assert (change.key, change.after) == (f"wave:{WAVE.wave_id}", WAVE)
    asked = [decode(each.value, each.headers).data for each in await log.read(RATING_SUBMISSIONS.name)]
    assert {each.rating_id for each in asked if isinstance(each, RatingVoidRequested)} == found.ratings
    assert all(
        isinstance(each, RatingVoidRequested) and (each.wave_id, each.reason) == (WAVE.wave_id, WAVE.reason)
        for each in asked
    )


async def test_a_wave_that_was_broken_off_asks_for_what_is_left_and_then_for_nothing() -> None:
    ratings = [rated() for _ in range(450)]
    log = BreaksOff()
    found = await look(Kept(*ratings), WAVE, nothing)
    with pytest.raises(NotKept):
        await void(log, WAVE, found, nothing)
    log.left = len(ratings)
    on_log = [decode(each.value, each.headers).data for each in log.messages[RATING_SUBMISSIONS.name]]
    asked = [each for each in on_log if isinstance(each, RatingVoidRequested)]
    assert 0 < len(asked) < len(ratings)
    again = await look(Kept(*ratings, *asked), WAVE, nothing)
    await void(log, WAVE, again, nothing)
    messages = log.messages[RATING_SUBMISSIONS.name]
    assert len(messages) == len(ratings)
    assert len({dict(each.headers)["ce_id"] for each in messages}) == len(ratings)
    every = [decode(each.value, each.headers).data for each in messages]
    done = await look(
        Kept(*ratings, *(e for e in every if isinstance(e, RatingVoidRequested))), WAVE, nothing
    )
    assert done.left == set[UUID]()
