"""Batches: who is first, what is stored and told, and what is told again."""

from datetime import timedelta

import pytest

from contracts.events import (
    Assurance,
    RejectionReason,
)
from services.verification.deciding import Result
from services.verification.domain.outcomes import outcome_message
from services.verification.domain.ratings import (
    Accepted,
    ChallengeCheck,
    Claim,
    Rejected,
)
from services.verification.ports import Source
from tests.unit.verification.batch_world import PARTITION, Citizens, Database, identity, rated, told
from tests.unit.verification.scenario import NOON

LATER = NOON + timedelta(minutes=1)
ACCEPTED = Accepted(Assurance.CAPTCHA)
DUPLICATE = Rejected(RejectionReason.DUPLICATE, Assurance.CAPTCHA)


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def citizens() -> Citizens:
    return Citizens()


async def test_a_decision_is_stored_with_the_message_it_came_from_and_told(
    database: Database, citizens: Citizens
) -> None:
    item = citizens.rates("an")
    result = await database.decide(item)
    assert result.outcomes == [outcome_message(rated(item), ACCEPTED, NOON)]
    assert result.decided == [ACCEPTED]
    stored = database.stored[identity("an")]
    assert (stored.state, stored.source, stored.decided_at) == (ACCEPTED, Source(PARTITION, 0), NOON)
    assert database.submissions == {identity("an"): item.event_id}


async def test_a_batch_takes_one_statement_a_kind_of_claim_however_long_it_is(
    database: Database, citizens: Citizens
) -> None:
    await database.decide(*(citizens.rates(name) for name in ("an", "ba", "chi")))
    assert database.statements == [
        "ratings",
        "claim IDEMPOTENCY_TOKEN 3",
        "claim CHALLENGE 3",
        "claim SLOT 3",
        "add 3",
    ]


async def test_an_empty_batch_stores_and_tells_nothing(database: Database) -> None:
    assert await database.decide() == Result()
    assert database.statements == ["ratings"]


async def test_of_two_ratings_with_one_phone_the_earlier_message_counts(
    database: Database, citizens: Citizens
) -> None:
    result = await database.decide(citizens.rates("an", phone="p"), citizens.rates("ba", phone="p"))
    assert told(result) == {"an": "accepted", "ba": "duplicate"}
    assert result.decided == [ACCEPTED, DUPLICATE]


async def test_a_slot_taken_in_an_earlier_batch_stays_taken(database: Database, citizens: Citizens) -> None:
    await database.decide(citizens.rates("an", phone="p"))
    assert told(await database.decide(citizens.rates("ba", phone="p"))) == {"ba": "duplicate"}


async def test_a_rating_that_is_rejected_leaves_the_slot_to_the_next(
    database: Database, citizens: Citizens
) -> None:
    wrong = citizens.rates("an", phone="p", check=ChallengeCheck.WRONG)
    result = await database.decide(wrong, citizens.rates("ba", phone="p"))
    assert told(result) == {"an": "challenge_wrong", "ba": "accepted"}


async def test_of_two_ratings_under_one_idempotency_key_the_later_is_refused_and_burns_no_challenge(
    database: Database, citizens: Citizens
) -> None:
    result = await database.decide(citizens.rates("an", key="k"), citizens.rates("ba", key="k"))
    assert told(result) == {"an": "accepted", "ba": "idempotency_key_reused"}
    assert database.statements[1:4] == ["claim IDEMPOTENCY_TOKEN 1", "claim CHALLENGE 1", "claim SLOT 1"]


async def test_a_challenge_is_used_by_the_earlier_of_two_even_if_its_answer_was_wrong(
    database: Database, citizens: Citizens
) -> None:
    wrong = citizens.rates("an", challenge="c", check=ChallengeCheck.WRONG)
    result = await database.decide(wrong, citizens.rates("ba", challenge="c"))
    assert told(result) == {"an": "challenge_wrong", "ba": "challenge_used"}


async def test_a_message_that_comes_again_is_told_as_it_was_then(
    database: Database, citizens: Citizens
) -> None:
    item = citizens.rates("an")
    first = await database.decide(item)
    again = await database.decide(item, at=LATER)
    assert again == Result(outcomes=first.outcomes)
    assert database.statements == ["ratings"]
    assert database.stored[identity("an")].decided_at == NOON


async def test_the_same_rating_in_another_message_is_told_no_second_time(
    database: Database, citizens: Citizens
) -> None:
    result = await database.decide(citizens.rates("an"), citizens.rates("an", message="retry"))
    assert (told(result), result.ignored) == ({"an": "accepted"}, 1)
    result = await database.decide(citizens.rates("an", message="another retry"))
    assert (told(result), result.ignored) == ({}, 1)
    assert database.submissions == {identity("an"): identity("submission", "an")}


async def test_outcomes_come_in_the_order_of_the_messages_old_ones_among_new(
    database: Database, citizens: Citizens
) -> None:
    an, ba, chi = (citizens.rates(name) for name in ("an", "ba", "chi"))
    await database.decide(ba)
    result = await database.decide(an, ba, chi, citizens.rates("dung", check=ChallengeCheck.INVALID))
    assert list(told(result)) == ["an", "ba", "chi", "dung"]
    assert len(result.decided) == 3


async def test_what_an_attempt_that_was_rolled_back_had_claimed_is_claimed_anew(
    database: Database, citizens: Citizens
) -> None:
    item = citizens.rates("an")
    item.claims.update({Claim.IDEMPOTENCY_TOKEN: True, Claim.CHALLENGE: False})
    assert told(await database.decide(item)) == {"an": "accepted"}
    assert "claim IDEMPOTENCY_TOKEN 1" in database.statements
