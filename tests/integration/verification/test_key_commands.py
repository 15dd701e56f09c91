"""The commands that end keys, and what the database forgets with them."""

import asyncio
import json
import os
import sys
from uuid import uuid4

import pytest

from contracts.events import VerificationPolicy
from deploy.local.ports import free_ports
from services.verification.adapters.kept import KafkaKept
from services.verification.adapters.key_files import FileKeyRing, create_keys, rotate_edition
from services.verification.adapters.retention import BATCH, PostgresRetention
from services.verification.bootstrap import worker_app
from services.verification.keys import StillNeeded, check_destroyed, check_retired, forget_edition
from services.verification.ports import Unreadable
from tests.support.verification import World, running, seal

pytestmark = pytest.mark.any_servers


async def run(world: World, *arguments: str, answer: str = "", **settings: str) -> tuple[int, str, str]:
    """`keys …` as an operator runs it: exit code, standard output and standard error."""
    environment = {
        "VERIFICATION_KAFKA_BOOTSTRAP": world.settings.kafka.bootstrap,
        "VERIFICATION_DATABASE_URL": world.settings.database_url,
        "VERIFICATION_KEYS_DIR": str(world.settings.keys_dir),
        **settings,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.verification", "keys", *arguments),
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(90):
        out, err = await process.communicate(answer.encode())
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_key_that_nothing_was_sealed_for_is_retired_and_a_published_one_is_not(world: World) -> None:
    edition = await world.edition()
    unused = rotate_edition(world.settings.keys_dir, edition.edition_id)
    published = edition.sealing_key.key_id
    code, _, err = await run(world, "retire", "--key-id", published)
    assert (code, f"edition {edition.edition_id} is published with it" in err) == (1, True)
    code, out, _ = await run(world, "retire", "--key-id", unused.key_id)
    assert (code, json.loads(out)) == (0, {"key_id": unused.key_id, "retired": True})
    ring = FileKeyRing(world.settings.keys_dir)
    assert ring.open(seal(edition, "still read")) == b"still read"
    code, out, _ = await run(world, "retire", "--key-id", published, "--force")
    assert (code, json.loads(out)["retired"]) == (0, True)
    with pytest.raises(Unreadable):
        ring.open(seal(edition, "gone"))
    code, _, err = await run(world, "create", "--edition", edition.edition_id)
    assert (code, "keys rotate" in err) == (1, True)


@pytest.mark.parametrize("where", ["a submission", "a code", "an SMS"])
async def test_whatever_is_sealed_for_a_key_keeps_it(world: World, where: str) -> None:
    edition = await world.edition()
    old = edition.sealing_key.key_id
    newer = edition.model_copy(
        update={"sealing_key": rotate_edition(world.settings.keys_dir, edition.edition_id)}
    )
    await world.publish(newer)
    kept, store = KafkaKept(world.settings.kafka), PostgresRetention(world.database)
    await check_retired(kept, store, old)
    submission = world.submission(edition if where == "a submission" else newer)
    if where == "an SMS":
        await insert_sms(world, old)
    elif where == "a code":
        await world.enter_code(edition, submission.rating_id, "123456")
    else:
        await world.submit(submission)
    with pytest.raises(StillNeeded, match=r"1 (messages|SMS)"):
        await check_retired(kept, store, old)


async def insert_sms(world: World, key_id: str) -> None:
    rating_id = uuid4()
    await world.database.execute(
        "INSERT INTO ratings (rating_id, submission_id, status, assurance, decided_at, source_partition,"
        " source_offset) VALUES ($1, $1, 'phone_code_needed', 'phone_code', now(), 0, 1)",
        rating_id,
    )
    await world.database.execute(
        "INSERT INTO sms_queue (rating_id, key_id, box, language, created_at, next_attempt_at)"
        " VALUES ($1, $2, 'AAAA', 'vi', now(), now() + interval '1 hour')",
        rating_id,
        key_id,
    )


async def test_nobody_is_asked_to_retire_a_key_while_kafka_is_away(world: World) -> None:
    edition = await world.edition()
    away = {"VERIFICATION_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_ports(1)[0]}"}
    for arguments in (
        ("retire", "--key-id", edition.sealing_key.key_id),
        ("destroy", "--edition", edition.edition_id, "--yes"),
    ):
        code, out, err = await run(world, *arguments, **away)
        assert (code, out, "no answer" in err) == (1, "", True)
    assert FileKeyRing(world.settings.keys_dir).open(seal(edition, "kept")) == b"kept"


async def test_destroying_asks_first_and_forgets_the_edition_s_pseudonyms_and_no_other_s(
    world: World,
) -> None:
    edition, other = await world.edition(VerificationPolicy.PHONE), await world.edition()
    captcha = edition.model_copy(
        update={"policy": edition.policy.model_copy(update={"verification": VerificationPolicy.CAPTCHA})}
    )
    awaiting = world.submission(edition, challenge=None)
    beside = world.submission(other)
    async with running(worker_app(world.settings)):
        await world.submit(awaiting, beside)
        await world.drained()
        await world.awaits_code(awaiting.rating_id)
        await world.publish(captcha)
        counted = [world.submission(captcha) for _ in range(3)]
        await world.submit(*counted)
        await world.drained()
        assert await world.said(counted) == {each.id: ["accepted"] for each in counted}
        await insert_sms(world, edition.sealing_key.key_id)
        await insert_sms(world, other.sealing_key.key_id)

        code, _, _ = await run(world, "destroy", "--edition", edition.edition_id, answer="n\n")
        assert code == 1
        ring = FileKeyRing(world.settings.keys_dir)
        assert ring.open(seal(edition, "kept")) == b"kept"
        code, out, _ = await run(world, "destroy", "--edition", edition.edition_id, answer="y\n")
        assert code == 0
        said = json.loads(out[out.index("{") :])
        assert said["destroyed"] == [edition.sealing_key.key_id]
        assert said["forgotten"]["slots"] == 3
        assert said["forgotten"]["pseudonyms"] == 1
        assert said["forgotten"]["texts"] >= 1
        with pytest.raises(Unreadable):
            ring.open(seal(edition, "gone"))
    slots = await world.database.fetch("SELECT edition_id FROM slots")
    assert [row["edition_id"] for row in slots] == [other.edition_id]
    texts = await world.database.fetch("SELECT key_id FROM sms_queue")
    assert [row["key_id"] for row in texts] == [other.sealing_key.key_id]
    left = await world.database.fetch("SELECT encode(pseudonym, 'hex') AS pseudonym FROM phone_codes")
    assert [row["pseudonym"] for row in left] == [""]


async def test_a_database_that_is_away_does_not_keep_the_keys_and_is_purged_by_a_second_call(
    world: World,
) -> None:
    edition = await world.edition()
    async with running(worker_app(world.settings)):
        await world.submit(world.submission(edition))
        await world.drained()
    away = {"VERIFICATION_DATABASE_URL": f"postgresql://x@127.0.0.1:{free_ports(1)[0]}/x"}
    arguments = ("destroy", "--edition", edition.edition_id, "--yes", "--force")
    code, _, err = await run(world, *arguments, **away)
    assert (code, "run it again for the database" in err) == (1, True)
    with pytest.raises(Unreadable):
        FileKeyRing(world.settings.keys_dir).open(seal(edition, "gone"))
    code, out, _ = await run(world, *arguments)
    assert (code, json.loads(out)) == (
        0,
        {
            "edition": edition.edition_id,
            "destroyed": [],
            "forgotten": {"slots": 1, "texts": 0, "counts": 0, "pseudonyms": 0},
        },
    )


async def test_submissions_that_wait_for_the_worker_keep_an_edition_s_keys(world: World) -> None:
    edition, other = await world.edition(), await world.edition()
    kept = KafkaKept(world.settings.kafka)
    await world.submit(world.submission(edition), world.submission(edition))
    with pytest.raises(StillNeeded, match="2 submissions"):
        await check_destroyed(kept, edition.edition_id)
    await check_destroyed(kept, other.edition_id)
    async with running(worker_app(world.settings)):
        await world.drained()
    await check_destroyed(kept, edition.edition_id)


async def test_more_than_a_batch_is_forgotten_with_an_edition(world: World) -> None:
    await world.database.executemany(
        "INSERT INTO slots (pseudonym, officer_id, edition_id, window_number, rating_id)"
        " VALUES ($1, 'o', $2, 0, $3)",
        [(uuid4().bytes, "big", uuid4()) for _ in range(BATCH + 3)],
    )
    forgotten = await forget_edition(PostgresRetention(world.database), "big")
    assert forgotten == {"slots": BATCH + 3, "texts": 0, "counts": 0, "pseudonyms": 0}


async def test_keys_of_several_editions_are_made_side_by_side(world: World) -> None:
    code, out, _ = await run(world, "create", "--edition", "next")
    assert (code, json.loads(out)["key_id"]) == (0, "next-1")
    code, out, _ = await run(world, "rotate", "--edition", "next")
    assert (code, json.loads(out)["key_id"]) == (0, "next-2")
    assert create_keys(world.settings.keys_dir, "next").key_id == "next-2"
    code, _, err = await run(world, "rotate", "--edition", "never-made")
    assert (code, "keys create" in err) == (1, True)
