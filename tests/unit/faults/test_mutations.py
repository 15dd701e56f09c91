"""Mutations fit the code as it is, and no other failure passes for one of them."""

import json
from pathlib import Path

import pytest

from deploy.local.layout import CHECKOUT
from faults.mutations import FAILURE, MUTATIONS, Mutation
from faults.schedule import schedule
from faults.selftest import Report, Trial, Unfit, changed, cycles, planned, run

SEED = 7


@pytest.mark.parametrize("trial", planned(), ids=lambda trial: trial.name)
def test_each_trial_changes_code_that_still_compiles(trial: Trial) -> None:
    texts = changed(trial.name, trial.changes)
    assert texts.keys() == {file for file, _, _ in trial.changes}
    for file, text in texts.items():
        assert text != (CHECKOUT / file).read_text(encoding="utf-8")
        compile(text, file, "exec")


@pytest.mark.parametrize("before", ["what was there once", '": '])
def test_a_mutation_that_no_longer_fits_says_so_before_any_campaign(before: str, tmp_path: Path) -> None:
    old = Mutation("old", "", (("chassis/kafka.py", before, ""),), "term intake", "lost", "no outcome")
    trials = [Trial("control", (), ("term intake",)), Trial("old", (old,), ("term intake",))]
    begun: list[Trial] = []
    with pytest.raises(Unfit, match=r"old: chassis/kafka\.py"):
        next(run(trials, tmp_path, tmp_path, SEED, begun.append))
    assert not begun


def test_the_controls_meet_every_fault_that_a_mutation_meets_and_come_first() -> None:
    trials = planned()
    controls = [trial for trial in trials if not trial.mutations]
    assert trials[: len(controls)] == controls
    for trial in trials:
        (control,) = [control for control in controls if control.setup == trial.setup]
        assert set(trial.faults) <= set(control.faults)
    assert sum(len(trial.mutations) for trial in trials) == len(MUTATIONS)


@pytest.mark.parametrize("trial", planned(), ids=lambda trial: trial.name)
def test_each_fault_of_a_trial_is_met(trial: Trial) -> None:
    found = schedule(cycles(trial.faults, SEED), SEED, only=",".join(trial.faults))
    assert {fault.kind for fault in found} == set(trial.faults)


def test_names_are_unique_and_a_group_shares_its_setup() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
    for trial in planned():
        assert {mutation.setup for mutation in trial.mutations} <= {trial.setup}


def report(folder: Path, red: list[str], examples: dict[str, list[str]]) -> Report:
    content = {"red": red, "checks": [{"examples": examples}]}
    (folder / "report.json").write_text(json.dumps(content), encoding="utf-8")
    return Report.of(folder)


def test_a_mutation_is_seen_by_its_own_finding_alone(tmp_path: Path) -> None:
    mutation = Mutation("m", "", (), "term intake", "lost", "no outcome")
    assert report(tmp_path, ["1 lost"], {"lost": ["rating 1: no outcome"]}).shows(mutation)
    assert not report(tmp_path, ["1 lost"], {"lost": ["rating 1: 202, and no submission"]}).shows(mutation)
    assert not report(tmp_path, ["1 doubled"], {"doubled": ["rating 1: no outcome"]}).shows(mutation)
    assert not report(tmp_path, ["no outcome"], {}).shows(mutation)


def test_a_failure_of_the_campaign_is_seen_where_it_was_meant(tmp_path: Path) -> None:
    mutation = Mutation("m", "", (), "term intake", FAILURE, "no recovery")
    assert report(tmp_path, ["no recovery within 60 s"], {}).shows(mutation)
    assert not report(tmp_path, ["1 lost"], {"lost": ["no recovery"]}).shows(mutation)


def test_a_campaign_without_a_report_has_shown_nothing(tmp_path: Path) -> None:
    found = Report.of(tmp_path)
    assert found.red
    assert not any(found.shows(mutation) for mutation in MUTATIONS)
