"""The services as their real processes, on servers that let each do its own work alone."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from chassis import kafka
from chassis.dead_letters.topic import DeadLetterTopic, Entry
from contracts.topics import DIRECTORY, RATING_OUTCOMES, RATING_SUBMISSIONS, Topic
from deploy.local.errors import StackError
from deploy.local.http_process import HttpProcess, get
from deploy.local.layout import Layout
from deploy.local.ports import HOST, free_ports
from deploy.local.stack import python
from tests.support.figures import counts, moved_by
from tests.support.secured import Secured
from tests.support.system import System

SECONDS = 60.0


class SecuredSystem(System):
    """Without the portal, which speaks HTTP alone."""

    def __init__(self, folder: Path, secured: Secured) -> None:
        urls = {
            "verification": secured.url("verification_app"),
            "aggregation": secured.url("aggregation_api"),
        }
        super().__init__(folder, f"{HOST}:{secured.sasl_port}", urls, more=secured.settings())
        del self.parts["portal"]

    async def _bring_up(self) -> None:
        await self._start_services()


@pytest.fixture(scope="module")
async def system(secured: Secured, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SecuredSystem]:
    async with SecuredSystem(tmp_path_factory.mktemp("secured-system"), secured) as system:
        yield system


async def test_a_rating_goes_the_whole_way_to_a_figure(system: SecuredSystem) -> None:
    before = await counts(system)
    submitted = await system.submit(answer="satisfied")
    assert submitted.answer.status_code == 202
    assert (await system.outcome(submitted.rating_id))["status"] == "accepted"
    await moved_by(system, before, {"satisfied": 1, "channel portal": 1})


async def letters(secured: Secured, topic: Topic) -> list[Entry]:
    async with asyncio.timeout(SECONDS):
        while not (found := await DeadLetterTopic(secured.kafka("operators"), topic).entries()):
            await asyncio.sleep(0.2)
    return found


@pytest.mark.parametrize(
    "topic", [RATING_SUBMISSIONS, RATING_OUTCOMES, DIRECTORY], ids=lambda topic: topic.name
)
async def test_what_cannot_be_read_is_set_aside_by_whoever_reads_it(
    system: SecuredSystem, secured: Secured, topic: Topic
) -> None:
    producer = AIOKafkaProducer(**secured.kafka(topic.writer).producer_arguments("test"))
    try:
        await kafka.start(producer)
        await producer.send_and_wait(topic.name, b"no event", key=b"unreadable", partition=0)
    finally:
        await kafka.abandon(producer)
    [letter] = await letters(secured, topic)
    assert letter.letter is not None
    assert letter.letter.origin.topic == topic.name
    if topic is not DIRECTORY:  # which has no command
        service = topic.readers[0]
        said = await system.run(service, f"services.{service}", "dead-letters", "redrive", "--all")
        assert said.splitlines()[-1] == "1 redriven, 0 left out"


async def test_passwords_are_in_no_log(system: SecuredSystem, secured: Secured) -> None:
    logs = b"".join(path.read_bytes() for path in system.layout.logs.glob("*.log*"))
    assert b'"intake"' in logs
    assert [name for name, password in secured.passwords.items() if password.encode() in logs] == []


async def test_a_service_with_a_wrong_password_waits_and_says_why(
    system: SecuredSystem, secured: Secured, tmp_path: Path
) -> None:
    settings = wrong_password(system, secured, tmp_path)
    port, operations = free_ports(2)
    settings |= {"INTAKE_PORT": str(port), "INTAKE_OPERATIONS_PORT": str(operations)}
    process = python(Layout(tmp_path), "intake", "services.intake", "serve", settings=settings)
    serving = HttpProcess(process, operations)
    await process.start()
    try:
        async with asyncio.timeout(SECONDS):
            while "refuses intake" not in await readiness(serving):
                assert process.running, process.last_lines()
                await asyncio.sleep(0.2)
        assert any("refuses intake" in line for line in process.last_lines(100))
        assert "guessed" not in process.log.read_text()
    finally:
        await process.kill()


async def readiness(serving: HttpProcess) -> str:
    try:
        status, body = await get(serving.port, "/readyz")
    except OSError:
        return ""
    assert status == 503
    return json.dumps(json.loads(body))


def wrong_password(system: SecuredSystem, secured: Secured, folder: Path) -> dict[str, str]:
    file = folder / "guessed.password"
    file.write_text("guessed")
    right = system.wiring.intake() | secured.settings()["intake"]
    return right | {"INTAKE_KAFKA_SASL_PASSWORD_FILE": str(file)}


async def test_commands_with_a_wrong_password_say_so_in_one_line(
    system: SecuredSystem, secured: Secured, tmp_path: Path
) -> None:
    system.more["intake-publish"] = wrong_password(system, secured, tmp_path)
    with pytest.raises(StackError) as error:
        await system.publish("2018")
    assert "refuses intake" in error.value.details[-1]
    system.more["verification-dead-letters"] = secured.settings()["verification-dead-letters"] | {
        "VERIFICATION_KAFKA_SASL_PASSWORD_FILE": str(tmp_path / "guessed.password")
    }
    with pytest.raises(StackError) as error:
        await system.run("verification", "services.verification", "dead-letters", "list")
    [line] = error.value.details
    assert "refuses operators" in line
