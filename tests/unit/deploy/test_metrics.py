"""Metrics: none is missing in the catalogue, and nothing asks for one that is not."""

import json
import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

from deploy.local.layout import CHECKOUT
from deploy.prometheus.objectives import OBJECTIVES, VISIBLE_SECONDS
from deploy.reference.metrics import OF_THE_CLIENT, catalogue, series
from portal import bootstrap as portal
from services.aggregation import bootstrap as aggregation
from services.intake import bootstrap as intake
from services.verification import bootstrap as verification

PROMETHEUS = CHECKOUT / "deploy" / "prometheus"
PROGRAMS = (intake, verification, aggregation, portal)
OF_PROMETHEUS = {"up"}
_WORDS = {"by", "on", "or", "and", "unless", "group_left", "for", "le"}


def test_every_metric_that_a_program_defines_is_in_the_catalogue() -> None:
    ours = {each.__name__.partition(".")[0] for each in PROGRAMS} | {"chassis"}
    defined = {
        family.name
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in ours
        for value in vars(module).values()
        if isinstance(value, MetricWrapperBase)
        for family in value.describe()
    }
    listed = {
        metric.name.removesuffix("_total")
        for who, metrics in catalogue().items()
        if who != OF_THE_CLIENT
        for metric in metrics
    }
    assert {name.removesuffix("_total") for name in defined} == listed


def test_every_metric_has_a_meaning_and_is_defined_once() -> None:
    found = [metric for metrics in catalogue().values() for metric in metrics]
    assert all(metric.meaning for metric in found)
    assert len({metric.name for metric in found}) == len(found)


def metrics_in(expression: str) -> set[str]:
    """The names of metrics in a PromQL expression: what is neither a label, nor a function, nor a word."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\b(?:by|on|group_left)\s*\([^)]*\)", " ", expression)
    return {
        name
        for name in re.findall(r"[a-z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])", bare)
        if name not in _WORDS
    }


def rules(name: str) -> Iterator[dict[str, Any]]:
    for group in yaml.safe_load((PROMETHEUS / name).read_text())["groups"]:
        yield from group["rules"]


def recorded() -> set[str]:
    return {rule["record"] for rule in rules("objectives.yaml")}


def panels() -> Iterator[dict[str, Any]]:
    dashboard = json.loads((CHECKOUT / "deploy" / "grafana" / "hai-long.json").read_text())
    return (panel for panel in dashboard["panels"] if panel["type"] != "row")


def test_names_are_found_in_expressions() -> None:
    found = metrics_in(
        'sum by (job) (rate(a_total{b="c_total"}[5m]) or d:e_f) > on (x_y) group_left () g_bucket / vector(0)'
    )
    assert found == {"a_total", "d:e_f", "g_bucket"}


@pytest.mark.parametrize("name", ["objectives.yaml", "alerts.yaml"])
def test_rules_ask_for_nothing_that_no_program_tells(name: str) -> None:
    asked = set().union(*(metrics_in(rule["expr"]) for rule in rules(name)))
    assert asked - series() - recorded() - OF_PROMETHEUS == set()


def test_the_dashboard_asks_for_nothing_that_no_program_tells() -> None:
    asked = {metric for panel in panels() for each in panel["targets"] for metric in metrics_in(each["expr"])}
    assert asked - series() - recorded() == set()
    assert len(asked) > 30


def test_the_dashboard_s_panels_lie_beside_each_other() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels():
        at = panel["gridPos"]
        for place in (
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        ):
            assert place not in taken, f"{panel['title']} lies on {taken[place]}"
            taken[place] = panel["title"]
    assert max(x for x, _ in taken) < 24


def alerts() -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules("alerts.yaml")}


def test_each_alert_is_tried_both_ways_says_how_urgent_it_is_and_names_a_page() -> None:
    tests = yaml.safe_load((PROMETHEUS / "alerts_test.yaml").read_text())["tests"]
    tried = {
        (each["alertname"], bool(each["exp_alerts"])) for test in tests for each in test["alert_rule_test"]
    }
    assert tried == {(name, fires) for name in alerts() for fires in (True, False)}
    for rule in alerts().values():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert (CHECKOUT / rule["annotations"]["runbook"]).is_file()


def test_the_page_of_objectives_says_what_is_computed() -> None:
    page = (CHECKOUT / "docs" / "slo.md").read_text()
    for each in OBJECTIVES:
        assert f"| {each.name} | {100 * (1 - each.budget):g} % |" in page
    assert f"{VISIBLE_SECONDS:g} seconds" in page
    for name in alerts():
        assert f"`{name}`" in page, "what to do when it fires"


@pytest.mark.parametrize("name", [name for name in alerts() if "increase(" in alerts()[name]["expr"]])
def test_what_an_alert_counts_is_there_before_the_first(name: str) -> None:
    for metric in metrics_in(alerts()[name]["expr"]):
        [family] = [each for each in REGISTRY.collect() if f"{each.name}_total" == metric]
        assert [sample for sample in family.samples if sample.name == metric]
