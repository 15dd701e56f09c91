"""Both languages are complete."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import portal
from portal.i18n import LOCALES, load
from tests.unit.portal.conftest import FORM, Citizen
from tests.unit.portal.fake_data import OFFICER

ROOT = Path(portal.__file__).parent
VIETNAMESE = set("ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ")
NAMES = ("Hài Lòng", "Tiếng Việt", "Đinh Thị Minh Phương", "Trần Văn Mẫu", "Nguyễn Thị Thùy Ân")


def message_ids() -> Iterator[tuple[str, int]]:
    """Every text marked in code and templates, with how many forms it has."""
    keywords = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}
    method = [("**.py", "python"), ("templates/**.html", "jinja2")]
    options = {"templates/**.html": {"newstyle_gettext": "true"}}
    for _, _, message, _, _ in extract_from_dir(str(ROOT), method, options, keywords):
        yield (message, 1) if isinstance(message, str) else (message[0], 2)


def test_every_text_has_an_english_translation() -> None:
    with (LOCALES / "en" / "LC_MESSAGES" / "portal.po").open("rb") as file:
        catalogue = read_po(file, locale="en")
    found = dict(message_ids())
    assert len(found) > 100
    missing = []
    for text, forms in found.items():
        message = catalogue.get(text)
        string = None if message is None else message.string
        strings = [string] if isinstance(string, str) else list(string or ())
        if len(strings) != forms or not all(strings) or (message is not None and message.fuzzy):
            missing.append(text)
    assert missing == []


def test_no_translation_is_left_over_or_breaks_its_places() -> None:
    with (LOCALES / "en" / "LC_MESSAGES" / "portal.po").open("rb") as file:
        catalogue = read_po(file, locale="en")
    found = dict(message_ids())
    for message in catalogue:
        if not message.id:
            continue
        text = message.id if isinstance(message.id, str) else message.id[0]
        assert text in found
        assert not list(message.check(catalogue)), text


def without_names(page: str) -> str:
    for name in NAMES:
        page = page.replace(name, "")
    return page


@pytest.mark.parametrize(
    "path", ["/", "/danh-gia", "/danh-gia/tim-kiem?q=zz", FORM, "/ket-qua", "/gioi-thieu", "/nothing-here"]
)
async def test_an_english_page_holds_no_vietnamese(citizen: Citizen, path: str) -> None:
    citizen.city.count(1130, 109)
    await citizen.get(path, Cookie="hl_lang=en")
    words = without_names(citizen.page)
    assert 'lang="en"' in words
    assert not VIETNAMESE & set(words.casefold())


@pytest.mark.parametrize("path", ["/ket-qua", f"/ket-qua/cong-chuc/{OFFICER}"])
async def test_an_english_page_of_too_few_holds_no_vietnamese(citizen: Citizen, path: str) -> None:
    citizen.city.suppress_below = 5
    citizen.city.count(3, 1)
    await citizen.get(path, Cookie="hl_lang=en")
    words = without_names(citizen.page)
    assert "Too few ratings to publish yet" in words
    assert not VIETNAMESE & set(words.casefold())


async def test_the_choice_of_language_is_remembered(citizen: Citizen) -> None:
    answer = await citizen.get("/danh-gia?lang=en")
    assert "hl_lang=en" in answer.headers["set-cookie"]
    await citizen.get(FORM)
    assert "Mobile phone number" in citizen.page
    assert f"{FORM}?lang=vi" in citizen.page
    await citizen.get("/?lang=vi")
    await citizen.get(FORM)
    assert "Số điện thoại di động" in citizen.page


async def test_the_language_switch_keeps_the_search(citizen: Citizen) -> None:
    await citizen.get("/danh-gia/tim-kiem?q=so+noi+vu")
    assert "/danh-gia/tim-kiem?q=so+noi+vu&lang=en" in citizen.page


def test_numbers_and_dates_follow_the_language() -> None:
    languages = load()
    moment = dt.datetime(2026, 11, 23, 18, 5, tzinfo=dt.UTC)  # the 24th in the city
    assert languages["vi"].number(1234.5) == "1.234,5"
    assert languages["en"].number(1234.5) == "1,234.5"
    assert languages["vi"].percent(0.912) == "91,2%"
    assert languages["en"].percent(0.912) == "91.2%"
    assert languages["vi"].date(moment) == "24/11/2026"
    assert languages["vi"].time(moment) == "01:05"
