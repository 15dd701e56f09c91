"""Topics in a cluster whose brokers come up one after the other."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.admin import NewTopic
from aiokafka.errors import InvalidReplicationFactorError, PolicyViolationError, TopicAlreadyExistsError

from chassis import topics
from contracts.topics import TOPICS

ENOUGH_BROKERS_AFTER = 3


class Starting:
    """A cluster that has enough brokers for all copies when it is asked for the third time."""

    def __init__(self, then: int) -> None:
        self.then = then
        self.asked: list[list[NewTopic]] = []

    async def create_topics(self, new: list[NewTopic]) -> Any:
        self.asked.append(new)
        enough = len(self.asked) >= ENOUGH_BROKERS_AFTER
        code = self.then if enough else InvalidReplicationFactorError.errno
        return SimpleNamespace(topic_errors=[(each.name, code, "") for each in new])


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "LOOK_SECONDS", 0)


@pytest.mark.parametrize("then", [0, TopicAlreadyExistsError.errno])
async def test_topics_wait_for_the_brokers_that_are_to_have_copies(then: int) -> None:
    cluster = Starting(then)
    await topics._create(cluster, list(TOPICS))
    assert len(cluster.asked) == ENOUGH_BROKERS_AFTER
    assert {new.replication_factor for asked in cluster.asked for new in asked} == {-1}, "the cluster says"


async def test_any_other_refusal_is_one() -> None:
    with pytest.raises(PolicyViolationError):
        await topics._create(Starting(PolicyViolationError.errno), list(TOPICS))
