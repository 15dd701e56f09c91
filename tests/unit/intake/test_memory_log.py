"""The log that unit tests use does what Kafka does."""

from dataclasses import dataclass, field

import pytest

from contracts.envelope import Message
from tests.support.intake import MemoryLog
from tests.support.intake_log import TOPIC, LogSuite


@dataclass
class InMemory:
    log: MemoryLog = field(default_factory=MemoryLog)

    async def read(self, key: bytes | None) -> list[Message]:
        return [message for message in self.log.messages[TOPIC] if message.key == key]

    async def take_away(self) -> None:
        self.log.away = True

    async def bring_back(self) -> None:
        self.log.away = False


class TestMemoryLog(LogSuite):
    @pytest.fixture
    def subject(self) -> InMemory:
        return InMemory()
