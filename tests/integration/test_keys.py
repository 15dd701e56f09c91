"""The life of keys in the whole system: made, rotated while everything runs, and destroyed for good."""

import asyncio
import re
import secrets
import stat
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.layout import CHECKOUT
from tests.support import stack
from tests.support.key_attack import Spoils, attack, keys_in
from tests.support.leaks import everything_in, topics
from tests.support.system import Submitted, System, a_system, new_phone

PHONE_EDITION = "2018"


@pytest.fixture(scope="module")
async def system(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """On a broker of its own: the log is this system's alone."""
    folder = tmp_path_factory.mktemp("system")
    async with (
        stack.kafka_server(stack.chosen(), folder / "kafka") as kafka,
        a_system(folder / "local", kafka.bootstrap, postgres) as system,
    ):
        await system.publish(PHONE_EDITION, alone=False, verification="phone")
        yield system


async def keys(system: System, service: str, *arguments: str) -> str:
    return await system.run(service, f"services.{service}", "keys", *arguments)


async def refused(system: System, service: str, *arguments: str) -> str:
    """What a command says that ends with a failure."""
    with pytest.raises(StackError) as refusal:
        await keys(system, service, *arguments)
    return "\n".join([str(refusal.value), *refusal.value.details])


async def kept(system: System) -> dict[str, bytes]:
    """All bytes of all topics, aborted ones too, and all rows of all databases."""
    everything = {f"topic {name}": held for name, held in (await topics(system.kafka_bootstrap)).items()}
    for name, url in system.database_urls.items():
        everything[f"database {name}"] = await everything_in(url)
    return everything


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True).stdout
    return [path for name in listed.decode().split("\0") if (path := CHECKOUT / name).is_file()]


async def asked_for_a_code(system: System) -> tuple[Submitted, str]:
    known = len(system.text_messages())
    submitted = await system.submit(edition_id=PHONE_EDITION, challenge=None)
    await system.outcome(submitted.rating_id, status="phone_code_needed")
    async with asyncio.timeout(60):
        while len(system.text_messages()) == known:
            await asyncio.sleep(0.02)
    found = re.search(r"\b\d{6}\b", system.text_messages()[-1])
    assert found is not None
    return submitted, found[0]


async def enter(system: System, submitted: Submitted, code: str) -> int:
    answer = await system.http.post(
        f"{system.url('intake')}/v1/ratings/{submitted.rating_id}/phone-code",
        json={"edition_id": PHONE_EDITION, "code": code},
        headers={"Idempotency-Key": secrets.token_urlsafe(24)},
    )
    return answer.status_code


async def test_keys_are_their_owners_alone_and_in_no_log_topic_database_or_file_of_the_repository(
    system: System,
) -> None:
    folder = system.layout.keys
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    made = {path: path.read_text().strip() for path in folder.rglob("*") if path.is_file()}
    assert len(made) >= 8
    needles = {
        spelt.encode()
        for text in made.values()
        for spelt in (text.rstrip("="), text.rstrip("=").translate({43: 45, 47: 95}))
    } | {raw for raw in keys_in(folder).values() if len(raw) == 32}
    haystacks = {path.name: path.read_bytes() for path in system.layout.logs.iterdir()}
    haystacks |= await kept(system)
    haystacks |= {str(path): path.read_bytes() for path in tracked_files()}
    assert b"public_key" in haystacks["topic directory"]
    assert {name for name, held in haystacks.items() for needle in needles if needle in held} == set()


async def test_a_sealing_key_is_rotated_while_ratings_are_under_way(system: System) -> None:
    before, first_code = await asked_for_a_code(system)
    printed = await keys(system, "verification", "rotate", "--edition", PHONE_EDITION)
    assert f'"key_id":"{PHONE_EDITION}-2"' in printed
    await system.publish(PHONE_EDITION, alone=False, verification="phone")
    sealed = re.compile(rb'"key_id":"2018-([0-9])"')
    submissions = (await topics(system.kafka_bootstrap))["rating-submissions"]
    assert set(sealed.findall(submissions)) == {b"1"}
    async with asyncio.timeout(60):  # intake hears of it in a moment
        while b"2" not in set(sealed.findall((await topics(system.kafka_bootstrap))["rating-submissions"])):
            after, second_code = await asked_for_a_code(system)
    assert await enter(system, before, first_code) == 202
    assert await enter(system, after, second_code) == 202
    assert (await system.outcome(before.rating_id))["status"] == "accepted"
    assert (await system.outcome(after.rating_id))["status"] == "accepted"
    said = await refused(system, "verification", "retire", "--key-id", f"{PHONE_EDITION}-1")
    assert "messages that Kafka keeps are sealed for it" in said
    said = await refused(system, "verification", "retire", "--key-id", f"{PHONE_EDITION}-2")
    assert "is published with it" in said


