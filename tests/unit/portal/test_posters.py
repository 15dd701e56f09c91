"""Where a poster's code leads, and the sheets for print, over a fake city."""

from collections.abc import AsyncIterator

import pypdfium2
import pytest
import zxingcpp
from prometheus_client import REGISTRY

from portal.i18n import load
from portal.posters import sheets
from portal.posters.codes import Codes, Target
from portal.posters.setting import NotDrawn, Setter
from portal.posters.sheets import FORMATS, PAPERS, Paper, Subject
from tests.unit.portal.conftest import FORM, PHONE, Citizen, OpenPortal
from tests.unit.portal.fake_data import OFFICER, SAMPLE, UNITS
from tests.unit.portal.test_signing_in import OIDC, _bring, a_session

UNIT = OFFICER.partition(".")[0]
SITE = "https://danhgia.danang.gov.vn"
LONG = {
    "vi": "Ban Quản lý các khu công nghiệp và chế xuất thành phố, Bộ phận Tiếp nhận và Trả kết quả",
    "en": "Management Board of the City’s Industrial and Export Processing Zones, Reception and Results Desk",
}


@pytest.fixture
async def citizen(open_portal: OpenPortal) -> AsyncIterator[Citizen]:
    async with open_portal(public_url=SITE) as walking:
        yield walking


def code_of(citizen: Citizen, target: Target) -> str:
    return Codes(citizen.keys).code(target)


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("portal_poster_codes_total", {"result": result}) or 0.0


async def rated_by(citizen: Citizen, form: str = FORM) -> str:
    await citizen.post(form, phone=PHONE, answer="satisfied", consent="yes")
    await citizen.post(f"{form}/ma-xac-thuc", code="246813")
    return str(citizen.city.posts[-1]["body"]["channel"])


async def test_an_officer_s_code_leads_straight_to_the_form_which_says_whose_it_is(
    citizen: Citizen,
) -> None:
    before = counted("led")
    answer = await citizen.get(f"/r/{code_of(citizen, Target('officer', OFFICER)).lower()}")
    assert (answer.status_code, answer.url.path) == (200, FORM)
    for said in (
        "Đinh Thị Minh Phương",
        "Sở Thông tin và Truyền thông",
        "do thành phố cấp",
        f"{SITE}/.",
    ):
        assert said in citizen.page
    assert await rated_by(citizen) == "qr"
    assert counted("led") == before + 1


async def test_a_unit_s_code_leads_to_its_officers_and_from_there_it_is_a_poster_s_too(
    citizen: Citizen,
) -> None:
    answer = await citizen.get(f"/r/{code_of(citizen, Target('unit', UNIT))}")
    assert answer.url.path == f"/danh-gia/don-vi/{UNIT}"
    await citizen.get(FORM)
    assert await rated_by(citizen) == "qr"


async def test_another_officer_s_rating_is_not_the_poster_s(citizen: Citizen) -> None:
    await citizen.get(f"/r/{code_of(citizen, Target('officer', SAMPLE))}")
    await citizen.get(FORM)
    assert "do thành phố cấp" not in citizen.page
    assert await rated_by(citizen) == "portal"


async def test_nobody_gives_themselves_a_channel(citizen: Citizen) -> None:
    citizen.client.cookies.set("hl_poster", "1000-0000-0000", path="/danh-gia")
    await citizen.get(f"{FORM}?kenh=qr")
    assert await rated_by(citizen) == "portal"


@pytest.mark.parametrize("code", ["1000-0000-0000", "x", "0905123456", "%00", "a" * 41])
async def test_a_forged_code_is_said_to_be_none_of_ours_and_counted(citizen: Citizen, code: str) -> None:
    before = counted("not_ours")
    answer = await citizen.get(f"/r/{code}")
    if len(code) > 40:
        assert answer.status_code == 422
        return
    assert (answer.status_code, counted("not_ours")) == (404, before + 1)
    for said in ("Mã này không phải của thành phố", "(0236) 1022", 'href="/danh-gia"', f"{SITE}/."):
        assert said in citizen.page
    assert "hl_poster" not in citizen.client.cookies
    assert not [each for each in citizen.city.requests if "directory" in each]


