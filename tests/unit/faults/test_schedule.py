"""What is broken, and when, follows from the seed."""

import pytest

from faults.mutations import MUTATIONS, Mutation
from faults.replicas import SERVICES
from faults.schedule import Act, deck, schedule


def test_the_same_seed_gives_the_same_schedule() -> None:
    assert schedule(200, 7) == schedule(200, 7)
    assert schedule(200, 7) != schedule(200, 8)


def test_every_kind_comes_before_long() -> None:
    kinds = {fault.kind for fault in deck()}
    assert {fault.kind for fault in schedule(len(kinds) + 10, 1)} == kinds


def test_a_longer_campaign_begins_like_a_shorter_one() -> None:
    assert schedule(100, 3)[:20] == schedule(20, 3)


def test_each_service_is_killed_ended_and_frozen() -> None:
    for service in SERVICES:
        acts = {fault.act for fault in deck() if fault.target == service.name}
        assert {Act.KILL, Act.TERM, Act.FREEZE} <= acts


def test_only_keeps_what_was_asked_for() -> None:
    found = schedule(30, 1, only="broker kill, postgres")
    assert {fault.kind for fault in found} >= {"broker kill", "postgres kill"}
    assert all("broker kill" in fault.kind or "postgres" in fault.kind for fault in found)
    with pytest.raises(ValueError, match="no kind of fault"):
        schedule(1, 1, only="earthquake")


def test_a_broker_goes_away_only_where_others_stay() -> None:
    assert "broker away" in {fault.kind for fault in schedule(200, 1, brokers=3)}
    assert "broker away" not in {fault.kind for fault in schedule(200, 1)}


def test_every_broker_of_three_has_its_turn() -> None:
    found = schedule(200, 1, brokers=3, only="broker kill")
    assert {fault.replica for fault in found} == {0, 1, 2}


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_faults_that_uncover_a_mutation_exist(mutation: Mutation) -> None:
    assert all(schedule(1, 1, only=each) for each in mutation.faults.split(","))