async def test_a_challenge_made_before_its_key_was_rotated_still_counts_and_shows_as_before(
    system: System,
) -> None:
    challenge_id, digits = await system.challenge()
    url = f"{system.url('verification')}/v1/challenges/{challenge_id}/image.png"
    picture = (await system.http.get(url)).content
    await keys(system, "verification", "rotate-challenge")
    assert (await system.http.get(url)).content == picture
    submitted = await system.submit(challenge={"id": challenge_id, "answer": digits})
    assert (await system.outcome(submitted.rating_id))["status"] == "accepted"
    newer = (
        await system.http.post(f"{system.url('verification')}/v1/challenges", json={"edition_id": "2017"})
    ).json()
    assert (await system.http.get(f"{system.url('verification')}{newer['image']}")).status_code == 200
    assert "less than a day ago" in await refused(system, "verification", "rotate-challenge")
    system.use_newest_challenge_key()


async def test_keys_are_not_destroyed_unasked_nor_while_submissions_wait(system: System) -> None:
    before = keys_in(system.layout.keys)
    for service in ("intake", "verification"):
        await refused(system, service, "destroy", "--edition", "2017")  # nobody there to confirm
    await system.terminate("verification-worker")
    waiting = await system.submit()
    said = await refused(system, "verification", "destroy", "--edition", "2017", "--yes")
    assert "1 submissions of edition 2017 wait for the worker" in said
    assert keys_in(system.layout.keys) == before
    await system.start("verification-worker")
    assert (await system.outcome(waiting.rating_id))["status"] == "accepted"


async def test_destroyed_keys_leave_no_number_readable_or_linkable_and_every_figure_as_it_was(
    system: System,
) -> None:
    """Runs last: nobody can rate in these editions any more."""
    submitted = [await system.submit(phone=new_phone(), answer="not_satisfied", reasons=["late"])]
    submitted += [await system.submit() for _ in range(3)]
    submitted.append(await system.submit(phone=submitted[-1].body["phone"]))
    for each in submitted:
        await system.outcome(each.rating_id)
    coded, code = await asked_for_a_code(system)
    await enter(system, coded, code)
    await system.outcome(coded.rating_id)
    waiting, late_code = await asked_for_a_code(system)
    known = {
        "+84" + each.body["phone"].replace(" ", "")[1:]: each
        for each in [*submitted[:-1], coded, waiting]  # of the duplicate the first is enough
    }

    spoils = attack(keys_in(system.layout.keys).values(), (await kept(system)).values(), known)
    assert spoils.opened >= set(known), "with the keys, every number is read"
    assert spoils.linked == set(known), "and linked"
    figures = {scope: await system.figures(scope) for scope in ("city", "groups/so-ban-nganh")}

    for edition in ("2017", PHONE_EDITION):
        await keys(system, "intake", "destroy", "--edition", edition, "--yes")
        await keys(system, "verification", "destroy", "--edition", edition, "--yes")

    left = keys_in(system.layout.keys)
    assert {"intake/intake.secret", "verification/challenge.key", "verification/phone-code.key"} <= set(left)
    now = await kept(system)
    assert now["topic rating-submissions"].count(b'"box"') >= len(known), "the boxes are all still there"
    assert attack(left.values(), now.values(), known) == Spoils(opened=set(), linked=set())
    for pseudonym in re.findall(rb'"phone_pseudonym":"([0-9a-f]{64})"', now["topic rating-submissions"]):
        assert pseudonym not in now["database verification"]

    # The processes that run hold nothing back.
    assert await enter(system, waiting, late_code) == 202
    assert (await system.outcome(waiting.rating_id))["reason"] == "phone_unreadable"
    for edition in ("2017", PHONE_EDITION):
        answer = (await system.submit(edition_id=edition)).answer
        assert (answer.status_code, answer.json()["type"]) == (
            503,
            "urn:hailong:problem:edition_keys_missing",
        )
        for service in ("intake", "verification"):
            assert "destroyed" in await refused(system, service, "create", "--edition", edition)
    after = {scope: await system.figures(scope) for scope in figures}
    assert [without_rejected(each) for each in after.values()] == [
        without_rejected(each) for each in figures.values()
    ]


def without_rejected(figures: dict[str, object]) -> dict[str, object]:
    """The last rating above was rejected afterwards; revision and moment moved with it."""
    moved = ("rejected", "funnel", "revision", "as_of", "updated_at")
    return {name: value for name, value in figures.items() if name not in moved}
