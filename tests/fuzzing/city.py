"""Fuzz a whole running system: each service by itself, and the way that leads through all of them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from schemathesis import Case

from services.verification.challenges import Challenges, NotAChallenge
from tests.fuzzing.documents import TO_FILL_IN, described, the_whole_way
from tests.fuzzing.running import Fuzzed, Prepare, fuzz
from tests.support.system import OFFICER, System

SERVICES = ("intake", "verification", "aggregation")
THE_WHOLE_WAY = "the whole way"
WITH_A_CODE = "2017-phone"
RATING = {
    "officer_id": OFFICER,
    "answer": "satisfied",
    "reasons": [],
    "phone": "0905 123 456",
    "consent": True,
}

Told = Callable[[str, int], None]


def fuzz_all(system: System, *, cases: int, seed: int, seconds: float, told: Told) -> Iterator[Fuzzed]:
    """About so many cases at each service, and as many on the whole way; `system` has both editions."""
    documents = {service: described(system.url(service)) for service in SERVICES}
    for service, document in documents.items():
        yield fuzz(service, document, cases=cases, seed=seed, seconds=seconds, told=partial(told, service))
    yield fuzz(
        THE_WHOLE_WAY,
        the_whole_way(documents, ["2017", WITH_A_CODE], RATING),
        cases=cases,
        seed=seed,
        seconds=seconds,
        alone=False,
        prepare=_reading(system.challenges),
        told=partial(told, THE_WHOLE_WAY),
    )


def _reading(challenges: Challenges) -> Prepare:
    """Fill in what a person reads in the picture."""

    def prepare(case: Case[Any]) -> None:
        body: Any = case.body
        match body:
            case {"challenge": {"id": str(challenge_id), "answer": answer}} if answer == TO_FILL_IN:
                with suppress(NotAChallenge):
                    digits = challenges.open(challenge_id).digits
                    body["challenge"] = {"id": challenge_id, "answer": digits}
            case _:
                return

    return prepare
