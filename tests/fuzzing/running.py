"""Fuzz a service by its OpenAPI document, with Schemathesis: each answer must be one that is documented."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext
from schemathesis.config import (
    ChecksConfig,
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    FuzzingPhaseConfig,
    GenerationConfig,
    HealthCheck,
    NotAServerErrorConfig,
    PhasesConfig,
    PositiveDataAcceptanceConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
    StatefulPhaseConfig,
)
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.engine.statistic import Statistic
from schemathesis.hooks import unregister

from tests.fuzzing.documents import Document, operations

CHECKS = ChecksConfig(
    not_a_server_error=NotAServerErrorConfig(expected_statuses=["2xx", "3xx", "4xx", "503"]),
    # A well-formed request may name what there is not, come too late, or too often.
    positive_data_acceptance=PositiveDataAcceptanceConfig(
        expected_statuses=["2xx", "3xx", "401", "403", "404", "409", "410", "422", "429", "503"]
    ),
)
ANSWER_SECONDS = 30
LONGEST_WAIT, MOST_WAITED = 0.05, 25
STATEFUL_SHARE = 5
"""One sequence of calls for so many single ones."""
STEPS, OFTEN_GONE = 6, 3
"""A sequence has at most so many steps, and on average so many."""

Prepare = Callable[[Case[Any]], None]


@dataclass
class Fuzzed:
    """What one service was asked, and what it answered."""

    name: str
    seed: int
    cases: int = 0
    sequences: int = 0
    seconds: float = 0.0
    operations: int = 0
    checks: int = 0
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def fuzz(
    name: str,
    document: Document,
    *,
    cases: int,
    seed: int,
    seconds: float,
    alone: bool = True,
    prepare: Prepare = lambda _: None,
    told: Callable[[int], None] = lambda _: None,
) -> Fuzzed:
    """Try about so many cases; `told` hears how many were tried so far.

    The same seed and document draw the same requests, but for what earlier answers put into them. Without
    `alone` there are only sequences, along the document's links. `prepare` may change a request before it is
    sent. What could not be tried, and not being done within `seconds`, are failures too.
    """
    result, found, started = Fuzzed(name, seed), Statistic(), time.monotonic()
    schema = schemathesis.openapi.from_dict(document, config=_config(document, cases, seed, alone=alone))
    with _before_each_call(prepare):
        stream = from_schema(schema).execute()
        for event in stream:
            match event:
                case events.ScenarioFinished():
                    found.on_scenario_finished(event.recorder)
                    _count(result, event)
                    told(result.cases)
                    if time.monotonic() - started > seconds:
                        stream.stop()
                case events.NonFatalError():
                    result.failures.append(f"{event.label}: {event.info.title} {event.info.message}")
                case events.FatalError():
                    raise event.exception
                case events.EngineFinished() if event.stop_reason is not StopReason.COMPLETED:
                    result.failures.append(
                        f"{name} is not done after {seconds:g} s: {event.stop_reason.value}"
                    )
    result.operations, result.seconds = len(found.tested_operations), time.monotonic() - started
    result.failures += _told(found)
    return result


def _count(result: Fuzzed, event: events.ScenarioFinished) -> None:
    recorder = event.recorder
    result.cases += len(recorder.cases)
    result.sequences += any(node.parent_id for node in recorder.cases.values())
    result.checks += sum(len(checks) for checks in recorder.checks.values())
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is not None:
            label = recorder.cases[case_id].value.operation.label
            result.answers[label, interaction.response.status_code] += 1


def _told(found: Statistic) -> list[str]:
    """Each kind of failure once, with the request that showed it."""
    return [
        f"{label}: {failure.title}\n{failure.message}\n{group.code_sample}"
        for label, groups in found.failures.items()
        for group in groups.values()
        for failure in group.failures
    ]


@contextmanager
def _before_each_call(prepare: Prepare) -> Iterator[None]:
    @schemathesis.hook
    def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
        del context, kwargs
        _wait_less(case)
        prepare(case)

    try:
        yield
    finally:
        unregister(before_call)


def _wait_less(case: Case[Any]) -> None:
    """A long poll waits as long as it is asked to; thousands of them would wait for hours."""
    query = case.query or {}
    with suppress(TypeError, ValueError, OverflowError):
        if LONGEST_WAIT < float(query.get("wait", 0)) <= MOST_WAITED:
            case.query["wait"] = LONGEST_WAIT


def _config(document: Document, cases: int, seed: int, *, alone: bool) -> SchemathesisConfig:
    each = math.ceil(cases / operations(document))
    sequences = math.ceil(each / STATEFUL_SHARE) if alone else math.ceil(cases / OFTEN_GONE)

    # Along the way requests are well formed: a sequence would end at the first that is not.
    modes = list(GenerationMode) if alone else [GenerationMode.POSITIVE]

    def draw(most: int | None = None) -> GenerationConfig:
        return GenerationConfig(modes=modes, max_examples=most, database="none", no_shrink=True)

    phases = PhasesConfig(
        examples=ExamplesPhaseConfig(enabled=alone),
        coverage=CoveragePhaseConfig(enabled=alone, generate_duplicate_query_parameters=True),
        fuzzing=FuzzingPhaseConfig(enabled=alone, generation=draw(each)),
        stateful=StatefulPhaseConfig(generation=draw(sequences), max_steps=STEPS),
    )
    project = ProjectConfig(
        checks=CHECKS,
        continue_on_failure=True,
        generation=draw(),
        max_stream_events=2,  # of a live stream, which has no end
        phases=phases,
        request_timeout=ANSWER_SECONDS,
    )
    return SchemathesisConfig(
        seed=seed, projects=ProjectsConfig(default=project), suppress_health_check=[HealthCheck.all]
    )
