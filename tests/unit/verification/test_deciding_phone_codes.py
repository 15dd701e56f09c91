"""Phone codes in batches: what is asked for, and what an entry leads to."""

from datetime import timedelta

import pytest

from contracts.events import Assurance, RatingSubmitted, RejectionReason, VerificationPolicy
from services.verification.deciding import Result
from services.verification.domain.outcomes import outcome_message
from services.verification.domain.ratings import (
    PHONE_CODE_LIFETIME,
    PHONE_CODE_SENT_WITHIN,
    PHONE_CODE_TRIES,
    Accepted,
    AwaitingPhoneCode,
    CodeCheck,
    Rejected,
)
from services.verification.ports import NewPhoneCode
from tests.unit.verification.batch_world import Citizens, Database, identity, rated, told
from tests.unit.verification.scenario import NOON

PHONE = VerificationPolicy.PHONE
WRONG, RIGHT = CodeCheck.WRONG, CodeCheck.RIGHT
LATER = NOON + timedelta(minutes=1)
BY_PHONE = Accepted(Assurance.PHONE_CODE)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def citizens() -> Citizens:
    return Citizens()


async def test_a_code_is_asked_for_with_all_that_deciding_later_takes(
    database: Database, citizens: Citizens
) -> None:
    item = citizens.rates("an", PHONE, origin="b10c" * 16)
    result = await database.decide(item)
    assert (result.outcomes, result.decided, result.phone_codes) == ([], [], 1)
    assert isinstance(item.event, RatingSubmitted)
    assert item.slot is not None
    assert item.event.phone is not None
    assert database.codes == {
        identity("an"): NewPhoneCode(
            identity("an"), rated(item), item.slot, item.event.phone, item.event.language, "b10c" * 16
        )
    }
    until = NOON + PHONE_CODE_SENT_WITHIN + PHONE_CODE_LIFETIME
    awaiting = AwaitingPhoneCode(until, PHONE_CODE_TRIES, Assurance.PHONE_CODE)
    assert database.stored[identity("an")].state == awaiting


async def test_the_right_code_in_a_later_batch_tells_what_was_submitted(
    database: Database, citizens: Citizens
) -> None:
    item, entry = citizens.rates("an", PHONE), citizens.enters("an", RIGHT)
    await database.decide(item)
    result = await database.decide(entry, at=LATER)
    assert result.outcomes == [outcome_message(rated(item), BY_PHONE, LATER)]
    stored = database.stored[identity("an")]
    assert (stored.state, stored.source, stored.decided_at) == (BY_PHONE, entry.source, LATER)
    assert database.tries == {entry.event_id: identity("an")}
    assert result.phone_codes == 0


async def test_a_code_that_comes_again_tells_the_decision_it_led_to(
    database: Database, citizens: Citizens
) -> None:
    item, entry = citizens.rates("an", PHONE), citizens.enters("an", RIGHT)
    await database.decide(item)
    first = await database.decide(entry)
    assert await database.decide(item, entry, at=LATER) == Result(outcomes=first.outcomes, ignored=1)


async def test_submission_and_code_in_one_batch_are_decided_in_their_order(
    database: Database, citizens: Citizens
) -> None:
    item, entry = citizens.rates("an", PHONE), citizens.enters("an", RIGHT)
    result = await database.decide(item, citizens.rates("ba"), citizens.enters("an", WRONG, "typo"), entry)
    assert told(result) == {"ba": "accepted", "an": "accepted"}
    assert outcome_message(rated(item), BY_PHONE, NOON) in result.outcomes
    assert database.stored[identity("an")].state == BY_PHONE
    assert database.statements[-2:] == ["add 2", "count_tries 2"]


async def test_a_wrong_code_costs_one_try_and_each_entry_is_counted_once(
    database: Database, citizens: Citizens
) -> None:
    def tries_left() -> int:
        state = database.stored[identity("an")].state
        assert isinstance(state, AwaitingPhoneCode)
        return state.tries_left

    await database.decide(citizens.rates("an", PHONE))
    entry = citizens.enters("an", WRONG)
    result = await database.decide(entry, citizens.enters("an", WRONG), citizens.enters("an", WRONG))
    assert (result.ignored, tries_left()) == (2, PHONE_CODE_TRIES - 1)
    assert database.statements == ["ratings", "tries_counted", "count_tries 1", "update 1"]
    result = await database.decide(entry, citizens.enters("an", WRONG, "second"))
    assert (told(result), result.ignored, tries_left()) == ({}, 1, PHONE_CODE_TRIES - 2)


async def test_of_two_right_codes_for_one_slot_the_first_counts(
    database: Database, citizens: Citizens
) -> None:
    await database.decide(citizens.rates("an", PHONE, phone="p"), citizens.rates("ba", PHONE, phone="p"))
    result = await database.decide(citizens.enters("ba", RIGHT), citizens.enters("an", RIGHT))
    assert told(result) == {"ba": "accepted", "an": "duplicate"}
    assert result.decided == [BY_PHONE, Rejected(RejectionReason.DUPLICATE, Assurance.PHONE_CODE)]


async def test_a_code_for_a_rating_that_is_decided_or_that_nobody_knows_is_ignored(
    database: Database, citizens: Citizens
) -> None:
    await database.decide(citizens.rates("an"))
    result = await database.decide(citizens.enters("an", RIGHT), citizens.enters("nobody", RIGHT))
    assert result == Result(ignored=2)
    assert database.statements == ["ratings", "tries_counted"]
