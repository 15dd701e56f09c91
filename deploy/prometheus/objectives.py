"""The objectives, and the Prometheus rules that say how much of each is missed: objectives.yaml.

Windows and thresholds of the alerts on them (alerts.yaml) are those of "The Site Reliability Workbook",
chapter 5, for objectives over 30 days.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from deploy.local.layout import CHECKOUT

FILE = CHECKOUT / "deploy" / "prometheus" / "objectives.yaml"
WINDOWS = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
VISIBLE_SECONDS = 5.0
_OF_OPERATORS = "/healthz|/readyz|/metrics"
_HEAD = """\
# How much of each objective is missed, over each window. Generated from objectives.py by `make reference`.
groups:
  - name: objectives
    rules:
"""


@dataclass(frozen=True, slots=True)
class Objective:
    """`bad` and `all`: rates of events, in PromQL where %s is the window. `budget`: what share may be bad."""

    name: str
    budget: float
    bad: str
    all: str


_REQUESTS = f'rate(http_requests_total{{route!~"{_OF_OPERATORS}"}}[%s])'
_FAILED = f'rate(http_requests_total{{status=~"5..",route!~"{_OF_OPERATORS}"}}[%s])'
_SHED = "rate(http_requests_shed_total[%s])"
_BURIED = "rate(verification_dead_letters_total[%s]) or rate(aggregation_dead_letters_total[%s])"
_COUNTED = 'sum(rate(aggregation_outcome_age_seconds_count{phone_code="false"}[%s]))'
_IN_TIME = (
    f'sum(rate(aggregation_outcome_age_seconds_bucket{{phone_code="false",le="{VISIBLE_SECONDS}"}}[%s]))'
)

OBJECTIVES = (
    Objective(
        "kept",
        budget=0.0001,
        bad=f"sum({_BURIED})",
        all=f"sum(rate(verification_decisions_total[%s]) or {_BURIED})",
    ),
    Objective("visible", budget=0.01, bad=f"{_COUNTED} - {_IN_TIME}", all=_COUNTED),
    Objective(
        "available",
        budget=0.001,
        bad=f"sum by (job) ({_FAILED} or {_SHED})",
        all=f"sum by (job) ({_REQUESTS} or {_SHED})",
    ),
)


def rules() -> str:
    return _HEAD + "".join(_rules())


def _rules() -> Iterator[str]:
    for each in OBJECTIVES:
        yield _rule("objective:error_budget", each.name, f"vector({each.budget})")
        for window in WINDOWS:
            bad, of = (expression.replace("%s", window) for expression in (each.bad, each.all))
            yield _rule(f"objective:errors:ratio_rate{window}", each.name, f"({bad}) / ({of})")


def _rule(record: str, objective: str, expression: str) -> str:
    return (
        f"      - record: {record}\n        expr: '{expression}'\n"
        f"        labels: {{objective: {objective}}}\n"
    )
