"""What the whole system shows to the world, and what it writes down: every process real and of its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from attacks.routes import run
from attacks.wire import ask, send
from deploy.local.looking import look
from deploy.reference.metrics import series
from tests.support import stack
from tests.support.citizen import a_citizen
from tests.support.leaks import everything_in, spellings, topics
from tests.support.system import System, a_system, new_phone

pytestmark = pytest.mark.any_servers

SERVICES = ("INTAKE", "VERIFICATION", "AGGREGATION")
LOGGED_SECONDS = 60.0
PHONE = "0905 123 456"
NUMBER = "0905123456"


@pytest.fixture(scope="module")
async def system(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """Talkative: what is written down even then is what an operator can make it write down."""
    folder = tmp_path_factory.mktemp("surface")
    with pytest.MonkeyPatch.context() as environment:
        for service in SERVICES:
            environment.setenv(f"{service}_LOG_LEVEL", "DEBUG")
        async with (
            stack.kafka_server(stack.chosen(), folder / "kafka") as kafka,
            a_system(folder / "local", kafka.bootstrap, postgres, sign_in=True) as system,
        ):
            yield system


def lines(system: System, process: str) -> list[dict[str, Any]]:
    """A process's log, line by line. Each is JSON: what is not would stand outside of every rule."""
    return [json.loads(line) for line in (system.layout.logs / f"{process}.log").read_text().splitlines()]


async def logged(system: System, process: str, **wanted: Any) -> dict[str, Any]:
    """The line that has these values, or has them among its own."""

    def fits(line: dict[str, Any]) -> bool:
        return all(
            value == line.get(name) or value in (line.get(name) or ()) for name, value in wanted.items()
        )

    async with asyncio.timeout(LOGGED_SECONDS):
        while True:
            for line in lines(system, process):
                if fits(line):
                    return line
            await asyncio.sleep(0.05)


async def test_a_rating_is_followed_from_the_portal_to_the_read_model_and_from_outside_it_is_not(
    system: System,
) -> None:
    async with a_citizen(system) as citizen:
        await citizen.rates(PHONE)
        answers = citizen.answers
    sent = await logged(system, "portal", event="request", route="/danh-gia/cong-chuc/{officer_id}/xu-ly")
    kept = await logged(system, "intake", event="submission kept", request_id=sent["request_id"])
    followed = kept["correlation_id"]
    for process, event in (
        ("verification-worker", "outcomes told"),
        ("aggregation-worker", "outcomes counted"),
    ):
        await logged(system, process, event=event, correlation_ids=followed)
    held = [value for answer in answers for value in (*answer.headers.values(), answer.text)]
    assert not [value for value in held if sent["request_id"] in value or followed in value]
    assert not [answer for answer in answers if "x-request-id" in answer.headers]
    kept_for_good = b"".join((await topics(system.kafka_bootstrap)).values())
    for url in system.database_urls.values():
        kept_for_good += await everything_in(url)
    assert followed.encode() in kept_for_good, "the search finds what is there"
    assert sent["request_id"].encode() not in kept_for_good


async def test_a_caller_s_own_request_id_is_taken_over_and_what_the_citizen_holds_is_not_logged(
    system: System,
) -> None:
    mine = "6f1f0c0e-aaaa-4bbb-8ccc-01234abcdeab"
    system.http.headers["X-Request-Id"] = mine
    submitted = await system.submit()
    del system.http.headers["X-Request-Id"]
    assert submitted.answer.headers["x-request-id"] == mine
    kept = await logged(system, "intake", event="submission kept", request_id=mine)
    await system.outcome(submitted.rating_id)
    await logged(
        system, "aggregation-worker", event="outcomes counted", correlation_ids=kept["correlation_id"]
    )
    everything = b"".join(path.read_bytes() for path in system.layout.logs.iterdir())
    assert submitted.rating_id.encode() not in everything


async def test_nobody_gets_an_answer_that_was_not_meant(system: System) -> None:
    result = await run(system.urls())
    assert result.findings == []
    assert {process for process, _ in result.calls} == set(system.urls())
    assert result.calls.total() > 4_000


async def test_no_log_and_no_metric_repeats_a_number_wherever_it_was_put(system: System) -> None:
    system.posted_phones.append(PHONE)
    for url in system.urls().values():
        await _hostile(httpx.URL(url))
    async with a_citizen(system) as citizen:
        await citizen.rates(new_phone())
        for path in (f"/danh-gia/tim-kiem?q={NUMBER}", f"/danh-gia/don-vi/{NUMBER}?q={PHONE}", f"/{NUMBER}"):
            await citizen.get(path)
    refused = await system.submit(phone=f"{PHONE} 999")
    assert refused.answer.status_code == 422
    shown = {
        name: (await system.http.get(f"{system.operations_url(name)}/metrics")).content
        for name in system.parts
    }
    shown |= {path.name: path.read_bytes() for path in system.layout.logs.iterdir()}
    assert b'"request failed"' not in b"".join(shown.values()), "nothing of this is a fault of ours"
    for name in ("intake", "portal", "verification", "aggregation"):
        assert b'"unmatched"' in shown[f"{name}.log"]
    needles = {needle for phone in system.posted_phones for needle in spellings(phone)}
    assert {name for name, content in shown.items() if any(needle in content for needle in needles)} == set()


