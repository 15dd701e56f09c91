"""The file that a rating is about: looked up, kept as a pseudonym alone, and not for guessing at."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import httpx
import pytest
from structlog.testing import capture_logs

from chassis.http import create_app
from chassis.readiness import Check
from chassis.tally import Tally
from contracts.events import FileNumbers, Policy, RatingSubmitted
from services.intake.adapters import file_system
from services.intake.adapters.file_system import HttpFileSystem
from services.intake.adapters.key_files import FileKeys
from services.intake.adapters.sealing import SodiumSealer
from services.intake.bootstrap import install
from services.intake.domain.file_numbers import normalised
from services.intake.domain.identity import file_pseudonym, pseudonym
from services.intake.limiting import Limiter
from services.intake.ports import FilesAway, Parts
from services.intake.settings import Settings
from tests.support.intake import NOW, UNIT, edition, unit
from tests.unit.intake.test_api import BODY, Intake, _nothing

NUMBER = "000.00.19.H26-261123-0042"


@dataclass
class Files:
    """A file system that knows one file of one unit."""

    away: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def knows(self, unit_id: str, number: str) -> bool:
        self.asked.append((unit_id, number))
        if self.away:
            raise FilesAway("away")
        return (unit_id, number) == (UNIT, NUMBER)


class Filing(Intake):
    def __init__(self, keys: Path) -> None:
        super().__init__(keys)
        self.files: Files | None = Files()

    def client(self) -> httpx.AsyncClient:
        parts = Parts(self.log, self.directory, FileKeys(self.keys), SodiumSealer(), lambda: NOW)
        app = create_app(title="intake", description="", lifespan=_nothing)
        settings = Settings(outcome_base_url="http://v", **self.settings)
        install(app, parts, settings, Limiter(settings.limits, Tally(settings.limit_window)), self.files)
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake")

    def asks(self, files: FileNumbers, *, respondent: bool = False) -> None:
        assert self.directory.read is not None
        policy = Policy(file_numbers=files, asks_respondent=respondent)
        changes = {"edition:2026": edition(policy=policy), "unit:so-noi-vu": unit("so-noi-vu")}
        self.directory.read = self.directory.read.with_(changes)

    @property
    def kept(self) -> RatingSubmitted:
        event = self.events()[-1].data
        assert isinstance(event, RatingSubmitted)
        return event


@pytest.fixture
def intake(tmp_path: Path) -> Filing:
    made = Filing(tmp_path / "keys")
    made.asks(FileNumbers.OPTIONAL)
    return made


@pytest.fixture
async def client(intake: Filing) -> AsyncIterator[httpx.AsyncClient]:
    async with intake.client() as client:
        yield client


async def post(client: httpx.AsyncClient, number: int = 1, **changes: Any) -> httpx.Response:
    headers = {"Idempotency-Key": f"{number:016}"}
    return await client.post("/v1/ratings", json=BODY | changes, headers=headers)


def codes(answer: httpx.Response) -> set[tuple[str, str]]:
    return {(each["pointer"], each["code"]) for each in answer.json().get("errors", ())}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (NUMBER, NUMBER),
        (" 000.00.19.h26 – 261123 - 0042 ", NUMBER),
        ("０００.00.19.H26-261123-0042", NUMBER),
        ("123/ĐK", "123/ĐK"),
        ("", None),
        ("12", None),
        ("-" * 10, None),
        ("a" * 61, None),
        ("000; drop", None),
        ("../../etc", None),
    ],
)
def test_a_number_is_read_however_it_is_copied(written: str, meant: str | None) -> None:
    assert normalised(written) == meant


async def test_a_known_file_stands_on_the_log_as_a_pseudonym_alone(
    intake: Filing, client: httpx.AsyncClient
) -> None:
    with capture_logs() as logs:
        assert (await post(client, file_number=NUMBER)).status_code == 202
        assert (await post(client, 2, file_number=NUMBER.lower())).status_code == 202
    one, two = (each.data for each in intake.events())
    assert isinstance(one, RatingSubmitted)
    assert isinstance(two, RatingSubmitted)
    own_key = FileKeys(intake.keys).pseudonym_key("2026")
    assert one.file_pseudonym == two.file_pseudonym == file_pseudonym(own_key, UNIT, NUMBER)
    others = {file_pseudonym(b"k" * 32, UNIT, NUMBER), file_pseudonym(own_key, "so-noi-vu", NUMBER)}
    assert one.file_pseudonym not in others | {pseudonym(own_key, NUMBER), one.phone_pseudonym}
    assert intake.files is not None
    assert intake.files.asked == [(UNIT, NUMBER)] * 2
    on_the_log = b"".join(m.value or b"" for m in intake.log.messages["rating-submissions"]).decode()
    assert "261123" not in on_the_log + json.dumps(logs, default=str)


async def test_the_same_key_with_another_file_is_another_rating(
    intake: Filing, client: httpx.AsyncClient
) -> None:
    assert (await post(client, file_number=NUMBER)).status_code == 202
    assert (await post(client)).json()["type"] == "urn:hailong:problem:idempotency_key_reused"


async def test_an_unknown_file_is_named_and_the_key_is_still_good(
    intake: Filing, client: httpx.AsyncClient
) -> None:
    answer = await post(client, file_number=NUMBER[:-1] + "9")
    assert (answer.status_code, codes(answer)) == (422, {("/file_number", "file_number_unknown")})
    assert "261123" not in answer.text
    assert (await post(client, file_number=NUMBER)).status_code == 202


async def test_while_nobody_can_say_an_optional_one_goes_without_and_a_needed_one_waits(
    intake: Filing, client: httpx.AsyncClient
) -> None:
    assert intake.files is not None
    intake.files.away = True
    with capture_logs() as logs:
        assert (await post(client, file_number=NUMBER)).status_code == 202
        assert intake.kept.file_pseudonym is None
        intake.asks(FileNumbers.REQUIRED)
        answer = await post(client, 2, file_number=NUMBER)
    assert "261123" not in json.dumps(logs, default=str) + answer.text
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert answer.json()["type"] == "urn:hailong:problem:file_system_unavailable"
    intake.files.away = False
    assert (await post(client, 2, file_number=NUMBER)).status_code == 202
    assert intake.kept.file_pseudonym is not None


async def test_without_a_file_system_none_is_confirmed(tmp_path: Path) -> None:
    intake = Filing(tmp_path / "keys")
    intake.files = None
    async with intake.client() as client:
        intake.asks(FileNumbers.OPTIONAL)
        assert (await post(client, file_number=NUMBER)).status_code == 202
        assert intake.kept.file_pseudonym is None
        intake.asks(FileNumbers.REQUIRED)
        assert (await post(client, 2, file_number=NUMBER)).status_code == 503


@pytest.mark.parametrize(
    ("asked", "given", "code"),
    [
        (FileNumbers.NONE, NUMBER, "file_number_not_asked"),
        (FileNumbers.REQUIRED, "  ", "file_number_missing"),
        (FileNumbers.OPTIONAL, "12", "file_number_invalid"),
    ],
)
async def test_it_is_given_as_the_edition_asks(
    intake: Filing, client: httpx.AsyncClient, asked: FileNumbers, given: str, code: str
) -> None:
    intake.asks(asked)
    assert codes(await post(client, file_number=given)) == {("/file_number", code)}
    assert intake.files is not None
    assert intake.files.asked == []


async def test_whoever_tries_numbers_is_soon_told_to_wait(intake: Filing) -> None:
    intake.settings = {"limit_file_block": 3}
    async with intake.client() as client:
        tried = [(await post(client, n, file_number=f"H26-{n:06}")).status_code for n in range(5)]
    assert tried == [422, 422, 422, 429, 429]
    assert intake.files is not None
    assert len(intake.files.asked) == 3


async def test_respondent_and_deciding_unit_go_on_the_log(intake: Filing, client: httpx.AsyncClient) -> None:
    await post(client, deciding_unit_id=UNIT)
    assert (intake.kept.respondent, intake.kept.deciding_unit_id) == ("citizen", None)
    intake.asks(FileNumbers.NONE, respondent=True)
    assert codes(await post(client, 2)) == {("/respondent", "respondent_missing")}
    answer = await post(client, 3, respondent="organisation", deciding_unit_id="so-noi-vu")
    assert answer.status_code == 202
    assert (intake.kept.respondent, intake.kept.deciding_unit_id) == ("organisation", "so-noi-vu")
    again = await post(client, 3, respondent="citizen", deciding_unit_id="so-noi-vu")
    assert again.status_code == 422  # another rating
    assert codes(await post(client, 4, respondent="citizen", deciding_unit_id="nowhere")) == {
        ("/deciding_unit_id", "deciding_unit_unknown")
    }
    intake.asks(FileNumbers.NONE)
    assert codes(await post(client, 5, respondent="organisation")) == {
        ("/respondent", "respondent_not_asked")
    }


class _Server(BaseHTTPRequestHandler):
    statuses: ClassVar[dict[str, int]] = {}
    seen: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["authorization"]))
        if self.path.endswith("/silent"):
            return  # and says nothing
        self.send_response(self.statuses.get(self.path, 404))
        self.send_header("Location", "/files/so-y-te/known")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(**statuses: int) -> Iterator[str]:
    _Server.statuses = {f"/files/so-y-te/{name}": status for name, status in statuses.items()}
    _Server.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/files/$unit/$number"
        server.shutdown()


async def test_the_file_system_is_asked_over_http_with_its_key(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("secret\n")
    check = Check("file_system")
    with serving(known=200, moved=302, broken=500, denied=401) as url:
        async with httpx.AsyncClient() as client:
            files = HttpFileSystem(client, url, key, check)
            assert await files.knows("so-y-te", "known")
            assert not await files.knows("so-y-te", "a/../b?")
            assert check.ok
            for number in ("moved", "broken", "denied", "silent"):
                with pytest.raises(FilesAway) as away:
                    await files.knows("so-y-te", number)
                assert number not in str(away.value)
                assert not check.ok
    assert _Server.seen[:2] == [
        ("/files/so-y-te/known", "Bearer secret"),
        ("/files/so-y-te/a%2F..%2Fb%3F", "Bearer secret"),
    ]
    async with httpx.AsyncClient() as client:
        gone = HttpFileSystem(client, url, tmp_path / "none", check)
        with pytest.raises(FilesAway):
            await gone.knows("so-y-te", "known")


async def test_a_file_system_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_system, "SECONDS", 0.05)

    async def slow(_request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(5)
        return httpx.Response(200)

    async with httpx.AsyncClient(transport=httpx.MockTransport(slow)) as client:
        files = HttpFileSystem(client, "http://127.0.0.1/$unit/$number", None, Check("file_system"))
        with pytest.raises(FilesAway):
            await files.knows("so-y-te", "1")


@pytest.mark.parametrize("url", ["http://files.example/$unit/$number", "https://files.example/$unit", "x"])
def test_an_address_that_cannot_be_it_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValueError, match="write https"):
        Settings(file_system_url=url)
