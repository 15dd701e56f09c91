"""The element for other sites' pages: what was published never changes, and pages may check that."""

import re

import pytest

from deploy.local.layout import CHECKOUT
from portal import assets, embedding
from portal.embedding import VERSION, Elements
from tests.unit.portal.conftest import Citizen

GUIDE = (CHECKOUT / "docs" / "embedding.md").read_text()
PUBLISHED = {
    "1.0.0": "sha384-rtzgsKms2Wtu6o16wFDyq7kwDJR2Ol+gtsVoKLRCvkY+M24tYE0Vdf4og6VntDf8",
}


def test_no_version_that_was_published_has_changed() -> None:
    found = {version: embedding.integrity(content) for version, content in Elements.load().by_version.items()}
    assert found == PUBLISHED
    assert VERSION in PUBLISHED


def test_the_newest_is_made_of_the_sources_as_they_are() -> None:
    assets.build()
    assert embedding.bundle() == Elements.load().by_version[VERSION], "python -m portal.embedding build"


def test_the_guide_names_the_newest_with_its_hash() -> None:
    assert set(re.findall(r"/embed/\S+?\.js", GUIDE)) == {embedding.address()}
    assert set(re.findall(r'integrity="(.*?)"', GUIDE)) == {PUBLISHED[VERSION]}


def test_it_loads_nothing_keeps_nothing_and_makes_no_markup_out_of_text() -> None:
    text = Elements.load().by_version[VERSION].decode()
    assert not re.search(r"\bimport\b|localStorage|sessionStorage|indexedDB|document\.cookie|eval\(", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\.style\b", text)


async def test_pages_of_all_origins_may_load_it_and_keep_it(citizen: Citizen) -> None:
    answer = await citizen.client.get(embedding.address(), headers={"Origin": "https://congdan.example"})
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert embedding.integrity(answer.content) == PUBLISHED[VERSION]


@pytest.mark.parametrize("version", ["0.9.0", "..", "latest"])
async def test_there_is_no_other_version(citizen: Citizen, version: str) -> None:
    assert (await citizen.client.get(f"/embed/{version}/hai-long-rating.js")).status_code == 404