async def test_every_metric_of_every_process_is_in_the_catalogue(system: System) -> None:
    known = series()
    for name in system.parts:
        shown = (await system.http.get(f"{system.operations_url(name)}/metrics")).text
        families = list(text_string_to_metric_families(shown))
        samples = {sample.name for family in families for sample in family.samples}
        strange = {sample for sample in samples - known if not sample.endswith("_created")}
        assert strange == set(), f"{name} tells what docs/metrics.md does not have"
        assert "http_requests_total" in samples


async def test_one_look_finds_every_process_and_how_far_each_partition_is(system: System) -> None:
    submitted = await system.submit()
    await system.outcome(submitted.rating_id)
    urls = {**system.urls(), "kafka": f"kafka://{system.kafka_bootstrap}"}
    async with asyncio.timeout(LOGGED_SECONDS):
        while True:
            seen = await look(urls, system.database_urls["aggregation"])
            behind = seen.total("aggregation_lag_records") + sum(
                each.end - each.next_offset for each in seen.ways["rating-submissions"].values()
            )
            if not behind and seen.total("aggregation_outcomes_total", result="counted"):
                break
            await asyncio.sleep(0.05)
    assert seen.well, (seen.absent, seen.processes)
    assert {each.name for each in seen.processes} == set(system.parts)
    assert len(seen.ways["rating-outcomes"]) == 6
    assert sum(each.next_offset for each in seen.ways["rating-outcomes"].values()) > 0
    assert set(seen.dead_letters.values()) == {"0"}


@pytest.mark.parametrize("name", ["intake", "verification", "aggregation", "portal"])
async def test_every_program_finds_all_there_on_a_running_system(system: System, name: str) -> None:
    said = await system.run(name, "portal" if name == "portal" else f"services.{name}", "check")
    assert said.splitlines()[-1] == "all there"


async def _hostile(url: httpx.URL) -> None:
    """The number in the address, in headers, in fields of every kind, in what is no JSON and no HTTP."""
    port = url.port or 0
    headers = [
        (name, NUMBER)
        for name in ("User-Agent", "Referer", "X-Request-Id", "Accept-Language", "Idempotency-Key", "Cookie")
    ]
    headers += [("X-Forwarded-For", NUMBER), ("Authorization", f"Bearer {NUMBER}"), (f"X-{NUMBER}", "1")]
    for target in (
        f"/{NUMBER}?phone={NUMBER}",
        f"/v1/ratings/{NUMBER}/outcome?wait={NUMBER}&tries_left={NUMBER}x",
        f"/v1/challenges/{NUMBER}/image.png",
        f"/v1/directory/officers/{NUMBER}",
        f"/v1/satisfaction/units/{NUMBER}?from={NUMBER}&edition={NUMBER}",
        f"/v1/live?scope=officer:{NUMBER}&last_event_id={NUMBER}",
        f"/danh-gia/cong-chuc/{NUMBER}?kenh={NUMBER}",
        f"/ket-qua/don-vi/{NUMBER}?lang={NUMBER}",
        f"/%30%39%30%35%31%32%33%34%35%36/{NUMBER}",
    ):
        for method in ("GET", "POST", "DELETE"):
            await ask(port, method, target, headers)
    bodies = [
        (
            json.dumps(dict.fromkeys(("edition_id", "officer_id", "answer", NUMBER), NUMBER)),
            "application/json",
        ),
        (
            json.dumps({"phone": [NUMBER], "reasons": NUMBER, "challenge": NUMBER, "consent": NUMBER}),
            "application/json",
        ),
        (json.dumps([NUMBER]), "application/json"),
        (f'{{"phone": "{NUMBER}"', "application/json"),
        (f"phone={NUMBER}&token={NUMBER}&answer={NUMBER}", "application/x-www-form-urlencoded"),
        (
            f"--{NUMBER}\r\nContent-Disposition: form-data; name=phone\r\n\r\n{NUMBER}",
            f"multipart/form-data; boundary={NUMBER}",
        ),
        (NUMBER, f"text/{NUMBER}"),
    ]
    async with httpx.AsyncClient(base_url=url) as http:
        for path in (
            "/v1/ratings",
            f"/v1/ratings/{NUMBER}/phone-code",
            "/v1/challenges",
            "/danh-gia/cong-chuc/x",
        ):
            for body, kind in bodies:
                await http.post(
                    path, content=body, headers={"Content-Type": kind, "Idempotency-Key": "k" * 20}
                )
    for raw in (
        f"{NUMBER} / HTTP/1.1\r\n\r\n",
        f"GET /{NUMBER} HTTP/{NUMBER}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {NUMBER}\r\n{NUMBER}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: t\r\nContent-Length: {NUMBER}x\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: t\r\nUpgrade: {NUMBER}\r\nConnection: upgrade, close\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: t\r\nX: {NUMBER * 2_000}\r\n\r\n",
    ):
        await send(port, raw.encode())
