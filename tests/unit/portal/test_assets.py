"""Static files and short-lived copies of the directory."""

from pathlib import Path

import pytest

from portal.static import Assets, AssetsMissing
from tests.unit.portal.conftest import Citizen


async def test_built_files_are_compressed_and_cached_for_ever(citizen: Citizen) -> None:
    answer = await citizen.client.get("/static/made-site.css", headers={"Accept-Encoding": "identity"})
    assert answer.content == b"plain"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    async with citizen.client.stream(
        "GET", "/static/made-site.css", headers={"Accept-Encoding": "gzip"}
    ) as raw:
        assert raw.headers["content-encoding"] == "gzip"
        assert b"".join([part async for part in raw.aiter_raw()]) == b"gzipped"


@pytest.mark.parametrize("name", ["made-other.css", "manifest.json", "stamp", "..%2Fstatic.py"])
async def test_nothing_else_is_served(citizen: Citizen, name: str) -> None:
    assert (await citizen.get(f"/static/{name}")).status_code == 404


def test_missing_assets_say_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(AssetsMissing, match=r"python -m portal\.assets build"):
        Assets.load(tmp_path)


async def test_the_directory_is_asked_for_once_in_a_while(citizen: Citizen) -> None:
    for _ in range(3):
        await citizen.get("/danh-gia/nhom/so-ban-nganh")
    asked = [r for r in citizen.city.requests if "/v1/directory/groups/" in r]
    assert len(asked) == 1


async def test_a_directory_seen_before_serves_while_intake_is_away(
    citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.apis.intake.FRESH_SECONDS", 0.0)
    await citizen.get("/danh-gia/nhom/so-ban-nganh")
    citizen.city.intake_down = True
    answer = await citizen.get("/danh-gia/nhom/so-ban-nganh")
    assert answer.status_code == 200
    assert "Sở Nội vụ" in citizen.page
    assert (await citizen.get("/danh-gia/nhom/quan-huyen")).status_code == 503
