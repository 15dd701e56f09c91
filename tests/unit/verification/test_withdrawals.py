"""A rating that was accepted is withdrawn once, in time, and told the same however often it is read again."""

from datetime import timedelta

import pytest

from contracts.envelope import decode
from contracts.events import Assurance, RatingWithdrawn, RejectionReason, VerificationPolicy, Withdrawal
from services.verification.domain.outcomes import outcome_message
from services.verification.domain.ratings import (
    WITHDRAWABLE,
    Accepted,
    ChallengeCheck,
    CodeCheck,
    Rejected,
    Withdrawn,
)
from services.verification.ports import Source, Withdrawing
from tests.unit.verification.batch_world import PARTITION, Citizens, Database, identity, rated, told
from tests.unit.verification.scenario import NOON

LATER = NOON + timedelta(days=3)
ACCEPTED = Accepted(Assurance.CAPTCHA)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def citizens() -> Citizens:
    return Citizens()


async def test_a_withdrawal_says_what_the_rating_counted_as_and_since_when_it_does_not(
    database: Database, citizens: Citizens
) -> None:
    item = citizens.rates("an")
    await database.decide(item)
    result = await database.decide(citizens.withdraws("an", LATER), at=LATER)
    (message,) = result.outcomes
    said = decode(message.value, message.headers).data
    was = rated(item)
    assert said == RatingWithdrawn(
        **was.model_dump(),
        decided_at=LATER,
        assurance="captcha",
        accepted_at=NOON,
        kind=Withdrawal.CITIZEN,
    )
    assert message.key == was.officer_id.encode()
    stored = database.stored[identity("an")]
    assert stored.state == Withdrawn(ACCEPTED, Withdrawal.CITIZEN)
    assert stored.withdrawal == Withdrawing(Source(PARTITION, 1), LATER)
    assert (stored.decided_at, stored.source) == (NOON, Source(PARTITION, 0)), "the decision stays"


async def test_read_again_acceptance_and_withdrawal_are_told_in_the_same_words_and_order(
    database: Database, citizens: Citizens
) -> None:
    rating, withdrawal = citizens.rates("an"), citizens.withdraws("an")
    first = (await database.decide(rating)).outcomes
    first += (await database.decide(withdrawal, at=LATER)).outcomes
    again = await database.decide(rating, withdrawal, at=LATER + timedelta(days=1))
    assert told(again) == {"an": "accepted", "an withdrawn": "citizen"}
    assert (again.outcomes, again.decided) == (first, [])
    assert (await database.decide(withdrawal)).outcomes == first[1:]


async def test_what_is_rated_and_withdrawn_in_one_batch_is_told_in_that_order(
    database: Database, citizens: Citizens
) -> None:
    items = citizens.rates("an"), citizens.withdraws("an")
    first = await database.decide(*items)
    assert list(told(first).items()) == [("an", "accepted"), ("an withdrawn", "citizen")]
    assert (await database.decide(*items, at=LATER)).outcomes == first.outcomes


async def test_a_rating_is_withdrawn_once_whoever_asks_how_often(
    database: Database, citizens: Citizens
) -> None:
    await database.decide(citizens.rates("an"))
    asks = [
        citizens.withdraws("an"),
        citizens.withdraws("an", message="again"),
        citizens.withdraws("an", kind=Withdrawal.VOIDED),
    ]
    assert told(await database.decide(*asks)) == {"an withdrawn": "citizen"}
    result = await database.decide(citizens.withdraws("an", message="later"), at=LATER)
    assert (result.outcomes, result.ignored) == ([], 1)


async def test_a_citizen_has_a_while_and_the_office_as_long_as_the_rating_is_known(
    database: Database, citizens: Citizens
) -> None:
    await database.decide(citizens.rates("an"), citizens.rates("ba"))
    end = NOON + WITHDRAWABLE
    late = citizens.withdraws("an", end + timedelta(microseconds=1))
    assert (await database.decide(late, at=LATER)).outcomes == []
    assert told(await database.decide(citizens.withdraws("ba", end))) == {"ba withdrawn": "citizen"}
    void = citizens.withdraws("an", end + timedelta(days=9), Withdrawal.VOIDED)
    assert told(await database.decide(void)) == {"an withdrawn": "voided"}


async def test_a_hidden_duplicate_is_withdrawn_for_its_citizen_and_told_to_nobody_else(
    database: Database, citizens: Citizens
) -> None:
    await database.decide(citizens.rates("an", phone="one"), citizens.rates("ba", phone="one"))
    result = await database.decide(citizens.withdraws("ba"))
    assert (result.outcomes, result.decided) == ([], [])
    duplicate = Rejected(RejectionReason.DUPLICATE, Assurance.CAPTCHA)
    assert database.stored[identity("ba")].state == Withdrawn(duplicate, Withdrawal.CITIZEN)


async def test_what_was_told_as_rejected_or_is_not_decided_stays_so(
    database: Database, citizens: Citizens
) -> None:
    by_phone = VerificationPolicy.CAPTCHA_AND_PHONE
    await database.decide(
        citizens.rates("wrong", check=ChallengeCheck.WRONG), citizens.rates("waits", by_phone)
    )
    before = dict(database.stored)
    asks = [citizens.withdraws(name) for name in ("wrong", "waits", "nobody")]
    assert (await database.decide(*asks)).outcomes == []
    assert database.stored == before
    await database.decide(citizens.enters("waits", CodeCheck.RIGHT))
    assert told(await database.decide(citizens.withdraws("waits"))) == {"waits withdrawn": "citizen"}


async def test_who_has_withdrawn_keeps_the_slot_so_nobody_rates_by_turns(
    database: Database, citizens: Citizens
) -> None:
    await database.decide(citizens.rates("an", phone="one"), citizens.withdraws("an"))
    assert told(await database.decide(citizens.rates("ba", phone="one"))) == {"ba": "duplicate"}


async def test_of_a_rating_from_before_there_were_withdrawals_nothing_is_told(
    database: Database, citizens: Citizens
) -> None:
    item = citizens.rates("an")
    await database.decide(item)
    stored = database.stored[identity("an")]
    database.stored[identity("an")] = type(stored)(stored.state, stored.decided_at, stored.source)
    assert (await database.decide(citizens.withdraws("an"))).outcomes == []
    assert (await database.decide(item)).outcomes == [outcome_message(rated(item), ACCEPTED, NOON)]
