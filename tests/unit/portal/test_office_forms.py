"""Paper forms in the office's console: printed, entered by two people, imported part by part."""

import io
import re
from html import unescape

import httpx
import pypdfium2
import pytest

from portal.pages import office_forms_import
from services.intake.domain import form_numbers
from tests.support.intake import OFFICER
from tests.unit.intake.test_paper import taking_paper
from tests.unit.portal.test_office import Person, ledger, person

__all__ = ["ledger", "person"]  # fixtures

FIRST, SECOND = form_numbers.written(1), form_numbers.written(2)
FILE = b"number,given_on,answer\n" + b"".join(
    f"{form_numbers.written(each)},20/11/2026,satisfied\n".encode() for each in range(1, 4)
)
RUN = f"/office/forms/runs/{FIRST}"
LOOK = f"/office/forms/entry?number={FIRST}"
ENTRY = {
    "number": FIRST,
    "answer": "not_satisfied",
    "reasons.not_satisfied": ["late"],
    "given_on": "2026-11-20",
    "scale.five.access": "good",
}


@pytest.fixture
async def issued(person: Person) -> Person:
    person.ledger.there["edition:2026"] = taking_paper()
    body = {"token": await person.token(), "officer_id": OFFICER, "count": "3"}
    answer = await person.client.post("/office/forms", data=body)
    assert answer.headers["location"] == f"{RUN}?done=forms_issued"
    return person


async def enter(person: Person, **changes: object) -> httpx.Response:
    body = {**ENTRY, **changes, "token": await person.token()}
    return await person.client.post("/office/forms/entry", data=body)


async def test_forms_are_printed_a_page_each_with_their_number(issued: Person) -> None:
    assert f"{RUN}/1.pdf" in await issued.page(f"{RUN}?done=forms_issued")
    printed = await issued.client.get(f"{RUN}/1.pdf")
    assert (printed.headers["content-type"], printed.headers["cache-control"]) == (
        "application/pdf",
        "no-store",
    )
    pages = pypdfium2.PdfDocument(io.BytesIO(printed.content))
    assert len(pages) == 3
    for page, number in zip(pages, range(1, 4), strict=True):
        assert [round(each) for each in page.get_size()] == [595, 842]
        written = form_numbers.written(number)
        words = page.get_textpage().get_text_range()
        for said in (f"{written[:3]} {written[3:6]} {written[6:]}", "Phiếu khảo sát", "Paper form", "Trễ"):
            assert said in words
    assert (await issued.client.get(f"{RUN}/2.pdf")).status_code == 404


async def test_two_people_enter_a_form_and_neither_is_shown_the_other_s_entry(issued: Person) -> None:
    assert (await enter(issued)).headers["location"] == "/office/forms?done=form_entered"
    issued.sign_in("survey-office", "minh")
    page = await issued.page(LOOK)
    assert "Đã nhập một lần" in page
    assert not re.search(r'value="(not_satisfied|late|good)" checked', page)
    assert "2026-11-20" not in page
    done = await enter(issued)
    assert "phiếu đã được tính" in await issued.page(done.headers["location"])
    assert [each.form.number for each in issued.ledger.ratings if each.form] == [FIRST]
    assert "không đổi được nữa" in await issued.page(LOOK)


async def test_what_differs_is_shown_field_by_field_until_it_is_settled(issued: Person) -> None:
    await enter(issued)
    issued.sign_in("survey-office", "minh")
    differs = await enter(issued, **{"reasons.not_satisfied": ["late", "other"], "scale.five.access": ""})
    assert differs.headers["location"] == f"{LOOK}&done=form_differs"
    page = await issued.page(differs.headers["location"])
    table = re.search(r'aria-labelledby="khac">(.*?)</table>', page, re.S)
    assert table is not None
    for said in ("Lý do", "Trễ", "Trễ; Khác", "Tiếp cận", "Tốt", "Tài khoản này"):
        assert said in table[1]
    assert "Câu trả lời" not in table[1]
    english = await issued.client.get(LOOK + "&lang=en")
    assert "What was entered differently" in english.text
    issued.sign_in("auditor", "thanh")
    assert "Những mục nhập khác nhau" not in await issued.page(LOOK)
    issued.sign_in("survey-office", "Jane")
    assert (
        "done=form_counted"
        in (
            await enter(issued, **{"reasons.not_satisfied": ["late", "other"], "scale.five.access": ""})
        ).headers["location"]
    )
    assert len(issued.ledger.ratings) == 1


async def test_a_mistake_is_said_and_what_was_typed_stays(issued: Person) -> None:
    answer = await enter(issued, **{"reasons.not_satisfied": [], "given_on": "2026-12-24"})
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert "Ngày ghi trên phiếu phải từ 01/01/2026 đến 23/11/2026." in page
    assert 'value="not_satisfied" checked' in page
    assert (await enter(issued, answer="")).status_code == 422
    assert (await enter(issued, number="000000014")).status_code == 422
    unknown = await issued.client.get("/office/forms/entry?number=000000014")
    assert (unknown.status_code, "Không có phiếu nào mang số này" in unescape(unknown.text)) == (422, True)
    assert issued.ledger.ratings == []


async def test_reasons_of_the_other_answer_are_left_out(issued: Person) -> None:
    assert (await enter(issued, answer="satisfied")).headers["location"].endswith("done=form_entered")


async def test_a_file_counts_part_by_part_and_goes_on_when_it_is_chosen_again(
    issued: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office_forms_import, "PART", 2)
    own = await issued.token()

    async def chosen() -> str:
        answer = await issued.client.post("/office/forms/import", data={"token": own}, files={"file": FILE})
        return unescape(answer.text)

    page = await chosen()
    assert '<progress class="parts" max="3" value="0"' in page
    packed = re.findall(r'name="packed" value="([^"]+)"', page)[0]
    fields = {"token": own, "packed": packed}
    first = unescape((await issued.client.post("/office/forms/import/apply", data=fields)).text)
    assert 'max="3" value="2"' in first
    assert "Nhập tiếp" in first
    assert 'value="2"' in await chosen()
    last = await issued.client.post("/office/forms/import/apply", data=fields)
    assert last.headers["location"] == "/office/forms?done=forms_imported"
    assert len(issued.ledger.ratings) == 3
    assert "Mọi phiếu trong tệp đã được tính." in await chosen()


async def test_errors_of_a_file_are_told_by_row(issued: Person) -> None:
    own = await issued.token()
    wrong = FILE + b"000000014,20/11/2026,satisfied\n"
    answer = await issued.client.post("/office/forms/import", data={"token": own}, files={"file": wrong})
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert re.search(r'<th scope="row">5</th><td>number</td><td>Số phiếu không đúng', page)
    assert issued.ledger.ratings == []


async def test_an_auditor_sees_the_trail_of_a_form_and_no_form_to_fill_in(issued: Person) -> None:
    await enter(issued)
    issued.sign_in("auditor", "thanh")
    trail = await issued.page(f"/office/actions?about={FIRST}")
    assert f"Nhập lần một: {FIRST}" in trail
    page = await issued.page(LOOK)
    assert 'name="answer"' not in page
    assert 'action="/office/forms" method="post"' not in await issued.page("/office/forms")
