"""A screen that vouches: no phone and no code; and what it kept while it was offline."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from portal.device import COOKIE
from portal.draft import load_key
from portal.kept import CURVE, INFO, Boxes, Unreadable
from tests.unit.portal.conftest import FORM, Citizen
from tests.unit.portal.fake_data import OFFICER
from tests.unit.portal.test_kiosk import KEY, UNIT, kept

PAGE, SEND = "/kiosk/khi-mat-mang", "/kiosk/gui"
GIVEN = 1_764_500_000_000
RATING: dict[str, Any] = {
    "key": "k" * 32,
    "given": GIVEN,
    "edition_id": "2017",
    "officer_id": OFFICER,
    "answer": "not_satisfied",
    "reasons": ["tre-hen"],
    "language": "vi",
}


@pytest.fixture
async def screen(citizen: Citizen) -> Citizen:
    citizen.city.clients[KEY] = ["kiosk"]
    citizen.city.vouches, citizen.city.vouching = True, ["device"]
    await citizen.post("/kiosk", key=KEY, unit=UNIT)
    return citizen


def closed(public: str, rating: object) -> str:
    """As the screen's script closes a box."""
    theirs = base64.b64decode(public)
    pair = ec.generate_private_key(CURVE)
    ours = pair.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = pair.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, theirs))
    key = HKDF(SHA256(), 32, salt=ours + theirs, info=INFO).derive(shared)
    nonce = b"n" * 12
    content = json.dumps(rating).encode().ljust(2048)
    return base64.b64encode(ours + nonce + AESGCM(key).encrypt(nonce, content, None)).decode()


def boxes(screen: Citizen) -> Boxes:
    return Boxes(load_key(screen.keys))


async def send(screen: Citizen, box: str | None = None, *, screen_says: int = GIVEN) -> httpx.Response:
    body = {"box": closed(boxes(screen).public, RATING) if box is None else box, "screen": screen_says}
    return await screen.client.post(SEND, json=body)


async def test_at_a_screen_that_vouches_neither_phone_nor_code_is_asked_for(screen: Citizen) -> None:
    await screen.get(FORM)
    assert "không cần số điện thoại và mã xác thực" in screen.page
    for field in ('name="phone"', 'name="consent"'):
        assert field not in screen.page
    await screen.post(FORM, answer="satisfied")
    assert screen.urls[-1].endswith("/cam-on")
    body = screen.city.posts[-1]["body"]
    assert (body["vouched"], body["channel"]) == (True, "kiosk")
    assert not body.keys() & {"phone", "consent", "challenge", "proof_of_work"}


@pytest.mark.parametrize("without", ["the client", "the edition"])
async def test_a_screen_vouches_only_where_both_the_client_and_the_edition_let_it(
    citizen: Citizen, without: str
) -> None:
    city = citizen.city
    city.clients[KEY] = ["kiosk"]
    city.vouches, city.vouching = True, ["paper" if without == "the edition" else "device"]
    await citizen.post("/kiosk", key=KEY, unit=UNIT)
    if without == "the client":
        city.vouches = False
        await citizen.get("/kiosk")
    await citizen.get(FORM)
    assert 'name="phone"' in citizen.page


async def test_no_browser_vouches_for_itself(citizen: Citizen) -> None:
    citizen.city.vouches, citizen.city.vouching = True, ["device"]
    await citizen.get(FORM)
    assert 'name="phone"' in citizen.page
    await citizen.post(FORM, answer="satisfied", vouched="true")
    assert citizen.city.posts == []


async def test_file_respondent_and_deciding_unit_are_asked_for_where_the_edition_does(
    citizen: Citizen,
) -> None:
    await citizen.get(FORM)
    for name in ("file_number", "respondent", "deciding_unit_id"):
        assert f'name="{name}"' not in citizen.page
    assert "Hồ sơ bị từ chối hoặc trễ hẹn cũng xin mời đánh giá." in citizen.page


async def test_what_the_edition_asks_of_the_file_goes_along_and_is_forgotten(citizen: Citizen) -> None:
    citizen.city.file_numbers, citizen.city.asks_respondent = "required", True
    await citizen.fill_form()
    for words in ("Nhập mã hồ sơ ghi trên giấy hẹn.", "Chọn cá nhân hay tổ chức."):
        assert words in citizen.page
    given: dict[str, Any] = {
        "file_number": " H26-1 ",
        "respondent": "organisation",
        "deciding_unit_id": "so-noi-vu",
    }
    await citizen.post(FORM, phone="0905 123 456", answer="satisfied", consent="yes", **given)
    await citizen.send_code()
    body = citizen.city.posts[-1]["body"]
    assert {name: body[name] for name in given} == given | {"file_number": "H26-1"}
    assert "H26-1" not in citizen.page
    await citizen.get(f"{FORM}/cam-on?lang=en")
    assert "H26-1" not in citizen.page


@pytest.mark.parametrize(
    ("vouches", "vouching", "files", "keeps"),
    [
        (True, ["device"], "none", True),
        (True, ["device"], "optional", True),
        (True, ["device"], "required", False),
        (True, [], "none", False),
        (False, ["device"], "none", False),
    ],
)
async def test_only_a_screen_that_needs_nobody_goes_on_without_network(
    citizen: Citizen, vouches: bool, vouching: list[str], files: str, keeps: bool
) -> None:
    citizen.city.clients[KEY] = ["kiosk"]
    citizen.city.vouches, citizen.city.vouching, citizen.city.file_numbers = vouches, vouching, files
    await citizen.post("/kiosk", key=KEY, unit=UNIT)
    assert (f'data-offline="{PAGE}"' in citizen.page) is keeps
    assert (await citizen.get(PAGE)).status_code == (200 if keeps else 404)


