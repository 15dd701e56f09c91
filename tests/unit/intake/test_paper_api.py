"""Paper forms over HTTP: who enters, who looks, and what neither is told."""

import pytest

from services.intake.domain import form_numbers
from tests.support.intake import OFFICER, UNIT, edition, officer, unit
from tests.unit.intake.test_office_api import OTHER, Room, room
from tests.unit.intake.test_paper import taking_paper

__all__ = ["room"]  # a fixture

FIRST, SECOND = form_numbers.written(1), form_numbers.written(2)
ENTRY = {"answer": "not_satisfied", "reasons": ["late"], "given_on": "2026-11-20"}
FILE = f"number,given_on,answer\n{FIRST},20/11/2026,satisfied\n{SECOND},20/11/2026,satisfied\n".encode()


@pytest.fixture
async def issued(room: Room) -> Room:
    room.ledger.there |= {"edition:2026": taking_paper()}
    answer = await room.office("POST", "/forms", json={"officer_id": OFFICER, "count": 5})
    assert answer.status_code == 200
    return room


async def enter(room: Room, sub: str, **changes: object) -> dict[str, object]:
    answer = await room.as_(
        "survey-office", "POST", f"/forms/{FIRST}/entries", sub=sub, json={**ENTRY, **changes}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_an_edition_has_to_take_paper_and_what_to_do_is_said(room: Room) -> None:
    for language, words in (("vi", "Người nhập phiếu giấy bảo đảm"), ("en", "vouching: [paper]")):
        answer = await room.office(
            "POST",
            "/forms",
            json={"officer_id": OFFICER, "count": 5},
            headers={"Accept-Language": language},
        )
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["code"]) == (422, "paper_not_allowed")
        assert words in error["detail"]
    assert room.ledger.written == []


async def test_forms_that_were_issued_have_all_that_is_printed(issued: Room) -> None:
    run = (await issued.office("GET", f"/forms/runs/{FIRST}")).json()
    assert run["numbers"] == [form_numbers.written(each) for each in range(1, 6)]
    assert (run["officer"]["id"], run["standings"]["issued"]) == (OFFICER, 5)
    assert run["edition"]["instrument"]["scales"][0]["id"] == "five"
    assert (await issued.office("GET", f"/forms/runs/{SECOND}")).status_code == 404
    assert (await issued.office("GET", "/forms/000000014")).status_code == 404


async def test_the_second_person_is_told_nothing_of_the_first_s_entry(issued: Room) -> None:
    first = await enter(issued, "lan")
    assert (first["standing"], first["yours"]) == ("entered", True)
    answer = await issued.as_("survey-office", "GET", f"/forms/{FIRST}", sub="minh")
    seen = answer.json()
    assert (seen["standing"], seen["yours"], seen["differences"]) == ("entered", False, [])
    listed = await issued.as_("survey-office", "GET", "/forms", sub="minh")
    trail = await issued.as_("survey-office", "GET", "/actions", sub="minh")
    seen["edition"] = None
    for said in (str(seen), listed.text, trail.text):
        assert not any(words in said for words in ("satisfied", "late", "2026-11-20"))


async def test_differences_are_shown_to_who_settles_and_to_nobody_else(issued: Room) -> None:
    await enter(issued, "lan")
    second = await enter(issued, "minh", reasons=["other"])
    assert second["standing"] == "differs"
    assert second["differences"] == [
        {
            "field": "reasons",
            "values": [
                {"by": second["entered_by"][0], "value": "late"},  # type: ignore[index]
                {"by": second["entered_by"][1], "value": "other"},  # type: ignore[index]
            ],
        }
    ]
    looked = (await issued.as_("auditor", "GET", f"/forms/{FIRST}")).json()
    assert (looked["standing"], looked["differences"]) == ("differs", [])
    assert (await enter(issued, "hoa", reasons=["other"]))["standing"] == "counted"
    assert len(issued.ledger.ratings) == 1


async def test_an_auditor_reads_who_entered_what_and_a_department_what_is_its_own(issued: Room) -> None:
    issued.ledger.there |= {
        f"unit:{OTHER}": unit(OTHER, "Sở Nội vụ", position=1),
        f"officer:{OTHER}.x": officer(f"{OTHER}.x", unit_id=OTHER),
    }
    await issued.office("POST", "/forms", json={"officer_id": f"{OTHER}.x", "count": 2})
    await enter(issued, "lan")
    trail = (await issued.as_("auditor", "GET", "/actions", params={"about": FIRST})).json()["actions"]
    [action] = trail
    assert (action["action"], action["changes"][0]["key"]) == ("form_entered", f"officer:{OFFICER}")
    assert len((await issued.as_("auditor", "GET", "/forms")).json()["runs"]) == 2
    [run] = (await issued.as_("department", "GET", "/forms")).json()["runs"]
    assert run["unit_name"]["vi"] == unit(UNIT).name.vi
    other = form_numbers.written(6)
    assert (await issued.as_("department", "GET", f"/forms/{other}")).status_code == 404
    assert (await issued.as_("department", "GET", f"/forms/runs/{other}")).status_code == 404


async def test_a_file_is_previewed_and_counted_in_parts(issued: Room) -> None:
    wrong = FILE + f"{FIRST},20/11/2026,satisfied\n".encode()
    shown = (await issued.office("POST", "/forms/imports/preview", content=wrong)).json()
    assert [(each["row"], each["code"]) for each in shown["errors"]] == [(4, "there_twice")]
    refused = await issued.office("POST", "/forms/imports", content=wrong)
    assert (refused.status_code, issued.ledger.ratings) == (422, [])
    shown = (await issued.office("POST", "/forms/imports/preview", content=FILE)).json()
    assert (shown["rows"], shown["new"], shown["there"]) == (2, 2, 0)
    assert issued.ledger.ratings == []
    part = {"most": "1"}
    first = await issued.office("POST", "/forms/imports", content=FILE, params=part)
    second = await issued.office("POST", "/forms/imports", content=FILE, params=part)
    again = await issued.office("POST", "/forms/imports", content=FILE, params=part)
    assert [each.json() for each in (first, second, again)] == [
        {"counted": 1, "left": 1},
        {"counted": 1, "left": 0},
        {"counted": 0, "left": 0},
    ]
    assert len(issued.ledger.ratings) == 2


async def test_what_cannot_stand_on_a_form_is_said_by_field(issued: Room) -> None:
    body = {**ENTRY, "given_on": "2026-12-24", "reasons": []}
    answer = await issued.office("POST", f"/forms/{FIRST}/entries", json=body)
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/reasons", "/given_on"]
    answer = await issued.office("POST", "/forms/000000014/entries", json=ENTRY)
    assert [each["code"] for each in answer.json()["errors"]] == ["form_number_invalid"]
    issued.ledger.there["edition:2026"] = edition()
    answer = await issued.office("POST", f"/forms/{FIRST}/entries", json=ENTRY)
    assert [each["code"] for each in answer.json()["errors"]] == ["paper_not_allowed"]
