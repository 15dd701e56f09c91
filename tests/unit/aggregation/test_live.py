"""Live streams: nothing missed, nothing older after something newer, nothing that grows."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from chassis.readiness import Check
from services.aggregation.documents import Figures, Period, Satisfaction, Snapshot
from services.aggregation.domain import CITY, Level, Measure, Scope
from services.aggregation.edition import Published
from services.aggregation.live import Hub, LiveEvent, Stream, Unknown
from services.aggregation.stored import Mark

OFFICER = Scope(Level.OFFICER, "o")


@dataclass
class Store:
    """Figures and their revisions, as PostgreSQL would have them; `hold` delays an answer already taken."""

    revision: int = 0
    revisions: dict[Scope, int] = field(default_factory=dict)
    known: set[Scope] = field(default_factory=lambda: {CITY, OFFICER})
    notified: asyncio.Event = field(default_factory=asyncio.Event)
    hold: asyncio.Event | None = None
    away: bool = False
    by_morning: int = 0

    def rate(self, *scopes: Scope) -> None:
        """Nothing public changes where no scope is named."""
        self.revision += 1
        self.revisions |= dict.fromkeys(scopes, self.revision)
        self.notified.set()

    async def figures(self, scopes: Sequence[Scope], period: Period) -> Snapshot:
        assert period == Period()
        if self.away:
            raise ConnectionError
        found = [self._figures(scope) for scope in scopes]
        snapshot = Snapshot(self.revision, found)
        if self.hold is not None and isinstance(scopes, tuple):  # as a stream that joins asks
            await self.hold.wait()
        return snapshot

    def _figures(self, scope: Scope) -> Figures:
        revision = self.revisions.get(scope, 0)
        published = Published({(Measure.ANSWER, "satisfied"): revision + self.by_morning})
        return Figures(
            scope,
            scope in self.known,
            mark=Mark(revision),
            decided=revision,
            morning=self.by_morning > 0,
            published=published,
        )

    def outage(self, error: BaseException) -> bool:
        return isinstance(error, ConnectionError)

    async def wait(self) -> None:
        await self.notified.wait()
        self.notified.clear()


@dataclass
class Scene:
    store: Store
    hub: Hub

    async def join(self, *scopes: Scope, after: int = 0) -> Stream:
        stream = await self.hub.join(scopes, after)
        assert isinstance(stream, Stream)
        return stream


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    store = Store()
    hub = Hub(store, store, Check("postgres"))
    running = asyncio.create_task(hub.run())
    yield Scene(store, hub)
    running.cancel()


async def take(stream: Stream, count: int) -> list[LiveEvent]:
    events = stream.events()
    async with asyncio.timeout(5):
        return [await anext(events) for _ in range(count)]


def revisions(events: Sequence[LiveEvent]) -> list[int]:
    return [json.loads(event.data)["revision"] for event in events]


async def test_a_stream_begins_with_a_snapshot_of_each_scope(scene: Scene) -> None:
    scene.store.rate(CITY, OFFICER)
    events = await take(await scene.join(CITY, OFFICER), 2)
    assert [event.event for event in events] == ["snapshot", "snapshot"]
    assert revisions(events) == [1, 1]


async def test_what_a_stream_does_not_know_it_does_not_say_is_nothing(scene: Scene) -> None:
    scene.store.rate(CITY)
    (event,) = await take(await scene.join(CITY), 1)
    assert Satisfaction.model_fields.keys() - json.loads(event.data).keys() == {"response", "from_"}


async def test_within_a_group_of_events_only_the_last_id_lets_a_client_go_on_from_there(scene: Scene) -> None:
    scene.store.rate(CITY, OFFICER)
    stream = await scene.join(CITY, OFFICER)
    assert [event.id for event in await take(stream, 2)] == [0, 1]
    scene.store.rate(CITY, OFFICER)
    assert [event.id for event in await take(stream, 2)] == [1, 2]


async def test_a_change_comes_as_figures(scene: Scene) -> None:
    stream = await scene.join(CITY)
    await take(stream, 1)
    scene.store.rate(CITY)
    (event,) = await take(stream, 1)
    assert (event.event, event.id, revisions([event])) == ("figures", 1, [1])


async def test_a_client_that_comes_back_gets_only_what_changed_since(scene: Scene) -> None:
    scene.store.rate(CITY, OFFICER)
    scene.store.rate(CITY)
    stream = await scene.join(CITY, OFFICER, after=1)
    scene.store.rate(OFFICER)
    events = await take(stream, 2)
    assert [event.event for event in events] == ["figures", "figures"]
    assert [json.loads(event.data)["scope"]["level"] for event in events] == ["city", "officer"]


async def test_an_id_from_read_models_that_are_no_more_brings_a_snapshot(scene: Scene) -> None:
    scene.store.rate(CITY)
    (event,) = await take(await scene.join(CITY, after=99), 1)
    assert event.event == "snapshot"


async def test_a_change_while_the_snapshot_is_read_is_not_missed(scene: Scene) -> None:
    scene.store.hold = asyncio.Event()
    joining = asyncio.create_task(scene.join(CITY, OFFICER))
    await asyncio.sleep(0)
    scene.store.rate(CITY)
    await asyncio.wait_for(_delivered(scene, 1), 5)
    scene.store.hold.set()
    events = await take(await joining, 2)
    assert sorted(revisions(events)) == [0, 1]


async def _delivered(scene: Scene, revision: int) -> None:
    while scene.hub._revision < revision:
        await asyncio.sleep(0.005)


async def test_a_slow_reader_gets_the_newest_figures_and_no_queue(scene: Scene) -> None:
    stream = await scene.join(CITY)
    await take(stream, 1)
    for revision in range(1, 6):
        scene.store.rate(CITY)
        await asyncio.wait_for(_delivered(scene, revision), 5)
    assert len(stream.waiting) == 1
    assert revisions(await take(stream, 1)) == [5]


async def test_figures_made_again_from_the_start_are_sent_although_their_revision_is_lower(
    scene: Scene,
) -> None:
    scene.store.rate(CITY)
    scene.store.rate(CITY)
    stream = await scene.join(CITY)
    await take(stream, 1)
    await asyncio.wait_for(_delivered(scene, 2), 5)
    scene.store.revision, scene.store.revisions = 0, {}
    scene.store.rate(CITY)
    assert revisions(await take(stream, 1)) == [1]


async def test_a_rating_that_changes_nothing_public_makes_no_event(scene: Scene) -> None:
    scene.store.rate(CITY, OFFICER)
    stream = await scene.join(OFFICER)
    await take(stream, 1)
    scene.store.rate()
    await asyncio.wait_for(_delivered(scene, 2), 5)
    assert not stream.waiting
    scene.store.rate(OFFICER)
    (event,) = await take(stream, 1)
    assert (event.id, revisions([event])) == (3, [3])


async def test_figures_that_move_in_the_morning_are_sent_although_nothing_was_committed(scene: Scene) -> None:
    scene.store.rate(OFFICER)
    stream = await scene.join(OFFICER)
    await take(stream, 1)
    scene.store.by_morning = 3
    scene.store.notified.set()
    (event,) = await take(stream, 1)
    assert json.loads(event.data)["total"] == 4
    # And to whoever comes back, for no revision tells.
    (event,) = await take(await scene.join(OFFICER, after=1), 1)
    assert (event.event, json.loads(event.data)["total"]) == ("figures", 4)


async def test_an_outage_is_waited_out_and_then_caught_up(scene: Scene) -> None:
    stream = await scene.join(CITY)
    await take(stream, 1)
    scene.store.away = True
    scene.store.rate(CITY)
    await asyncio.sleep(0)
    scene.store.away = False
    assert revisions(await take(stream, 1)) == [1]


async def test_an_unknown_scope_is_named_and_leaves_no_stream(scene: Scene) -> None:
    stranger = Scope(Level.UNIT, "nobody")
    assert await scene.hub.join([CITY, stranger], 0) == Unknown(stranger)
    assert not scene.hub._streams


async def test_a_stream_that_left_is_forgotten(scene: Scene) -> None:
    scene.hub.leave(await scene.join(CITY))
    assert not scene.hub._streams
