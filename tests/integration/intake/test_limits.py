"""Two intake processes on one Kafka: what one takes in counts at the other, also after both begin anew."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from attacks.intakes import Headers, Intakes, bearer, caller_at, intakes, post
from chassis.kafka import KafkaClient
from deploy.local.ports import free_ports
from services.intake.adapters.key_files import create_keys
from services.intake.bootstrap import create
from services.intake.settings import Settings
from tests.support.intake_world import eventually

pytestmark = pytest.mark.any_servers

LIMITS = {"limit_session": "5", "limit_lone_block": "10", "limit_officer": "1000000"}


@pytest.fixture(scope="module")
async def there(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Intakes]:
    async with intakes(tmp_path_factory.mktemp("limits"), kafka_bootstrap) as there:
        await asyncio.gather(there.start(**LIMITS), there.start(**LIMITS))
        yield there


@pytest.fixture(scope="module")
async def portal(there: Intakes) -> tuple[str, str]:
    """The portal's key, as a header, in force at both."""
    key = bearer(await there.key_of(f"portal-{there.edition}", "portal"))
    await told(there, key, 422)
    return key


async def told(there: Intakes, key: tuple[str, str], status: int) -> None:
    """Wait until both answer so to a rating of no edition: with 422 where the key is in force."""
    async with caller_at("127.0.0.1") as http:
        for replica in there.processes:

            async def answered(url: str = replica.url) -> bool:
                return (await post(http, url, there.rating(edition_id="none"), [key])).status_code == status

            await eventually(answered, why=f"{replica.url} answers {status}")


def visiting(key: tuple[str, str], session: str, address: str = "203.0.113.7") -> Headers:
    return [
        key,
        ("Hailong-Session", f"visit-of-{session:>16}".replace(" ", "0")),
        ("X-Forwarded-For", address),
    ]


async def counted(operations_url: str) -> float:
    """How many ratings of other replicas the one there has counted."""
    async with httpx.AsyncClient() as http:
        shown = (await http.get(f"{operations_url}/metrics")).text
    found = re.search(r'^intake_tail_records_total\{counted="true"\} (\S+)$', shown, re.MULTILINE)
    return float(found[1]) if found else 0.0


@asynccontextmanager
async def shown_by_the_log(operations_url: str, ratings: int) -> AsyncIterator[None]:
    """What is taken in by others meanwhile is counted there afterwards."""
    before = await counted(operations_url)
    yield

    async def all_() -> bool:
        return await counted(operations_url) >= before + ratings

    await eventually(all_, why=f"{ratings} ratings are counted")


async def test_what_one_replica_takes_in_counts_at_the_other_also_after_both_begin_anew(
    there: Intakes, portal: tuple[str, str]
) -> None:
    a, b = there.processes
    mine = visiting(portal, "mine")
    async with caller_at("127.0.1.1") as http:
        async with shown_by_the_log(b.operations_url, 5):
            taken = [await post(http, a.url, there.rating(), mine, f"{n:016}") for n in range(5)]
        assert {answer.status_code for answer in taken} == {202}
        for again in range(2):
            for replica in (a, b):
                answer = await post(http, replica.url, there.rating(), mine)
                assert answer.status_code == 429, f"at {replica.url}, after {again} restarts"
                assert int(answer.headers["retry-after"]) > 0
            if not again:
                await asyncio.gather(a.restart(), b.restart())
        others = await post(http, b.url, there.rating(), visiting(portal, "another"))
        assert others.status_code == 202


async def test_a_retry_at_another_replica_is_neither_counted_nor_refused(
    there: Intakes, portal: tuple[str, str]
) -> None:
    a, b = there.processes
    mine = visiting(portal, "patient")
    body = there.rating()
    async with caller_at("127.0.2.1") as http:
        async with shown_by_the_log(b.operations_url, 5):
            first = await post(http, a.url, body, mine, "k" * 16)
            for _ in range(4):
                await post(http, a.url, there.rating(), mine)
        assert (await post(http, b.url, there.rating(), mine)).status_code == 429
        again = await post(http, b.url, body, mine, "k" * 16)
        assert (again.status_code, again.json()["rating_id"]) == (202, first.json()["rating_id"])


async def test_an_office_with_300_citizens_gets_all_of_them_in(
    there: Intakes, portal: tuple[str, str]
) -> None:
    at_once = asyncio.Semaphore(8)

    async def one(http: httpx.AsyncClient, number: int) -> int:
        async with at_once:
            url = there.processes[number % 2].url
            headers = visiting(portal, f"citizen-{number}", "203.0.113.99")
            return (await post(http, url, there.rating(), headers)).status_code

    both = [shown_by_the_log(each.operations_url, 150) for each in there.processes]
    async with caller_at("127.0.3.1") as http, both[0], both[1]:
        assert await asyncio.gather(*(one(http, number) for number in range(300))) == [202] * 300


async def test_a_flood_without_a_key_from_one_block_is_stopped_and_its_neighbour_is_not(
    there: Intakes,
) -> None:
    a, b = there.processes
    taken = 0
    async with caller_at("127.0.4.1") as http:
        async with shown_by_the_log(b.operations_url, 10):
            for _ in range(30):
                taken += (await post(http, a.url, there.rating())).status_code == 202
        assert taken == 10
        assert (await post(http, b.url, there.rating())).status_code == 429
    async with caller_at("127.0.4.77") as http:  # the same block
        assert (await post(http, b.url, there.rating())).status_code == 429
    async with caller_at("127.0.5.1") as http:
        assert (await post(http, b.url, there.rating())).status_code == 202


async def test_what_an_untrusted_peer_says_of_addresses_is_ignored(there: Intakes) -> None:
    a, _ = there.processes
    async with caller_at("127.0.6.1") as http:
        answers = [
            await post(http, a.url, there.rating(), [("X-Forwarded-For", f"198.18.{number}.1")])
            for number in range(15)
        ]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429] * 5


async def test_a_revoked_key_is_refused_by_both_while_the_new_one_goes_on(
    there: Intakes,
) -> None:
    client = f"rotating-{there.edition}"
    old = bearer(await there.key_of(client, "portal"))
    await told(there, old, 422)
    said = await there.run("services.intake", "clients", "rotate", client)
    new = bearer(said.splitlines()[-1])
    await told(there, new, 422)
    listed = await there.run("services.intake", "clients", "list")
    [old_id, _] = re.findall(rf"^ *{client} .* ([0-9a-f]{{8}})\b", listed, re.MULTILINE)
    await there.run("services.intake", "clients", "revoke", client, "--key", old_id)
    await told(there, old, 401)
    await told(there, new, 422)
    await there.run("services.intake", "clients", "revoke", client)
    await told(there, new, 401)


async def test_limits_go_on_alone_while_kafka_is_away_and_say_so(tmp_path: Path) -> None:
    [port] = free_ports(1)
    settings = Settings(kafka=KafkaClient(bootstrap=f"127.0.0.1:{port}"), keys_dir=tmp_path / "keys")
    create_keys(settings.keys_dir, "any")
    app = create(settings)
    async with app.router.lifespan_context(app):
        check = app.state.readiness.checks["limits"]
        await eventually(lambda: not check.ok and check.detail != "waiting", why="the outage shows")
        assert not check.required
        assert app.state.owned.failure is None
