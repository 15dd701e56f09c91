"""The office on a real broker: a change is written with its record, by one at a time, or not at all."""

import asyncio
import csv
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.envelope import decode
from contracts.events import Event, OfficeActionTaken, Text, UnitPublished
from contracts.topics import DIRECTORY, OFFICE_ACTIONS
from services.intake.adapters.office_ledger import KafkaLedger
from services.intake.adapters.office_trail import read_trail
from services.intake.bootstrap import COMMAND_TURNS, create, utc_now
from services.intake.domain import units
from services.intake.office import Office
from services.intake.office_api import OFFICE, Admission
from services.intake.ports import NotKept, Overtaken
from services.intake.settings import OfficeSignIn
from tests.integration.intake.test_commands import run
from tests.support.intake import unit
from tests.support.intake_world import World, eventually
from tests.support.office import BY
from tests.support.tokens import AUDIENCE, ISSUER, Clock, FakeProvider, token

pytestmark = pytest.mark.any_servers

Meanwhile = Callable[[], Awaitable[None]]
ROLES, DEPARTMENTS = "hailong_roles", "hailong_departments"


async def _kept(_days: int) -> None:
    """Any promise is."""


def office(world: World, turns: int = 1) -> Office:
    return Office(KafkaLedger(world.settings.kafka), utc_now, _kept, turns=turns)


def text(words: str) -> Text:
    return Text(vi=words, en=words)


async def state(world: World) -> list[Event]:
    """Every state that this world's unit has had."""
    return [
        decode(record.value, record.headers).data
        for record in await world.read(DIRECTORY.name)
        if record.key == f"unit:{world.unit_id}".encode() and record.value is not None
    ]


async def actions(world: World) -> list[OfficeActionTaken]:
    """Those that changed something of this world."""
    trail = await read_trail(world.settings.kafka)
    taken = [each.action for each in trail if each.action is not None]
    return [each for each in taken if any(world.name in change.key for change in each.changes)]


async def write(ledger: KafkaLedger, world: World, name: str, *more: str, meanwhile: Meanwhile) -> None:
    """Rename the world's unit by hand: decide, let something happen, then commit; a message to `more` too."""
    async with ledger.writing() as writing:
        [change] = units.renamed(writing.directory, world.unit_id, text(name))
        await meanwhile()
        assert change.after is not None
        message = world.message(change.after)
        await writing.commit([(topic, message) for topic in (DIRECTORY.name, *more)], lambda *_: None)


async def nothing() -> None:
    """Meanwhile."""