async def test_an_address_that_the_caller_made_up_is_not_said_to_be_ours(open_portal: OpenPortal) -> None:
    async with open_portal() as citizen:
        for path in ("made-up", code_of(citizen, Target("officer", OFFICER))):
            answer = await citizen.get(f"/r/{path}", Host="elsewhere.example")
            assert "elsewhere.example" not in answer.text
            assert "phải bắt đầu bằng" not in answer.text


async def test_an_officer_who_moved_is_rated_where_they_are_now(citizen: Citizen) -> None:
    code = code_of(citizen, Target("officer", OFFICER))
    citizen.city.moved[OFFICER] = "hai-chau"
    await citizen.get(f"/r/{code}")
    assert "UBND quận Hải Châu" in citizen.page
    assert await rated_by(citizen) == "qr"


async def test_an_officer_who_takes_no_ratings_any_more_is_said_to(citizen: Citizen) -> None:
    citizen.city.gone.add(OFFICER)
    await citizen.get(f"/r/{code_of(citizen, Target('officer', OFFICER))}")
    assert "Công chức này hiện không nhận đánh giá" in citizen.page


async def test_a_code_of_ours_for_whom_the_directory_has_forgotten_is_kindly_said_to_be_ours(
    citizen: Citizen,
) -> None:
    before = counted("gone")
    answer = await citizen.get(f"/r/{code_of(citizen, Target('officer', 'somebody.else'))}")
    assert (answer.status_code, counted("gone")) == (404, before + 1)
    assert "Mã này do thành phố cấp" in citizen.page


async def test_while_the_directory_is_away_the_page_says_to_try_again(citizen: Citizen) -> None:
    citizen.city.intake_down = True
    assert (await citizen.get(f"/r/{code_of(citizen, Target('unit', UNIT))}")).status_code == 503


# --- sheets ------------------------------------------------------------------------------------------------


def subject(kind: str = "officer", unit: dict[str, str] | None = None) -> Subject:
    place = unit or {"vi": UNITS[UNIT][1], "en": UNITS[UNIT][2]}
    if kind == "unit":
        return Subject(Target("unit", UNIT), place)
    title = {"vi": "Công chức tiếp nhận hồ sơ", "en": "One-stop officer"}
    return Subject(Target("officer", OFFICER), place, "Nguyễn Thị Ngọc Ẩn", title, sample=True)


def pdf_of(of: Subject, paper: Paper) -> pypdfium2.PdfDocument:
    found = sheets.sheet(of, "1TWV-4PXR-EW75", site=SITE, paper=paper, format="pdf", languages=load())
    return pypdfium2.PdfDocument(Setter().set(found))


@pytest.mark.parametrize("place", [None, LONG], ids=["usual", "long names"])
@pytest.mark.parametrize(("kind", "paper"), [("officer", "a4"), ("officer", "a6"), ("unit", "a4")])
def test_a_printed_sheet_is_one_page_that_a_camera_reads(
    kind: str, paper: Paper, place: dict[str, str] | None
) -> None:
    document = pdf_of(subject(kind, place), paper)
    assert len(document) == 1
    page = document[0]
    width, height = {"a4": (210, 297), "a6": (105, 148)}[paper]
    assert page.get_size() == pytest.approx((width / 25.4 * 72, height / 25.4 * 72), abs=1)
    # As a phone at arm's length has it: the card is some 600 pixels high.
    for dots_an_inch in (100, 300):
        picture = page.render(scale=dots_an_inch / 72).to_pil()
        [read] = zxingcpp.read_barcodes(picture)
        assert read.text == f"{SITE}/r/1TWV-4PXR-EW75"
        assert read.ec_level == "Q"
    corners = read.position
    side = (corners.top_right.x - corners.top_left.x) / 300 * 25.4
    assert side > (25 if paper == "a6" else 60)  # millimetres


