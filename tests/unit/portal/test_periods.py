"""Of which days a dashboard is: what its address and its form ask for."""

import datetime as dt

import pytest

from portal.pages import period
from portal.pages.period import Period
from tests.unit.portal.conftest import Citizen
from tests.unit.portal.fake_data import OFFICER

TODAY = dt.date(2026, 11, 23)
GROUP = "/ket-qua/nhom/so-ban-nganh"


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({}, None, None),
        ({"from": "", "to": " "}, None, None),
        ({"from": "2026-11-01", "to": "2026-11-30"}, dt.date(2026, 11, 1), dt.date(2026, 11, 30)),
        ({"from": "1/11/2026"}, dt.date(2026, 11, 1), None),
        ({"to": "05/01/2026"}, None, dt.date(2026, 1, 5)),
    ],
)
def test_days_are_read_as_people_and_as_addresses_write_them(
    query: dict[str, str], first: dt.date | None, last: dt.date | None
) -> None:
    asked = period.read(query, TODAY)
    assert asked.mistakes == ()
    assert (asked.period.first, asked.period.last) == (first, last)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "31/02/2026"}, "from"),
        ({"to": "tomorrow"}, "to"),
        ({"from": "1/1/1900"}, "from"),
        ({"from": "2026-11-30", "to": "2026-11-01"}, "to"),
        ({"from": "2006-11-30", "to": "2026-11-01"}, "from"),
        ({"edition": "../2017"}, "edition"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake_at_its_field_and_keeps_what_was_typed(
    query: dict[str, str], field: str
) -> None:
    asked = period.read(query, TODAY)
    assert [mistake.field for mistake in asked.mistakes] == [field]
    assert asked.period == Period()
    assert query.items() <= dict(asked.typed).items()


@pytest.mark.parametrize(
    ("today", "days"),
    [
        (TODAY, [None, (25, 10), (1, 11), (1, 10), (1, 10), (1, 1)]),
        (dt.date(2027, 1, 2), [None, (4, 12), (1, 1), (1, 12), (1, 1), (1, 1)]),
    ],
)
def test_the_usual_choices_begin_where_their_names_say(
    today: dt.date, days: list[tuple[int, int] | None]
) -> None:
    found = [choice.first for _, choice in period.choices(today, None)]
    assert [first and (first.day, first.month) for first in found] == days
    last_month = period.choices(today, None)[3][1]
    assert last_month.last is not None
    assert last_month.last + dt.timedelta(days=1) == today.replace(day=1)


async def test_a_period_is_asked_of_the_api_and_kept_between_levels(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    await citizen.get(f"{GROUP}?from=1/11/2026&to=20/11/2026&edition=2017")
    asked = "from=2026-11-01&to=2026-11-20&edition=2017"
    for path in ("", "/history", "/children", "/change"):
        assert any(
            f"/v1/satisfaction/groups/so-ban-nganh{path}?" in r
            and all(part in r for part in asked.split("&"))
            for r in citizen.city.requests
        )
    for link in ("/ket-qua", "/ket-qua/don-vi/so-noi-vu", f"{GROUP}/history.csv"):
        assert f'href="{link}?{asked}"' in citizen.page
    assert "Từ 01/11/2026 đến 20/11/2026" in citizen.page


async def test_only_a_page_of_all_days_takes_its_head_figures_from_the_stream(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    await citizen.get(GROUP)
    assert "data-redraws" not in citizen.page
    for query in ("from=2026-11-01", "edition=2017"):
        await citizen.get(f"{GROUP}?{query}")
        assert "data-redraws" in citizen.page


async def test_bad_days_get_a_clear_message_and_stay_in_the_form(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    answer = await citizen.get(f"{GROUP}?from=31/02/2026&to=hello")
    assert answer.status_code == 422
    assert 'href="#tu-ngay">Viết ngày đầu dạng ngày/tháng/năm' in citizen.page
    assert 'href="#den-ngay">Viết ngày cuối dạng ngày/tháng/năm' in citizen.page
    assert 'value="31/02/2026"' in citizen.page
    assert 'value="hello"' in citizen.page
    assert "<b>Tất cả các ngày</b>" in citizen.page


async def test_an_officer_has_no_days_to_choose_and_the_page_says_why(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    await citizen.get(f"/ket-qua/cong-chuc/{OFFICER}?from=2026-11-01")
    assert "là của tất cả các ngày" in citizen.page
    assert 'name="from"' not in citizen.page
    assert not [r for r in citizen.city.requests if "/officers/" in r and ("from=" in r or "/history" in r)]


async def test_lists_that_are_published_for_all_days_only_are_not_called_empty(citizen: Citizen) -> None:
    citizen.city.count(1130, 109)
    await citizen.get(f"{GROUP}?from=2026-11-01")
    assert citizen.page.count("Mục này chỉ được công bố cho tất cả các ngày.") == 6
    assert "Chưa có lý do nào được nêu." not in citizen.page
