"""Paper forms on a real broker: what two people agree on is sent once, in the transaction of its record."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from contracts.city_time import city_day
from contracts.envelope import decode
from contracts.events import PaperFormEntered, Policy, RatingSubmitted, Vouching
from contracts.topics import OFFICE_ACTIONS
from services.intake.bootstrap import paper_of, utc_now
from services.intake.domain import form_numbers
from services.intake.domain.paper import Content, Standing
from services.intake.office import Actor
from tests.integration.intake.test_commands import run
from tests.support.intake import edition
from tests.support.intake_world import World

pytestmark = pytest.mark.any_servers

LAN, MINH, HOA = (Actor(letter * 32, "survey-office", "api") for letter in "abc")


async def ratings(world: World) -> list[RatingSubmitted]:
    found = [each.data for each in await world.submissions()]
    return [each for each in found if isinstance(each, RatingSubmitted)]


async def test_a_form_counts_once_whoever_enters_it_at_once_and_by_whatever_way(
    world: World, tmp_path: Path
) -> None:
    today = city_day(utc_now())
    taking = edition(
        world.edition_id, opens_on=today, closes_on=today, policy=Policy(vouching=(Vouching.PAPER,))
    )
    await world.publish(taking)
    read = Content("not_satisfied", frozenset({"late"}), frozenset(), today)
    async with paper_of(world.settings) as (here, view), paper_of(world.settings) as (there, _):
        issued = await here.issue(LAN, world.officer_id, 4)
        numbers = [form_numbers.written(issued.first + each) for each in range(4)]
        assert await here.enter(LAN, numbers[0], read) is Standing.ENTERED
        both = [here.enter(MINH, numbers[0], read), there.enter(HOA, numbers[0], read)]
        assert await asyncio.gather(*both) == [Standing.COUNTED, Standing.COUNTED]
        [rating] = await ratings(world)
        assert rating.form is not None
        assert rating.form.entered_by[0] == LAN.subject
        records = [
            record
            for record in await world.read(OFFICE_ACTIONS.name)
            if record.key == f"form:{numbers[0]}".encode()
        ]
        counted = [
            dict(record.headers)["ce_correlationid"]
            for record in records
            if isinstance(entered := decode(record.value, record.headers).data, PaperFormEntered)
            and entered.counted
        ]
        [sent] = await world.submissions()
        assert [str(sent.correlation_id).encode()] == counted
        file = tmp_path / "filled.csv"
        file.write_text(_table(numbers, today), encoding="utf-8")
        code, out, err = await run(world, "office", "import-forms", str(file), "--yes")
        assert (code, out) == (0, ["3 forms would count, 1 count already", "3 forms were sent"]), err
        forms = await view.forms_now()
        assert {str(form.standing) for each in numbers if (form := forms.form(each))} == {"counted"}
    assert sorted(each.form.number for each in await ratings(world) if each.form) == numbers


def _table(numbers: list[str], day: date) -> str:
    lines = [f"{each},{day.isoformat()},not_satisfied,late" for each in numbers]
    return "\n".join(["number,given_on,answer,reasons", *lines, ""])