async def test_its_page_has_all_that_is_needed_in_both_languages_and_no_secret(screen: Citizen) -> None:
    before = dict(screen.client.cookies)
    page = (await screen.get(f"{PAGE}?lang=en")).text
    assert 'lang="en"' in page
    assert dict(screen.client.cookies) == before  # which language was chosen stays
    assert "Not yet satisfied" in page
    assert OFFICER in page
    assert boxes(screen).public in page
    assert KEY not in page
    assert "<script>" not in page
    assert " style=" not in page
    plain = {"Accept-Encoding": "identity"}
    worker = await screen.client.get("/kiosk/worker.js", headers=plain)
    assert worker.headers["service-worker-allowed"] == "/"


async def test_what_it_kept_is_posted_as_its_own_with_the_true_time_whatever_its_clock_says(
    screen: Citizen,
) -> None:
    age = timedelta(hours=5, seconds=7)
    answer = await send(screen, screen_says=GIVEN + round(age.total_seconds() * 1000))
    assert (answer.status_code, answer.json()) == (202, {"result": "sent"})
    [post] = screen.city.posts
    assert post["key"] == RATING["key"]
    assert screen.city.headers[-1]["authorization"] == f"Bearer {KEY}"
    at = datetime.fromisoformat(post["body"].pop("rated_at"))
    assert abs(datetime.now(UTC) - age - at) < timedelta(seconds=20)
    named = {name: RATING[name] for name in ("edition_id", "officer_id", "answer", "reasons", "language")}
    assert post["body"] == named | {"vouched": True, "channel": "kiosk"}


async def test_a_clock_that_went_back_gives_no_time_in_the_future(screen: Citizen) -> None:
    await send(screen, screen_says=GIVEN - 10**9)
    at = datetime.fromisoformat(screen.city.posts[-1]["body"]["rated_at"])
    assert at <= datetime.now(UTC)


async def test_the_same_box_sent_twice_is_one_rating(screen: Citizen) -> None:
    box = closed(boxes(screen).public, RATING)
    for later in (0, 4000):
        assert (await send(screen, box, screen_says=GIVEN + later)).status_code == 202
    assert {post["key"] for post in screen.city.posts} == {RATING["key"]}


@pytest.mark.parametrize("screen_says", [-1, 10**13, 10**30, 4 * 10**12])
async def test_no_clock_is_so_wrong_that_it_breaks_anything(screen: Citizen, screen_says: int) -> None:
    answer = await send(screen, screen_says=screen_says)
    assert answer.status_code == (202 if screen_says == 4 * 10**12 else 422)


@pytest.mark.parametrize(
    ("trouble", "status"),
    [("away", 503), ("limited", 429), ("shut out", 401), ("not let", 503), ("refused", 422)],
)
async def test_it_is_told_whether_to_keep_a_rating(screen: Citizen, trouble: str, status: int) -> None:
    city = screen.city
    city.intake_down = trouble == "away"
    city.limited_seconds = 77 if trouble == "limited" else 0
    city.takes_no_key = trouble == "shut out"
    city.refused_with = {"not let": (403, "vouching_not_yours"), "refused": (422, "edition_closed")}.get(
        trouble
    )
    answer = await send(screen)
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    if trouble == "limited":
        assert answer.headers["retry-after"] == "77"


async def test_only_an_enrolled_screen_sends_and_only_from_our_own_pages(screen: Citizen) -> None:
    box = closed(boxes(screen).public, RATING)
    for headers in ({"Origin": "https://elsewhere.test"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await screen.client.post(SEND, json={"box": box, "screen": GIVEN}, headers=headers)
        assert answer.status_code == 403
    screen.client.cookies.delete(COOKIE)
    assert (await send(screen, box)).status_code == 401
    assert screen.city.posts == []


@pytest.mark.parametrize(
    "box",
    ["", "AAAA", "é", base64.b64encode(b"\x04" + b"a" * 200).decode(), "another key", "altered", "no rating"],
)
async def test_what_is_no_box_of_ours_is_refused_for_good(screen: Citizen, box: str) -> None:
    ours = boxes(screen).public
    if box == "another key":
        box = closed(Boxes(b"another").public, RATING)
    elif box == "altered":
        whole = bytearray(base64.b64decode(closed(ours, RATING)))
        whole[-20] ^= 1
        box = base64.b64encode(whole).decode()
    elif box == "no rating":
        box = closed(ours, RATING | {"phone": "0905 123 456"})
    answer = await send(screen, box)
    assert (answer.status_code, answer.json()) == (422, {"result": "unreadable"})
    assert screen.city.posts == []


def test_no_box_says_how_anybody_rated() -> None:
    """Not by its size, nor twice the same; and who closed it holds no key to it."""
    public = Boxes(b"key").public
    one, two = closed(public, RATING), closed(public, RATING | {"answer": "satisfied", "reasons": []})
    assert len(one) == len(two)
    assert closed(public, RATING) != one
    assert Boxes(b"key").open(one).answer == "not_satisfied"
    with pytest.raises(Unreadable):
        Boxes(b"another").open(one)


async def test_who_is_no_screen_any_more_is_told_so_for_its_worker(screen: Citizen) -> None:
    assert "hailong-screen" not in (await screen.get("/kiosk")).headers
    screen.city.clients.clear()
    assert (await screen.get("/kiosk")).headers["hailong-screen"] == "none"
    assert (await screen.get("/kiosk")).headers["hailong-screen"] == "none"
    assert kept(screen) == set()
