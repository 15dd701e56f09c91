"""A trial of scaling is red for a worker that did nothing, not only for what the checker finds."""

import random
from pathlib import Path

import pytest
import yaml

from faults.planning import WITHOUT_CODES, Planner
from faults.scaling import Order, report
from faults.scaling.compose import FILES
from faults.scaling.running import Results

COUNTS = {"posted": 9, "kept": 9, "outcomes": 9, "deliveries": 9, "submissions": 9, "aborted": 0}


def results(**work: int) -> Results:
    return Results(Order(Path("trial")), work=work, check={"wrong": {}, "counts": COUNTS})


def test_a_trial_in_which_all_took_part_and_nothing_is_wrong_is_green() -> None:
    assert results(first=5, second=4).red == []


def test_a_worker_that_did_nothing_was_not_scaled_to() -> None:
    assert results(first=9, second=0).red == ["second did no work"]


@pytest.mark.parametrize("wrong", ["lost", "doubled"])
def test_what_the_checker_finds_is_red(wrong: str) -> None:
    found = results(first=9)
    found.check["wrong"] = {wrong: 1}
    assert found.red == [f"the checker: 1 {wrong}"]
    assert f"- the checker: 1 {wrong}" in report.markdown(found)


def test_a_trial_asks_for_no_text_message() -> None:
    planner = Planner(random.Random(1), WITHOUT_CODES)
    assert not any(planned.asks_code for _ in range(500) for planned in planner.draw())


def test_a_trial_adds_to_services_that_there_are() -> None:
    system, trial = (yaml.safe_load(path.read_text("utf-8")) for path in FILES)
    assert trial["services"].keys() <= system["services"].keys()
    for service in trial["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
