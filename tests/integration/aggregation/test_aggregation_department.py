"""A department's full figures over the query API, by tokens of a real identity provider."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.events import Publication
from tests.support.aggregation import Stage
from tests.support.identity_provider import Running, an_identity_provider
from tests.support.outcomes import GROUP, UNIT, accepted

pytestmark = pytest.mark.any_servers

OFFICER, OTHER, OTHERS = f"{UNIT}.a", "so-xay-dung", "so-xay-dung.b"


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Running]:
    async with an_identity_provider(tmp_path / "provider") as running:
        yield running


async def test_what_the_public_is_not_shown_its_department_sees_and_no_other(
    stage: Stage, provider: Running
) -> None:
    await stage.publication(Publication())
    await stage.worker()
    api = await stage.api(**provider.settings)
    now = datetime.now(UTC)
    await stage.send([accepted(OFFICER, at=now), accepted(OFFICER, at=now, answer="not_satisfied")])
    await stage.send([accepted(OTHERS, unit=OTHER, at=now)])
    await stage.counts(3)
    async with httpx.AsyncClient(base_url=f"{api.url}/v1") as client:

        async def asked(path: str, token: str = "") -> tuple[int, dict[str, Any]]:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            answer = await client.get(path, headers=headers)
            return answer.status_code, answer.json()

        public = (await asked(f"satisfaction/officers/{OFFICER}"))[1]
        assert public["total"] in (None, 0)
        mine = f"department/satisfaction/officers/{OFFICER}"
        token = (await provider.signed_in("head-of-unit")).token
        status, full = await asked(mine, token)
        assert (status, full["total"], full["satisfied"], full["suppressed"]) == (200, 2, 1, False)
        assert full["channels"] == [{"id": "portal", "count": 2}]
        days = (await asked(f"{mine}/history", token))[1]["days"]
        assert [day["total"] for day in days if day["total"]] == [2]
        children = (await asked(f"department/satisfaction/units/{UNIT}/children", token))[1]["children"]
        rated = [(child["scope"]["id"], child["total"]) for child in children if child["total"]]
        assert rated == [(OFFICER, 2)], "the directory may hold officers of other tests"
        overview = (await asked("department/overview", token))[1]["scopes"]
        assert [(each["scope"]["id"], each["total"]) for each in overview] == [(UNIT, 2)]
        for path in (f"units/{OTHER}", f"officers/{OTHERS}", f"groups/{GROUP}", "city", "units/nowhere"):
            assert (await asked(f"department/satisfaction/{path}", token))[0] == 404
        assert (await asked(mine))[0] == 401
        group = (await provider.signed_in("head-of-group")).token
        assert (await asked(f"department/satisfaction/officers/{OTHERS}", group))[1]["total"] == 1
        assert (await asked("department/satisfaction/city", group))[0] == 404
        everything = (await provider.signed_in("survey-office")).token
        assert (await asked("department/satisfaction/city", everything))[1]["total"] == 3
        nothing = (await provider.signed_in("nobody")).token
        assert (await asked(mine, nothing))[0] == 404
    lines = [json.loads(line) for line in api.log.read_text().splitlines()]
    read = [line for line in lines if line["event"] == "full figures read"]
    assert {scope for line in read for scope in line["scopes"]} >= {f"officer:{OFFICER}", f"unit:{UNIT}"}
    assert len({line["subject"] for line in read}) == 3
    assert "head-of-unit" not in api.log.read_text()
