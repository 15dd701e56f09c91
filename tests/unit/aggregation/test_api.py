"""The query API over a fake store: what is asked, checked and answered."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import REGISTRY

from chassis.readiness import Check
from contracts.city_time import city_day
from contracts.events import Scale, ScaleChoice, ScaleKind, ScaleQuestion, Text
from services.aggregation import api, examples
from services.aggregation.comparisons import Change, Children
from services.aggregation.documents import Figures, History, Period, Satisfaction, Snapshot
from services.aggregation.domain import CITY, Level, Measure, Scope
from services.aggregation.edition import NO_DAYS, TOO_FEW, Published
from services.aggregation.files_handled import USUAL_SAMPLE, FilesHandled, sample_of
from services.aggregation.live import Hub, Stream
from services.aggregation.scale_documents import Scales
from services.aggregation.scales import Answered
from tests.support.figures_app import ever_new, figures_app

UNIT, OFFICER = Scope(Level.UNIT, "u"), Scope(Level.OFFICER, "o")
TODAY = city_day(datetime.now(UTC))


@dataclass
class Store:
    published: dict[Scope, Published] = field(
        default_factory=lambda: {scope: Published() for scope in (CITY, UNIT, OFFICER)}
    )
    by_day: dict[date, Published] = field(default_factory=dict)
    below: list[Scope] = field(default_factory=lambda: [UNIT])
    asked: list[Period] = field(default_factory=list)
    away: bool = False
    looked_back_to: list[date | None] = field(default_factory=list)
    answered: list[Answered] = field(default_factory=list)

    async def figures(self, scopes: Sequence[Scope], period: Period) -> Snapshot:
        if self.away:
            raise ConnectionError
        self.asked.append(period)
        name = Text(vi="Sở", en="Department")
        found = [Figures(s, s in self.published, name) for s in scopes]
        return Snapshot(7, [replace(f, published=self.published.get(f.scope, Published())) for f in found])

    async def days(
        self, scope: Scope, edition: str | None, *, predecessors: bool = False, as_of: date | None = None
    ) -> dict[date, Published]:
        self.looked_back_to.append(as_of)
        assert not predecessors
        assert (scope in self.published, edition) == (True, None)
        return self.by_day

    async def scales(self, unit: str, edition: str | None) -> list[Answered]:
        assert (unit, edition) == (UNIT.id, "2017")
        return self.answered

    async def children(self, scope: Scope) -> list[Scope]:
        return self.below if scope.level in (Level.CITY, Level.GROUP) else []

    def outage(self, error: BaseException) -> bool:
        return isinstance(error, ConnectionError)

    async def wait(self) -> None:
        raise AssertionError("no stream is open")


def answered(satisfied: int, not_satisfied: int) -> Published:
    return Published(
        {(Measure.ANSWER, "satisfied"): satisfied, (Measure.ANSWER, "not_satisfied"): not_satisfied}
    )


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def app(store: Store) -> FastAPI:
    return figures_app(store)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://t/v1") as client:
        yield client


async def problem(client: httpx.AsyncClient, url: str, language: str = "en") -> dict[str, Any]:
    response = await client.get(url, headers={"Accept-Language": language})
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    return body


async def test_figures_say_counts_rate_interval_and_what_else_was_counted(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.published[UNIT] = Published(
        {
            (Measure.ANSWER, "satisfied"): 3,
            (Measure.ANSWER, "not_satisfied"): 1,
            (Measure.REASON, "late"): 1,
            (Measure.CHANNEL, "portal"): 4,
            (Measure.HOUR, "14"): 3,
            (Measure.HOUR, "09"): 1,
            (Measure.WEEKDAY, "5"): 3,
            (Measure.WEEKDAY, "1"): 1,
            (Measure.ASSURANCE, "captcha"): 1,
            (Measure.ASSURANCE, "phone_code"): 3,
            (Measure.REJECTION, "duplicate"): 2,
        },
        left_out=frozenset({Measure.REASON}),
    )
    body = (await client.get("satisfaction/units/u")).json()
    assert (body["total"], body["satisfied"], body["not_satisfied"], body["rate"]) == (4, 3, 1, 0.75)
    assert body["interval"]["low"] == pytest.approx(0.3006, abs=1e-4)
    assert body["reasons"] == [{"id": "late", "count": 1}]
    assert body["channels"] == [{"id": "portal", "count": 4}]
    assert body["hours"] == [{"id": "09", "count": 1}, {"id": "14", "count": 3}]
    assert body["weekdays"] == [{"id": "1", "count": 1}, {"id": "5", "count": 3}]
    assert [item["id"] for item in body["assurances"]] == ["phone_code", "captcha"]
    assert body["rejected"] == [{"reason": "duplicate", "count": 2}]
    assert body["left_out"] == ["reason"]
    assert (body["suppressed"], body["partial"], body["from"]) == (False, False, None)


async def test_figures_of_too_few_say_so_and_say_nothing_else(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.published[UNIT] = TOO_FEW
    body = (await client.get("satisfaction/units/u")).json()
    assert (body["suppressed"], body["partial"]) == (True, True)
    assert {body[name] for name in ("total", "satisfied", "not_satisfied", "rate", "interval")} == {None}
    lists = ("reasons", "channels", "hours", "weekdays", "assurances", "rejected")
    assert all(body[name] == [] for name in lists)
    children = (await client.get("satisfaction/city/children")).json()["children"]
    assert [(child["suppressed"], child["total"]) for child in children] == [(True, None)]


async def test_days_of_too_few_say_so_and_no_day_of_an_officer_is_shown(
    client: httpx.AsyncClient, store: Store
) -> None:
    assert NO_DAYS.suppressed
    store.by_day = {TODAY: TOO_FEW, TODAY - timedelta(days=1): Published({(Measure.ANSWER, "satisfied"): 9})}
    city = (await client.get("satisfaction/city/history")).json()["days"]
    assert [(day["suppressed"], day["total"]) for day in city[-3:]] == [(False, 0), (False, 9), (True, None)]
    store.by_day = {}
    officer = (await client.get("satisfaction/officers/o/history")).json()["days"]
    assert {(day["suppressed"], day["total"]) for day in officer} == {(True, None)}


async def test_a_known_place_without_ratings_has_zeros_and_no_rate(client: httpx.AsyncClient) -> None:
    body = (await client.get("satisfaction/units/u")).json()
    assert (body["total"], body["rate"], body["interval"]) == (0, None, None)


@pytest.mark.parametrize(
    "path",
    [
        "satisfaction/units/x",
        "satisfaction/units/%00",
        "satisfaction/officers/x/history",
        "live?scope=unit:x",
    ],
)
async def test_an_unknown_place_is_a_problem(client: httpx.AsyncClient, path: str) -> None:
    body = await problem(client, path)
    assert (body["status"], body["type"]) == (404, "urn:hailong:problem:scope_unknown")


async def test_another_kind_of_place_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await problem(client, "satisfaction/streets/u"))["type"] == "urn:hailong:problem:not_found"


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ("satisfaction/city?from=23.11.2017", "from", "not_a_day"),
        ("satisfaction/city?to=2017-02-30", "to", "not_a_day"),
        ("satisfaction/city?from=20171123", "from", "not_a_day"),
        ("satisfaction/city?from=2017-11-23&to=2017-11-22", "to", "backwards"),
        ("satisfaction/city?edition=%00", "edition", "not_an_id"),
        ("satisfaction/city/history?from=2016-01-01&to=2017-12-31", "from", "too_many_days"),
        ("satisfaction/city/change?from=2016-01-01&to=2017-12-31", "from", "too_many_days"),
        ("live", "scope", "scopes"),
        ("live?scope=officer", "scope", "scopes"),
        ("live?" + "&".join(f"scope=unit:u{n}" for n in range(21)), "scope", "scopes"),
    ],
)
async def test_a_query_that_is_not_valid_names_the_field_in_both_languages(
    client: httpx.AsyncClient, query: str, pointer: str, code: str
) -> None:
    (english,) = (await problem(client, query, "en"))["errors"]
    (vietnamese,) = (await problem(client, query, "vi"))["errors"]
    assert (english["pointer"], english["code"]) == (pointer, code)
    assert english["detail"] != vietnamese["detail"]


async def test_the_period_asked_for_is_the_period_read(client: httpx.AsyncClient, store: Store) -> None:
    await client.get("satisfaction/city?edition=2017&from=2017-11-01&to=2017-11-30")
    assert store.asked == [Period("2017", date(2017, 11, 1), date(2017, 11, 30))]


async def test_history_has_every_day_with_zeros_where_nobody_rated(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.by_day = {date(2017, 11, 2): Published({(Measure.ANSWER, "satisfied"): 5})}
    days = (await client.get("satisfaction/city/history?from=2017-11-01&to=2017-11-03")).json()["days"]
    assert [(day["day"], day["total"]) for day in days] == [
        ("2017-11-01", 0),
        ("2017-11-02", 5),
        ("2017-11-03", 0),
    ]


async def test_history_can_be_of_days_as_they_stood_at_the_end_of_an_earlier_one(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.published[CITY] = answered(1, 0)
    store.by_day = {date(2017, 11, 2): answered(2, 1)}
    found = (await client.get("satisfaction/city/history?as_of=2017-11-03&from=2017-11-02")).json()
    assert store.looked_back_to == [date(2017, 11, 3)]
    assert found["as_of"] == "2017-11-03"
    assert [(day["day"], day["total"]) for day in found["days"]] == [("2017-11-02", 3), ("2017-11-03", 0)]
    assert store.asked[-1].as_of is None, "whom it is about stands as it does"
    wrong = await problem(client, "satisfaction/city/history?as_of=yesterday")
    assert [error["pointer"] for error in wrong["errors"]] == ["as_of"]


@pytest.mark.parametrize("ahead", [0, 3])
async def test_history_is_of_30_days_up_to_today_or_the_last_day_with_figures(
    client: httpx.AsyncClient, store: Store, ahead: int
) -> None:
    store.by_day = {TODAY + timedelta(days=ahead): Published({(Measure.ANSWER, "satisfied"): 9})}
    days = (await client.get("satisfaction/city/history")).json()["days"]
    assert (len(days), days[-1]["day"]) == (30, str(TODAY + timedelta(days=ahead)))


async def test_children_come_with_their_figures(client: httpx.AsyncClient) -> None:
    body = (await client.get("satisfaction/city/children")).json()
    assert [child["scope"]["id"] for child in body["children"]] == ["u"]
    assert "reasons" not in body["children"][0]


async def test_children_have_a_place_among_each_other_as_far_as_intervals_allow(
    client: httpx.AsyncClient, store: Store
) -> None:
    for place, satisfied in (("a", 95), ("b", 90), ("c", 20)):
        store.published[Scope(Level.UNIT, place)] = answered(satisfied, 100 - satisfied)
    store.published[Scope(Level.UNIT, "d")] = TOO_FEW
    store.below = [Scope(Level.UNIT, place) for place in "abcd"]
    children = (await client.get("satisfaction/city/children")).json()["children"]
    assert [child["rank"] for child in children] == [
        {"best": 1, "worst": 2, "of": 3},
        {"best": 1, "worst": 2, "of": 3},
        {"best": 3, "worst": 3, "of": 3},
        None,
    ]


@pytest.mark.parametrize(
    ("published", "funnel"),
    [
        (({}, set()), (0, 0, 0, True)),
        (({"duplicate": 6, "expired": 5}, set()), (11, 0, 11, True)),
        (({"duplicate": 6}, {Measure.REJECTION}), (6, 0, 6, False)),
        (({}, {Measure.REJECTION}), (None, 0, None, False)),
    ],
)
async def test_the_funnel_says_how_many_count_of_those_decided_and_nothing_of_too_few(
    client: httpx.AsyncClient,
    store: Store,
    published: tuple[dict[str, int], set[Measure]],
    funnel: tuple[int | None, int, int | None, bool],
) -> None:
    rejected, left_out = published
    counts = {(Measure.REJECTION, reason): count for reason, count in rejected.items()}
    store.published[UNIT] = Published(counts, left_out=frozenset(left_out))
    found = (await client.get("satisfaction/units/u")).json()["funnel"]
    assert tuple(found.values()) == funnel
    store.published[UNIT] = Published({**counts, **answered(7, 1).counts}, left_out=frozenset(left_out))
    found = (await client.get("satisfaction/units/u")).json()["funnel"]
    assert found["accepted"] == 8
    assert found["decided"] == (None if funnel[0] is None else funnel[0] + 8)


async def test_a_change_is_of_the_period_and_the_one_before_it_as_long(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.by_day = {
        date(2017, 11, 3): answered(1000, 0),
        date(2017, 11, 4): answered(40, 10),
        date(2017, 11, 6): answered(8, 22),
        date(2017, 11, 7): answered(56, 14),
        date(2017, 11, 9): TOO_FEW,
        date(2017, 11, 10): answered(0, 1000),
    }
    body = (await client.get("satisfaction/city/change?from=2017-11-07&to=2017-11-09")).json()
    spans = [
        tuple(body[name][key] for key in ("from", "to", "total", "partial")) for name in ("now", "before")
    ]
    assert spans == [("2017-11-07", "2017-11-09", 70, True), ("2017-11-04", "2017-11-06", 80, False)]
    assert body["difference"] == pytest.approx(0.2)
    assert (body["interval"]["confidence"], body["interval"]["method"]) == (0.95, "newcombe")
    assert body["interval"]["low"] == pytest.approx(0.0524, abs=5e-5)
    assert body["more_than_noise"] is True


async def test_a_change_is_of_30_days_up_to_today_and_the_30_before(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.by_day = {TODAY + timedelta(days=1): answered(9, 0)}
    body = (await client.get("satisfaction/city/change")).json()
    spans = [
        (date.fromisoformat(body[name]["from"]), date.fromisoformat(body[name]["to"]))
        for name in ("before", "now")
    ]
    assert spans[1][1] == TODAY
    assert [(last - first).days for first, last in spans] == [29, 29]
    assert spans[0][1] == spans[1][0] - timedelta(days=1)
    assert (body["now"]["total"], body["now"]["suppressed"], body["difference"]) == (0, False, None)


@pytest.mark.parametrize("few", [date(2017, 11, 6), date(2017, 11, 7)])
async def test_where_either_side_has_nothing_that_is_public_no_change_is_told(
    client: httpx.AsyncClient, store: Store, few: date
) -> None:
    store.by_day = {date(2017, 11, 6): answered(9, 1), date(2017, 11, 7): answered(1, 9)} | {few: TOO_FEW}
    body = (await client.get("satisfaction/city/change?from=2017-11-07&to=2017-11-07")).json()
    assert {body[name] for name in ("difference", "interval", "more_than_noise")} == {None}
    assert body["now" if few.day == 7 else "before"]["suppressed"]


async def test_an_officers_change_is_not_told(client: httpx.AsyncClient) -> None:
    body = (await client.get("satisfaction/officers/o/change")).json()
    assert (body["now"]["suppressed"], body["before"]["suppressed"]) == (True, True)
    assert {body[name] for name in ("difference", "interval", "more_than_noise")} == {None}


@pytest.mark.parametrize(
    ("query", "year"),
    [
        ("", TODAY.year),
        ("?from=2001-01-01", TODAY.year),
        ("?from=2016-12-01&to=2017-11-30", 2017),
        ("?edition=2017&to=2017-11-30", 2017),
    ],
)
async def test_the_response_is_of_the_calendar_year_in_which_the_period_ends(
    app: FastAPI, client: httpx.AsyncClient, store: Store, query: str, year: int
) -> None:
    handled = FilesHandled({year: {"u": 100, "closed": 7}}, sample_of(USUAL_SAMPLE))
    api.attach(app, ever_new(store), app.state.hub, api.Pace(), handled)
    store.published[UNIT] = answered(70, 10)
    for scope in ("units/u", "city"):
        body = (await client.get(f"satisfaction/{scope}{query}")).json()
        assert store.asked[-1] == Period(None, date(year, 1, 1), date(year, 12, 31))
        assert body["response"] == {
            "year": year,
            "units": 1,
            "files": 100,
            "ratings": 80,
            "rate": 0.8,
            "required": 100,
            "reached": False,
        }
    assert (await client.get(f"satisfaction/officers/o{query}")).json()["response"] is None


async def test_a_groups_response_is_of_its_units_that_gave_a_number(
    app: FastAPI, client: httpx.AsyncClient, store: Store
) -> None:
    group, other = Scope(Level.GROUP, "g"), Scope(Level.UNIT, "other")
    store.published |= {group: answered(9, 9), other: answered(9, 9), UNIT: answered(50, 0)}
    handled = FilesHandled({TODAY.year: {"u": 100, "elsewhere": 7}}, sample_of(USUAL_SAMPLE))
    store.below = [UNIT, other]
    api.attach(app, ever_new(store), app.state.hub, api.Pace(), handled)
    body = (await client.get("satisfaction/groups/g")).json()["response"]
    assert (body["units"], body["files"], body["ratings"]) == (1, 100, 50)
    assert (await client.get("satisfaction/units/other")).json()["response"] is None


async def test_figures_that_did_not_change_are_not_sent_again(
    client: httpx.AsyncClient, store: Store
) -> None:
    first = await client.get("satisfaction/city")
    again = await client.get("satisfaction/city", headers={"If-None-Match": first.headers["etag"]})
    store.published[CITY] = Published({(Measure.ANSWER, "satisfied"): 9})
    changed = await client.get("satisfaction/city", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, changed.status_code) == (200, 304, 200)
    assert again.content == b""
    assert first.headers["cache-control"] == "no-cache"


async def test_any_page_may_read_the_figures(client: httpx.AsyncClient) -> None:
    response = await client.get("satisfaction/city", headers={"Origin": "https://example.org"})
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", ["satisfaction/city", "satisfaction/city/history", "live?scope=city"])
async def test_an_outage_asks_to_come_back(client: httpx.AsyncClient, store: Store, path: str) -> None:
    store.away = True
    body = await problem(client, path)
    assert (body["status"], body["retry_after"]) == (503, 2)


def question(name: str) -> ScaleQuestion:
    texts = {choice: Text(vi=choice, en=choice) for choice in ("good", "bad")}
    points = {"good": 2, "bad": 0}
    choices = tuple(ScaleChoice(id=c, text=text, points=points[c]) for c, text in texts.items())
    return ScaleQuestion(id=name, text=Text(vi=name, en=name), choices=choices)


def scale(kind: ScaleKind, *questions: str) -> Scale:
    asked = tuple(question(name) for name in questions)
    return Scale(id=kind.value, title=Text(vi="Thang", en="Scale"), kind=kind, questions=asked)


async def test_of_scales_points_have_means_and_their_sum_and_levels_have_shares(
    client: httpx.AsyncClient, store: Store
) -> None:
    all_of_it = {"time": {"good": 15, "bad": 5}, "staff": {"good": 10}}
    store.answered = [
        Answered("2017", scale(ScaleKind.POINTS, "time", "staff"), all_of_it),
        Answered("2017", scale(ScaleKind.LEVELS, "time"), {"time": {"good": 15, "bad": 5}}),
    ]
    answer = await client.get("satisfaction/units/u/scales?edition=2017")
    points, levels = answer.json()["scales"]
    assert points["points"] == {"sum": 1.5 + 2, "most": 4}
    assert [(q["mean"], q["answered"], q["suppressed"]) for q in points["questions"]] == [
        (1.5, 20, False),
        (2.0, 10, False),
    ]
    time = levels["questions"][0]
    assert (levels["points"], time["mean"]) == (None, None)
    assert [(c["id"], c["count"], c["share"]) for c in time["choices"]] == [
        ("good", 15, 0.75),
        ("bad", 5, 0.25),
    ]
    again = {"If-None-Match": answer.headers["etag"]}
    assert (await client.get("satisfaction/units/u/scales?edition=2017", headers=again)).status_code == 304


async def test_a_question_that_is_not_shown_says_so_and_its_scale_has_no_sum(
    client: httpx.AsyncClient, store: Store
) -> None:
    store.answered = [Answered("2017", scale(ScaleKind.POINTS, "time", "staff"), {"time": {"good": 9}})]
    (found,) = (await client.get("satisfaction/units/u/scales?edition=2017")).json()["scales"]
    staff = found["questions"][1]
    assert (staff["suppressed"], staff["answered"], staff["mean"], staff["choices"]) == (True, None, None, [])
    assert found["points"] is None


async def test_scales_are_of_units_that_are_known_alone(client: httpx.AsyncClient) -> None:
    assert (await problem(client, "satisfaction/units/x/scales"))["status"] == 404
    assert (await problem(client, "satisfaction/officers/o/scales"))["status"] == 404
    asked = await problem(client, "satisfaction/units/u/scales?edition=%00")
    assert (asked["status"], asked["errors"][0]["pointer"]) == (422, "edition")


async def test_the_api_describes_itself(client: httpx.AsyncClient) -> None:
    document = json.loads((await client.get("http://t/openapi.json")).content)
    models = {model.__name__: model for model in (Satisfaction, History, Change, Children, Scales)}
    routes = {path: each["get"] for path, each in document["paths"].items() if path.startswith("/v1/")}
    assert len(routes) == 10
    for path, route in routes.items():
        assert route["summary"]
        assert re.search(r"`curl -sN? \"\$AGGREGATION/v1/", route["description"])
        (shown,) = route["responses"]["200"]["content"].values()
        if path == "/v1/live":
            assert shown["example"].startswith("id: 4711\nevent: figures\ndata: {")
            continue
        model = models[shown["schema"]["$ref"].rpartition("/")[2]]
        assert (
            model.model_validate(shown["example"]).model_dump(mode="json", by_alias=True) == shown["example"]
        )


@pytest.mark.parametrize("path", ["city", "units/u"])
async def test_what_is_answered_looks_like_its_example(
    client: httpx.AsyncClient, store: Store, path: str
) -> None:
    store.below = [UNIT]
    for below, example in (
        ("", examples.SATISFACTION),
        ("/history", examples.HISTORY),
        ("/change", examples.CHANGE),
        ("/children", examples.CHILDREN),
    ):
        assert (await client.get(f"satisfaction/{path}{below}")).json().keys() == example.keys()


async def test_more_live_streams_than_there_may_be_are_asked_to_come_back(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    hub: Hub = app.state.hub
    stream = await hub.join([CITY], 0)
    assert isinstance(stream, Stream)
    body = await problem(client, "live?scope=city")
    assert (body["status"], body["type"]) == (503, "urn:hailong:problem:live_full")
    assert str(body["retry_after"]) in body["detail"]
    hub.leave(stream)
    assert not hub.full


async def test_a_stream_that_nobody_reads_ends_and_is_forgotten(store: Store) -> None:
    hub = Hub(store, store, Check("postgres"))
    stream = await hub.join([CITY], 0)
    assert isinstance(stream, Stream)
    dropped = REGISTRY.get_sample_value("aggregation_live_clients_dropped_total") or 0.0

    async def receive() -> dict[str, Any]:
        await asyncio.get_running_loop().create_future()
        raise AssertionError("never done")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.get_running_loop().create_future()  # the client's buffers are full

    async with asyncio.timeout(5):
        await api._LiveResponse(hub, stream, api.Pace(slow=0.05))(
            {"type": "http", "method": "GET"}, receive, send
        )
    assert REGISTRY.get_sample_value("aggregation_live_clients_dropped_total") == dropped + 1
    assert not hub._streams