def test_a_sheet_says_whom_it_is_for_in_both_languages_and_what_a_fake_is() -> None:
    text = pdf_of(subject(), "a6")[0].get_textpage().get_text_bounded()
    said = " ".join(text.split())
    for part in (
        "Nguyễn Thị Ngọc Ẩn",
        "Sở Thông tin và Truyền thông",
        "Department of Information and Communications",
        "Ông/bà hài lòng hay chưa hài lòng?",
        "Satisfied, or not yet satisfied?",
        "Dữ liệu mẫu · Sample",
        "danhgia.danang.gov.vn/r/1TWV-4PXR-EW75",
        "Trang mở ra phải bắt đầu bằng https://danhgia.danang.gov.vn/",
        "If not, this code is a fake",
    ):
        assert part in said


def test_what_a_name_holds_is_no_markup_and_the_same_sheet_gives_the_same_bytes() -> None:
    odd = Subject(Target("unit", "u"), {"vi": '#panic("x") *a* $b$ \\', "en": "<script>"})
    found = sheets.sheet(odd, "1", site=SITE, paper="a4", format="svg", languages=load())
    made = Setter().set(found)
    assert made == Setter().set(found)
    text = pdf_of(odd, "a4")[0].get_textpage().get_text_bounded()
    assert '#panic("x") *a* $b$ \\' in text


def test_names_that_leave_no_room_are_refused_rather_than_spilt() -> None:
    endless = {"vi": "Đơn vị " * 400, "en": "Unit"}
    with pytest.raises(NotDrawn):
        Setter().set(
            sheets.sheet(subject(unit=endless), "1", site=SITE, paper="a6", format="pdf", languages=load())
        )


@pytest.fixture
async def signed_in(open_portal: OpenPortal) -> AsyncIterator[Citizen]:
    async with open_portal(**OIDC) as citizen:
        _bring(citizen, a_session())
        yield citizen


@pytest.mark.parametrize(("kind", "place"), [("cong-chuc", OFFICER), ("don-vi", UNIT)])
async def test_a_department_downloads_its_sheets(signed_in: Citizen, kind: str, place: str) -> None:
    page = (await signed_in.get(f"/noi-bo/{kind}/{place}")).text
    for paper in PAPERS["officer" if kind == "cong-chuc" else "unit"]:
        for format in FORMATS:
            path = f"/noi-bo/{kind}/{place}/qr-{paper}.{format}"
            assert f'href="{path}"' in page
            answer = await signed_in.client.get(path)
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            assert answer.headers["content-disposition"] == f'attachment; filename="{place}-{paper}.{format}"'
            assert answer.content.startswith(b"%PDF" if format == "pdf" else b"<svg")


async def test_sheets_are_for_who_may_see_the_place(signed_in: Citizen) -> None:
    for path in ("don-vi/nobody/qr-a4.pdf", f"don-vi/{UNIT}/qr-a6.pdf", f"don-vi/{UNIT}/qr-a4.png"):
        assert (await signed_in.client.get(f"/noi-bo/{path}")).status_code == 404
    signed_in.client.cookies.clear()
    _bring(signed_in, a_session(token="another"))
    assert (await signed_in.client.get(f"/noi-bo/don-vi/{UNIT}/qr-a4.pdf")).status_code == 401
    signed_in.client.cookies.clear()
    answer = await signed_in.client.get(f"/noi-bo/don-vi/{UNIT}/qr-a4.pdf")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/dang-nhap?next=/noi-bo/don-vi/{UNIT}")


async def test_without_a_key_a_sheet_is_for_later(signed_in: Citizen) -> None:
    (signed_in.keys / "posters-1.key").unlink()
    assert (await signed_in.client.get(f"/noi-bo/don-vi/{UNIT}/qr-a4.pdf")).status_code == 503
