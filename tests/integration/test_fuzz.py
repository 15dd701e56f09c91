"""Every answer to whatever is sent is one that the OpenAPI documents name. The long form: make fuzz"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fuzzing.city import THE_WHOLE_WAY, WITH_A_CODE, fuzz_all
from tests.fuzzing.running import Fuzzed
from tests.support import stack
from tests.support.system import System, a_system

pytestmark = pytest.mark.any_servers

CASES, SEED, SECONDS = 200, 5, 120


@pytest.fixture(scope="module")
async def system(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """On a broker of its own: what fuzzing leaves in the log is nobody else's to read."""
    folder = tmp_path_factory.mktemp("fuzzed")
    async with (
        stack.kafka_server(stack.chosen(), folder / "kafka") as kafka,
        a_system(folder / "local", kafka.bootstrap, postgres) as system,
    ):
        await system.publish(WITH_A_CODE, alone=False, verification="captcha_and_phone")
        yield system


@pytest.fixture(scope="module")
async def fuzzed(system: System) -> dict[str, Fuzzed]:
    work = fuzz_all(system, cases=CASES, seed=SEED, seconds=SECONDS, told=lambda *_: None)
    return {each.name: each for each in await asyncio.to_thread(list, work)}


@pytest.mark.parametrize("name", ["intake", "verification", "aggregation", THE_WHOLE_WAY])
async def test_every_answer_is_documented_and_none_is_an_error_of_ours(
    fuzzed: dict[str, Fuzzed], name: str
) -> None:
    assert not fuzzed[name].failures
    # Along the way there is little to vary, and what is drawn twice is sent once.
    assert fuzzed[name].cases >= (CASES // 4 if name == THE_WHOLE_WAY else CASES)


async def test_the_whole_way_was_gone(fuzzed: dict[str, Fuzzed], system: System) -> None:
    """Else the sequences would have fuzzed nothing but the first door."""
    answers = fuzzed[THE_WHOLE_WAY].answers
    for step in ("POST /v1/challenges", "POST /v1/ratings", "POST /v1/ratings/{rating_id}/phone-code"):
        taken = answers[step, 201 if step.endswith("challenges") else 202]
        assert taken, f"{step} never succeeded"
    submitted = await system.submit()
    assert (await system.outcome(submitted.rating_id))["status"] == "accepted", "and all goes on afterwards"
