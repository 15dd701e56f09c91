"""The directory as intake reads it back from its topic."""

import json
from typing import Any
from uuid import uuid4

from aiokafka import ConsumerRecord

from contracts.envelope import Message, encode
from contracts.events import OfficerPublished
from contracts.golden import EVENTS, envelope
from contracts.topics import DIRECTORY
from tests.support.intake import officer
from tests.support.intake_world import World, eventually


def officer_v1(world: World, name: str) -> Message:
    """As version 1 wrote it: the title in Vietnamese alone, and `active` in place of dates."""
    example = next(event for event in EVENTS if isinstance(event, OfficerPublished))
    officer_id = f"{world.unit_id}.{name}"
    message = encode(envelope(example), key=f"officer:{officer_id}")
    data: dict[str, Any] = {
        "officer_id": officer_id,
        "unit_id": world.unit_id,
        "name": "Đinh Thị Minh Phương",
        "title": "Công chức một cửa",
        "active": True,
    }
    headers = [(k, v.replace(b".v2", b".v1") if k == "ce_type" else v) for k, v in message.headers]
    return Message(message.key, json.dumps(data).encode(), tuple(headers))


async def test_a_change_is_shown_under_another_etag(world: World) -> None:
    replica = await world.replica()
    path = f"/v1/directory/units/{world.unit_id}"
    first = await replica.http.get(path)
    unchanged = await replica.http.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    await world.publish(officer(f"{world.unit_id}.second", "Lê Văn Hai", unit_id=world.unit_id))

    async def changed() -> bool:
        return (await replica.http.get(path)).headers["etag"] != first.headers["etag"]

    await eventually(changed, why="another ETag")
    names = [each["name"] for each in (await replica.http.get(path)).json()["officers"]]
    assert names == ["Lê Văn Hai", "Nguyễn Thị Lan"]


async def test_a_tombstone_takes_an_officer_out_for_readers_and_newcomers(world: World) -> None:
    replica = await world.replica()
    path = f"/v1/directory/officers/{world.officer_id}"
    await world.send(DIRECTORY.name, Message(f"officer:{world.officer_id}".encode(), None, ()))

    async def gone() -> bool:
        return (await replica.http.get(path)).status_code == 404

    await eventually(gone, why="the officer is gone")
    newcomer = await world.replica(ready=False)
    await eventually(newcomer.ready, why="ready")
    assert not await newcomer.shows(path)
    refused = await world.post(newcomer, "key-for-who-is-gone")
    assert [error["code"] for error in refused.json()["errors"]] == ["officer_unknown"]


async def test_an_event_of_an_older_version_is_read(world: World) -> None:
    await world.send(DIRECTORY.name, officer_v1(world, "old"))
    replica = await world.replica()
    await eventually(
        lambda: replica.shows(f"/v1/directory/officers/{world.unit_id}.old"), why="version 1 is shown"
    )
    shown = (await replica.http.get(f"/v1/directory/officers/{world.unit_id}.old")).json()
    assert (shown["active"], shown["title"]["vi"]) == (True, "Công chức một cửa")


async def test_what_cannot_be_read_goes_to_the_dead_letters_once_and_stops_nothing(world: World) -> None:
    key = f"officer:{world.unit_id}.{uuid4().hex}".encode()

    async def letters() -> list[ConsumerRecord]:
        return [record for record in await world.read(DIRECTORY.dead_letters) if record.key == key]

    async def buried() -> bool:
        return bool(await letters())

    replica = await world.replica()
    bad = await world.send(DIRECTORY.name, Message(key, b"{", officer_v1(world, "x").headers))
    await world.publish(officer(f"{world.unit_id}.after", unit_id=world.unit_id))
    await eventually(
        lambda: replica.shows(f"/v1/directory/officers/{world.unit_id}.after"), why="what comes after it"
    )
    await eventually(buried, why="a dead letter")
    newcomer = await world.replica()  # it meets the same message, and the letter
    assert await newcomer.shows(f"/v1/directory/officers/{world.unit_id}.after")
    [letter] = await letters()
    headers = dict(letter.headers)
    assert letter.value == b"{"
    assert (headers["dlt_reason"], headers["dlt_offset"]) == (b"invalid_data", str(bad.offset).encode())
    assert headers["ce_type"].endswith(b"officer-published.v1")


async def test_what_could_not_be_read_while_nobody_ran_is_buried_at_the_start(world: World) -> None:
    key = f"colour:{uuid4().hex}".encode()
    await world.send(DIRECTORY.name, Message(key, b"blue", ()))
    await world.replica()
    [letter] = [record for record in await world.read(DIRECTORY.dead_letters) if record.key == key]
    assert dict(letter.headers)["dlt_reason"] == b"invalid_envelope"


async def test_an_edition_without_its_key_is_named_and_takes_no_ratings(world: World) -> None:
    (world.settings.keys_dir / f"{world.edition_id}.pseudonym.key").unlink()
    replica = await world.replica()

    async def named() -> bool:
        check = (await replica.checks())["edition_keys"]
        return not check["ok"] and world.edition_id in check["detail"]

    await eventually(named, why="/readyz names the edition")
    assert await replica.ready()  # other editions, and the directory, are served all the same
    refused = await world.post(replica, "key-without-a-key")
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:hailong:problem:edition_keys_missing")
    assert await world.submissions() == []
