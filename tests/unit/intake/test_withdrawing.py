"""A citizen withdraws by their receipt, which is on no event and in no log."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from contracts.events import RatingSubmitted, RatingWithdrawalRequested
from tests.support.intake import NOW
from tests.unit.intake.test_api import Intake, post


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(tmp_path / "keys")


async def test_the_receipt_of_a_rating_asks_for_its_withdrawal(intake: Intake) -> None:
    async with intake.client() as client, intake.client() as another_replica:
        taken = (await post(client)).json()
        answer = await another_replica.post("/v1/withdrawals", json={"receipt": taken["receipt"]})
    assert answer.status_code == 202
    assert answer.json()["rating_id"] == taken["rating_id"]
    assert answer.headers["location"] == f"http://v/v1/ratings/{taken['rating_id']}/outcome"
    submitted, asked = intake.events()
    assert asked.data == RatingWithdrawalRequested(rating_id=taken["rating_id"], requested_at=NOW)
    assert isinstance(submitted.data, RatingSubmitted)


async def test_a_rating_sent_again_has_the_same_receipt_and_a_receipt_sent_again_is_the_same_request(
    intake: Intake,
) -> None:
    async with intake.client() as client:
        first, again = (await post(client)).json(), (await post(client)).json()
        assert first["receipt"] == again["receipt"]
        spelt = (first["receipt"], first["receipt"].lower().replace("-", ""))
        answers = [await client.post("/v1/withdrawals", json={"receipt": each}) for each in spelt]
    assert answers[0].json() == answers[1].json()
    assert len({each.id for each in intake.events()[2:]}) == 1


async def test_what_is_no_receipt_is_refused_and_neither_kept_nor_repeated(intake: Intake) -> None:
    async with intake.client() as client:
        receipt = (await post(client)).json()["receipt"]
        other = "A" if receipt[0] != "A" else "C"
        for wrong in ("", "hello", other + receipt[1:], receipt[:-1]):
            answer = await client.post("/v1/withdrawals", json={"receipt": wrong})
            assert answer.status_code == 422
            (error,) = answer.json()["errors"]
            assert (error["pointer"], error["code"]) == ("/receipt", "receipt_unknown")
            assert not wrong or wrong not in answer.text
    assert len(intake.events()) == 1


async def test_who_tries_many_is_made_to_wait_and_may_still_send_one_that_was_taken(intake: Intake) -> None:
    intake.settings = {"limit_withdrawal_lone_block": 3}
    async with intake.client() as client:
        receipt = (await post(client)).json()["receipt"]
        assert (await client.post("/v1/withdrawals", json={"receipt": receipt})).status_code == 202
        tried = [await client.post("/v1/withdrawals", json={"receipt": f"wrong {n}"}) for n in range(4)]
        assert [each.status_code for each in tried] == [422, 422, 429, 429]
        assert tried[-1].headers["retry-after"]
        assert (await client.post("/v1/withdrawals", json={"receipt": receipt})).status_code == 202
        assert (await post(client, key="another-key-of-16")).status_code == 202, (
            "ratings have a limit of their own"
        )


async def test_the_receipt_is_on_no_event_and_in_no_log(intake: Intake) -> None:
    with capture_logs() as logged:
        async with intake.client() as client:
            receipt = (await post(client)).json()["receipt"]
            await client.post("/v1/withdrawals", json={"receipt": receipt})
    bare = receipt.replace("-", "")
    everything = "".join(
        str(part)
        for message in intake.log.messages["rating-submissions"]
        for part in (message.key, message.value, message.headers)
    )
    for where in (everything, str(logged)):
        assert receipt not in where
        assert bare not in where
    assert "rating_id" not in str(logged)
    assert str(intake.events()[1].data.model_dump()["rating_id"]) not in str(logged)


async def test_while_kafka_is_away_nothing_is_confirmed_and_it_may_be_sent_again(
    intake: Intake,
) -> None:
    async with intake.client() as client:
        receipt = (await post(client)).json()["receipt"]
        intake.log.away = True
        answer = await client.post("/v1/withdrawals", json={"receipt": receipt})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        intake.log.away = False
        assert (await client.post("/v1/withdrawals", json={"receipt": receipt})).status_code == 202