@pytest.fixture
async def api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A replica with an office, for who has signed in as the survey office."""
    settings = world.settings.model_copy(update={"oidc": OfficeSignIn(issuer=ISSUER, audience=AUDIENCE)})
    app = create(settings)
    async with app.router.lifespan_context(app):
        provider = FakeProvider().seen_by(Clock())
        app.state.office_admission = Admission(provider, AUDIENCE, ROLES, DEPARTMENTS)
        claims: dict[str, Any] = {ROLES: "survey-office"}
        headers = {"Authorization": f"Bearer {token(**claims)}"}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(
            transport=transport, base_url=f"http://intake{OFFICE}", headers=headers, timeout=60
        ) as http:

            async def knows() -> bool:
                return (await http.get(f"/units/{world.unit_id}")).status_code == 200

            await eventually(knows, why="the directory is read")
            yield http


async def test_what_was_done_is_shown_at_once_and_its_record_lies_beside_it(
    world: World, api: httpx.AsyncClient
) -> None:
    body = {"name": {"vi": "Tên mới", "en": "New name"}}
    done = (await api.post(f"/units/{world.unit_id}/rename", json=body)).json()
    assert (await api.get(f"/units/{world.unit_id}")).json()["name"] == body["name"]
    [shown] = (await api.get("/actions", params={"about": world.unit_id})).json()["actions"]
    assert (shown["id"], shown["action"], shown["role"]) == (
        done["action_id"],
        "unit_renamed",
        "survey-office",
    )
    record = (await world.read(OFFICE_ACTIONS.name))[-1]
    changed = (await world.read(DIRECTORY.name))[-1]
    assert dict(record.headers)["ce_correlationid"] == dict(changed.headers)["ce_correlationid"]
    again = (await api.post(f"/units/{world.unit_id}/rename", json=body)).json()
    assert again["action_id"] is None
    assert len(await actions(world)) == 1


async def test_a_preview_is_applied_unless_the_directory_has_moved(
    world: World, api: httpx.AsyncClient
) -> None:
    table = f"type,id,name_vi,name_en\nunit,{world.unit_id},Theo tệp,By file\n".encode()
    digest = (await api.post("/imports/preview", content=table)).json()["digest"]
    await world.publish(unit(f"unit-{world.name}-more", "Sở mới"))
    late = await api.post("/imports", content=table, headers={"If-Match": f'"{digest}"'})
    assert (late.status_code, await actions(world)) == (412, [])
    digest = (await api.post("/imports/preview", content=table)).json()["digest"]
    done = await api.post("/imports", content=table, headers={"If-Match": f'"{digest}"'})
    assert [each["key"] for each in done.json()["changes"]] == [f"unit:{world.unit_id}"]


async def test_a_change_whose_record_cannot_be_written_is_not_there_either(world: World) -> None:
    before = await state(world)
    with pytest.raises(NotKept):
        await write(KafkaLedger(world.settings.kafka), world, "Nửa chừng", "no-such-topic", meanwhile=nothing)
    assert await state(world) == before


async def test_who_began_later_goes_first_and_nothing_of_the_other_is_written(world: World) -> None:
    quick = office(world)

    async def rename() -> None:
        decide = partial(units.renamed, unit_id=world.unit_id, name=text("Nhanh"))
        await quick.act(BY, "unit_renamed", f"unit:{world.unit_id}", lambda d, _: decide(d))

    with pytest.raises(Overtaken):
        await write(KafkaLedger(world.settings.kafka), world, "Chậm", meanwhile=rename)
    newest = (await state(world))[-1]
    assert isinstance(newest, UnitPublished)
    assert (newest.name.vi, len(await actions(world))) == ("Nhanh", 1)


@pytest.mark.parametrize("processes", [1, 3], ids=["in one process", "by commands"])
async def test_many_at_once_all_have_their_turn(world: World, processes: int) -> None:
    """Commands, each a process of its own, fence one another, and try again."""
    offices = [office(world, turns=COMMAND_TURNS if processes > 1 else 1) for _ in range(processes)]
    names = [f"Tên {number}" for number in range(5)]

    async def rename(name: str) -> None:
        await offices[names.index(name) % processes].act(
            BY,
            "unit_renamed",
            f"unit:{world.unit_id}",
            lambda d, _: units.renamed(d, world.unit_id, text(name)),
        )

    await asyncio.gather(*(rename(name) for name in names))

    async def all_are_shown() -> bool:  # readers see a transaction a moment after its writer knows of it
        return len(await actions(world)) >= len(names)

    await eventually(all_are_shown, why="all actions in the trail")
    before_and_after = [
        (field.before, field.after)
        for action in await actions(world)
        for field in action.changes[0].fields
        if field.name == "name.vi"
    ]
    assert [before for before, _ in before_and_after[1:]] == [after for _, after in before_and_after[:-1]]
    assert {after for _, after in before_and_after} == set(names)


async def test_the_commands_do_the_same_and_are_in_the_trail(world: World, tmp_path: Path) -> None:
    code, lines, _ = await run(world, "office", "export")
    assert code == 0
    head, *table = csv.reader(line.lstrip("\ufeff") for line in lines)
    file = tmp_path / "table.csv"
    line = dict.fromkeys(head, "") | {"type": "unit", "id": world.unit_id, "name_vi": "Tên", "name_en": ""}
    assert [each for each in table if world.unit_id in each]

    def fill(name_en: str) -> None:
        with file.open("w") as opened:
            writer = csv.DictWriter(opened, ["type", "id", "name_vi", "name_en"], extrasaction="ignore")
            writer.writeheader()
            writer.writerow(line | {"name_en": name_en})

    fill("")
    code, lines, errors = await run(world, "office", "import", str(file), "--dry-run")
    assert (code, lines, errors) == (1, [], ["row 2: name_en: This is required."])
    fill("Name")
    code, lines, _ = await run(world, "office", "import", str(file), "--dry-run")
    assert (code, await actions(world)) == (0, [])
    assert lines[0].startswith(f"~ unit:{world.unit_id}  name.vi: Sở {world.name} → Tên")
    code, _, errors = await run(world, "office", "import", str(file), "--expect", "0" * 64)
    assert (code, len(errors)) == (1, 1)
    code, lines, _ = await run(world, "office", "import", str(file), "--yes", "--by", "lan")
    assert (code, lines[-1].startswith("done: action ")) == (0, True)
    code, lines, _ = await run(world, "office", "actions", "--about", world.unit_id)
    assert (code, len(lines)) == (0, 2)
    assert "directory_imported" in lines[1]
