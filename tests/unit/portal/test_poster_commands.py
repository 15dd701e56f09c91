"""`posters` and `poster-keys`: what they write, and what they say where they cannot."""

from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from typer.testing import CliRunner

from portal import poster_commands
from portal.__main__ import app
from portal.apis.http import Unavailable
from portal.apis.intake import Register
from portal.posters.codes import Codes, Target
from tests.unit.portal.fake_data import GROUPS, OFFICER, SAMPLE, TITLE, UNITS, text

UNIT = OFFICER.partition(".")[0]
SITE = "https://danhgia.example"


def register() -> Register:
    """Two officers of one unit take ratings, another one's does not any more."""

    def officer(officer_id: str, name: str, *, active: bool) -> dict[str, object]:
        unit_id = officer_id.partition(".")[0]
        unit = {"id": unit_id, "name": text(*UNITS[unit_id][1:])}
        group = {"id": "so-ban-nganh", "name": GROUPS["so-ban-nganh"]}
        about = {"id": officer_id, "name": name, "title": TITLE, "sample": False}
        return {**about, "unit": unit, "group": group, "active": active}

    officers = [
        officer(OFFICER, "Đinh Thị Minh Phương", active=True),
        officer(SAMPLE, "Trần Văn Mẫu", active=True),
        officer("so-noi-vu.a", "Nguyễn Văn A", active=False),
    ]
    units = [{"id": each, "name": text(*UNITS[each][1:])} for each in UNITS]
    return Register.model_validate({"units": units, "officers": officers})


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def read(_url: str) -> Register:
        return register()

    monkeypatch.setattr(poster_commands, "_register", read)
    monkeypatch.setenv("PORTAL_PUBLIC_URL", SITE)
    monkeypatch.setenv("PORTAL_KEYS_DIR", str(tmp_path / "keys"))


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


@pytest.mark.parametrize("units", [(), ("--unit", UNIT)])
def test_it_writes_the_sheets_of_all_who_take_ratings(tmp_path: Path, units: tuple[str, ...]) -> None:
    code, said = run("posters", "--to", str(tmp_path / "sheets"), *units)
    assert (code, f"10 sheets in {tmp_path / 'sheets'}" in said.replace("\n", "")) == (0, True)
    written = {str(each.relative_to(tmp_path / "sheets")) for each in (tmp_path / "sheets").rglob("*.*")}
    assert written == {
        *(f"{UNIT}/{UNIT}-a4.{format}" for format in ("pdf", "svg")),
        *(
            f"{UNIT}/{each}-{paper}.{format}"
            for each in (OFFICER, SAMPLE)
            for paper in ("a4", "a6")
            for format in ("pdf", "svg")
        ),
    }
    page = pypdfium2.PdfDocument(tmp_path / "sheets" / UNIT / f"{OFFICER}-a6.pdf")[0]
    [read] = zxingcpp.read_barcodes(page.render(scale=3).to_pil())
    assert read.text == f"{SITE}/r/{Codes(tmp_path / 'keys').code(Target('officer', OFFICER))}"


def test_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to = ("posters", "--to", str(tmp_path / "sheets"))
    assert run(*to, "--unit", "nowhere") == (1, "There is no unit nowhere.\n")
    run("poster-keys", "retire", "1", "--yes")
    assert "python -m portal poster-keys rotate" in run(*to)[1]

    async def away(_url: str) -> Register:
        raise Unavailable("ConnectError")

    monkeypatch.setattr(poster_commands, "_register", away)
    assert "run this again" in run(*to)[1]
    monkeypatch.delenv("PORTAL_PUBLIC_URL")
    code, said = run(*to)
    assert (code, "PORTAL_PUBLIC_URL" in said) == (1, True)


def test_keys_are_rotated_and_retired(tmp_path: Path) -> None:
    codes = Codes(tmp_path / "keys")
    for number in (1, 2):
        assert run("poster-keys", "rotate")[1].startswith(f"posters-{number}.key made")
        assert codes.code(Target("officer", OFFICER))[0] == str(number)
    assert run("poster-keys", "retire", "1")[0] == 1  # nobody said yes
    assert codes.newest() == 2
    assert run("poster-keys", "retire", "1", "--yes") == (0, "posters-1.key destroyed\n")
    assert run("poster-keys", "retire", "1", "--yes") == (0, "posters-1.key was not there\n")
