"""The checker sees what is missing, what is there twice, and what should not be there."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from faults.checking.decisions import Decisions, check_decisions
from faults.checking.figures import FOREVER, Model, check_model, fold, fold_scales, release
from faults.checking.findings import SHOWN, Findings, Wrong
from faults.checking.ledger import Ledger, Posted
from faults.checking.reading import Record, Topic
from faults.checking.submissions import check_outcomes, match

AT = "2026-11-24T03:00:00Z"
LATER = datetime(2026, 11, 24, 4, tzinfo=UTC)


def posted(number: int, **changes: Any) -> Posted:
    body = {
        "edition_id": changes.pop("edition", "faults-captcha"),
        "officer_id": changes.pop("officer", f"officer-{number}"),
        "answer": "satisfied",
        "reasons": [],
        "channel": "web",
        "challenge": {"id": changes.pop("challenge", f"challenge-{number}"), "answer": "1"},
    }
    facts: dict[str, Any] = {
        "kind": "plain",
        "key": f"key-{number}",
        "right": True,
        "phone": f"90{number:07d}",
    }
    facts |= {"unit_id": "unit", "group_id": "group", "body": body, "challenge_expires_at": LATER}
    return Posted(number, rating_ids={f"rating-{number}"}, **{**facts, **changes})


class World:
    """A ledger and a log that agree, until a test changes one of them."""

    def __init__(self, *ratings: Posted) -> None:
        self.ledger = Ledger({rating.number: rating for rating in ratings})
        self.submitted: list[Record] = []
        self.outcomes: list[Record] = []

    def submit(self, rating: Posted, submission: str = "", rating_id: str = "") -> None:
        rating_id = rating_id or f"rating-{rating.number}"
        data = {
            **rating.body,
            "rating_id": rating_id,
            "unit_id": "unit",
            "group_id": "group",
            "submitted_at": AT,
        }
        headers = {"ce_type": "x.rating-submitted.v1", "ce_id": submission or f"submission-{rating.number}"}
        self.submitted.append(Record("rating-submissions", 0, len(self.submitted), rating_id, headers, data))

    def decide(self, rating: Posted, verdict: str = "accepted", submission: str = "") -> None:
        copied = {name: rating.body[name] for name in ("edition_id", "officer_id", "channel")}
        data = {**copied, "unit_id": "unit", "group_id": "group", "submitted_at": AT}
        data["decided_at"] = LATER.isoformat()
        data["submission_id"] = submission or f"submission-{rating.number}"
        kind = "rating-accepted" if verdict == "accepted" else "rating-rejected"
        if verdict == "accepted":
            data |= {
                "answer": rating.body["answer"],
                "reasons": rating.body["reasons"],
                "assurance": "captcha",
                "scale_answers": [{"scale": "nine", "question": "time", "choice": "2"}],
            }
        else:
            data["reason"] = verdict
        self.outcomes.append(
            Record(
                "rating-outcomes", 0, len(self.outcomes), "", {"ce_type": f"x.{kind}.v1", "ce_id": "o"}, data
            )
        )

    def withdraw(self, rating: Posted, kind: str = "citizen") -> None:
        accepted = next(
            each for each in self.outcomes if each.data["submission_id"].endswith(f"-{rating.number}")
        )
        data = {**accepted.data, "kind": kind, "accepted_at": LATER.isoformat()}
        headers = {"ce_type": "x.rating-withdrawn.v1", "ce_id": "w"}
        self.outcomes.append(Record("rating-outcomes", 0, len(self.outcomes), "", headers, data))

    def found(self, waiting: set[str] | None = None) -> set[Wrong]:
        findings = Findings()
        submissions = match(self.ledger, topic(self.submitted), topic(self.outcomes), findings)
        check_outcomes(submissions, waiting or set(), findings)
        return set(findings.counts)


def topic(records: list[Record]) -> Topic:
    return Topic(records, {0: len(records)}, {0: len(records)})


def test_what_agrees_is_found_right() -> None:
    first, second = posted(1), posted(2, right=False)
    world = World(first, second)
    for rating, verdict in ((first, "accepted"), (second, "challenge_wrong")):
        world.submit(rating)
        world.submit(rating)  # delivered again
        world.decide(rating, verdict)
    assert world.found() == set()


def test_a_202_without_submission_is_lost() -> None:
    assert World(posted(1)).found() == {Wrong.LOST}


def test_a_submission_without_outcome_is_lost() -> None:
    world = World(posted(1))
    world.submit(posted(1))
    assert world.found() == {Wrong.LOST}


def test_a_rating_that_awaits_its_code_has_time() -> None:
    rating = posted(1, edition="faults-both")
    world = World(rating)
    world.submit(rating)
    assert world.found(waiting={"submission-1"}) == set()
    rating.right_code = True
    assert world.found(waiting={"submission-1"}) == {Wrong.LOST}


def test_an_unknown_rating_may_be_there_or_not() -> None:
    rating = posted(1)
    rating.rating_ids.clear()
    world = World(rating)
    assert world.found() == set()
    world.submit(rating)
    world.decide(rating)
    assert world.found() == set()


def test_two_outcomes_are_doubled() -> None:
    world = World(posted(1))
    world.submit(posted(1))
    world.decide(posted(1))
    world.decide(posted(1))
    assert world.found() == {Wrong.DOUBLED}


@pytest.mark.parametrize(
    ("asked", "times", "wrong"),
    [
        (True, 1, set()),
        (None, 1, set()),
        (None, 0, set()),
        (False, 0, set()),
        (True, 0, {Wrong.LOST}),
        (False, 1, {Wrong.CHANGED}),
        (True, 2, {Wrong.DOUBLED}),
    ],
)
def test_a_rating_is_withdrawn_once_if_that_was_asked_for(
    asked: bool | None, times: int, wrong: set[Wrong]
) -> None:
    rating = posted(1, withdrawn=asked)
    world = World(rating)
    world.submit(rating)
    world.decide(rating)
    for _ in range(times):
        world.withdraw(rating)
    assert world.found() == wrong


def test_a_withdrawal_by_another_or_of_what_was_rejected_is_changed() -> None:
    for verdict, kind in (("accepted", "voided"), ("duplicate", "citizen")):
        rating = posted(1, withdrawn=True)
        world = World(rating)
        world.submit(rating)
        world.decide(rating, verdict)
        if verdict != "accepted":
            world.outcomes[0].data.update(answer="satisfied", reasons=[])
        world.withdraw(rating, kind)
        assert Wrong.CHANGED in world.found()


def test_two_submissions_of_one_rating_are_doubled() -> None:
    world = World(posted(1))
    world.submit(posted(1))
    world.submit(posted(1), submission="other", rating_id="other")
    world.decide(posted(1))
    world.decide(posted(1), submission="other")
    assert Wrong.DOUBLED in world.found()


def test_what_nobody_posted_is_a_phantom() -> None:
    world = World()
    world.submit(posted(1))
    assert world.found() == {Wrong.PHANTOM}
    world = World()
    world.decide(posted(1))
    assert world.found() == {Wrong.PHANTOM}


@pytest.mark.parametrize(
    ("shared", "loses"),
    [
        ({"challenge": "same"}, "challenge_used"),
        ({"key": "same"}, "idempotency_key_reused"),
        ({"phone": "901234567", "officer": "same"}, "duplicate"),
    ],
)
def test_of_two_that_share_something_exactly_one_gets_past(shared: dict[str, str], loses: str) -> None:
    ratings = posted(1, **shared), posted(2, **shared)
    wanted = {
        ("accepted", loses): set(),
        (loses, "accepted"): set(),
        ("accepted", "accepted"): {Wrong.DOUBLED},
        (loses, loses): {Wrong.CHANGED},
    }
    for verdicts, found in wanted.items():
        world = World(*ratings)
        for rating, verdict in zip(ratings, verdicts, strict=True):
            world.submit(rating)
            world.decide(rating, verdict)
        assert world.found() == found, verdicts


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"right": False}, "accepted"),
        ({}, "challenge_wrong"),
        ({}, "expired"),
        ({"edition": "faults-phone", "right_code": False}, "accepted"),
        ({"edition": "faults-phone", "right_code": True}, "expired"),
        ({"edition": "faults-phone", "right_code": False, "wrong_codes": 5}, "expired"),
    ],
)
def test_an_outcome_that_should_not_be_is_changed(changes: dict[str, Any], verdict: str) -> None:
    rating = posted(1, **changes)
    world = World(rating)
    world.submit(rating)
    world.decide(rating, verdict)
    assert world.found() == {Wrong.CHANGED}


def test_another_answer_on_the_way_is_changed() -> None:
    world = World(posted(1))
    world.submit(posted(1))
    world.decide(posted(1))
    world.outcomes[0].data["answer"] = "not_satisfied"
    assert world.found() == {Wrong.CHANGED}


@pytest.mark.parametrize(
    "place", [{"key": "secret-1"}, {"headers": {"ce_x": "secret1"}}, {"data": {"note": "a secret-1"}}]
)
def test_an_outcome_that_carries_what_leads_to_a_person_is_a_leak(place: dict[str, Any]) -> None:
    world = World(posted(1))
    world.submit(posted(1))
    world.submitted[0].data["phone_pseudonym"] = "secret-1"
    world.decide(posted(1))
    assert world.found() == set()
    outcome = world.outcomes[0]
    for name in ("headers", "data"):
        getattr(outcome, name).update(place.get(name, {}))
    world.outcomes[0] = replace(outcome, key=place.get("key", ""))
    assert world.found() == {Wrong.LEAK}


def test_an_outcome_told_again_with_another_moment_is_changed() -> None:
    rating = posted(1, edition="faults-phone")
    world = World(rating)
    world.submit(rating)
    world.decide(rating)
    submissions = match(world.ledger, topic(world.submitted), topic(world.outcomes), Findings())
    for at, wrong in ((LATER, set()), (LATER + timedelta(microseconds=1), {Wrong.CHANGED})):
        findings = Findings()
        stored = Decisions({"submission-1": "accepted"}, {"submission-1": at}, {}, set())
        check_decisions(stored, submissions, findings)
        assert set(findings.counts) == wrong


def test_examples_of_one_sort_do_not_hide_those_of_another() -> None:
    findings = Findings()
    for _ in range(SHOWN + 1):
        findings.add(Wrong.LEAK, "one", of="one")
    findings.add(Wrong.LEAK, "other", of="other")
    assert findings.examples == {Wrong.LEAK: ["one"] * SHOWN + ["other"]}
    assert findings.counts[Wrong.LEAK] == SHOWN + 2


BATCHES = {"faults-captcha": 2}


def folded(count: int) -> tuple[Topic, Model]:
    world = World()
    for number in range(count):
        world.decide(posted(number, officer="officer"), "accepted" if number % 2 else "challenge_wrong")
    outcomes = topic(world.outcomes)
    tallies, counted, parents = fold(world.outcomes)
    released = release(world.outcomes, BATCHES)
    scales = dict(fold_scales(world.outcomes))
    return outcomes, Model({0: count}, dict(tallies), dict(released), counted, parents, scales)


def test_a_model_that_is_the_fold_is_right_and_any_counter_off_is_not() -> None:
    outcomes, model = folded(4)
    findings = Findings()
    check_model(model, outcomes, BATCHES, findings, name="model")
    assert findings.none
    assert model.tallies["city", "city", FOREVER, "*", "answer", "satisfied"] == 2
    assert (
        model.tallies["unit", "unit", date(2026, 11, 24), "faults-captcha", "rejection", "challenge_wrong"]
        == 2
    )
    answer = ("unit", "faults-captcha", "nine", "time", "2")
    assert model.scales == {answer: 2}
    findings = Findings()
    check_model(replace(model, scales={answer: 3}), outcomes, BATCHES, findings, name="model")
    assert set(findings.counts) == {Wrong.FIGURES}
    for row in model.tallies:
        findings = Findings()
        other = replace(model, tallies={**model.tallies, row: 3})
        check_model(other, outcomes, BATCHES, findings, name="model")
        assert set(findings.counts) == {Wrong.FIGURES}, row


def test_what_is_released_is_reckoned_from_the_log_batch_by_batch() -> None:
    outcomes, model = folded(7)  # of which the second, fourth and sixth count
    row = ("officer", "officer", FOREVER, "faults-captcha", "answer", "satisfied")
    assert model.released[row] == 2, "the third waits for a fourth"
    for wrong in (1, 3):
        findings = Findings()
        other = replace(model, released={**model.released, row: wrong})
        check_model(other, outcomes, BATCHES, findings, name="model")
        assert set(findings.counts) == {Wrong.FIGURES}


def test_what_waits_from_an_earlier_day_is_released_before_what_is_decided_later() -> None:
    world = World()
    for number in range(3):
        world.decide(posted(number, officer="officer"), "accepted")
    early = world.outcomes[:]
    assert release(early, {"faults-captcha": 5}) == {}
    world.decide(posted(3, officer="officer"), "accepted")
    world.outcomes[-1].data["decided_at"] = "2026-11-30T09:00:00+00:00"
    released = release(world.outcomes, {"faults-captcha": 5})
    assert released["officer", "officer", FOREVER, "faults-captcha", "answer", "satisfied"] == 3


def test_a_withdrawal_takes_one_away_once_and_waits_with_the_ratings_around_it() -> None:
    world = World()
    ratings = [posted(number, officer="officer") for number in range(3)]
    for each in ratings:
        world.decide(each)
    world.withdraw(ratings[0])
    world.withdraw(ratings[0])
    row = ("officer", "officer", FOREVER, "faults-captcha", "answer", "satisfied")
    tallies, counted, _ = fold(world.outcomes)
    assert tallies[row] == 2
    assert len(counted) == 4
    assert release(world.outcomes, {"faults-captcha": 3})[row] == 3, "released, and one waits to leave"
    for each in ratings[1:]:
        world.withdraw(each)
    assert release(world.outcomes, {"faults-captcha": 3})[row] == 0


def test_a_checkpoint_past_the_end_is_found_and_one_behind_has_lost_something() -> None:
    outcomes, model = folded(4)
    for checkpoint, wrong in ((5, Wrong.CHECKPOINT), (3, Wrong.LOST)):
        findings = Findings()
        check_model(replace(model, checkpoints={0: checkpoint}), outcomes, BATCHES, findings, name="m")
        assert wrong in findings.counts
