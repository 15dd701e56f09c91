"""Tell portals of the outcomes of what they posted: at least once, under one id, in no promised order."""

import asyncio
import random
from collections.abc import Callable, Sequence
from uuid import UUID

from chassis.logs import logger
from services.verification import metrics
from services.verification.domain import webhooks
from services.verification.domain.webhooks import Endpoint
from services.verification.partition import WaitOut
from services.verification.ports import Clock, NotTaken, Untold, WebhookOutbox, WebhookPost

log = logger(__name__)
AT_ONCE = 4
"""To one endpoint, from one worker. A slow one holds up its own outcomes and no other's."""
LEASE_SECONDS = 60.0  # longer than a try takes; a worker that died holds it so long
LOOK_SECONDS = 1.0
_FIRST_REST, _LONGEST_REST = 1.0, 60.0


class Webhooks:
    """`run` is for ever. An endpoint of which nothing was taken rests for a while, whatever waits for it."""

    def __init__(
        self,
        *,
        outbox: WebhookOutbox,
        post: WebhookPost,
        secrets: Callable[[Endpoint], Sequence[bytes]],
        clock: Clock,
        through_database: WaitOut,
    ) -> None:
        self._outbox = outbox
        self._post = post
        self._secrets = secrets
        self._clock = clock
        self._through_database = through_database
        self._telling: set[str] = set()
        self._failures: dict[str, int] = {}  # rounds, one after another
        self._rests_until: dict[str, float] = {}

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            while True:
                for endpoint in await self._through_database(self._outbox.due):
                    who = endpoint.client_id
                    if who not in self._telling and self._rests_until.get(who, 0.0) <= loop.time():
                        self._telling.add(who)
                        group.create_task(self._rounds(endpoint), name=f"webhooks-{who}")
                waiting, aside = await self._through_database(self._outbox.counts)
                metrics.WEBHOOKS_WAITING.set(waiting)
                metrics.WEBHOOKS_SET_ASIDE.set(aside)
                await asyncio.sleep(LOOK_SECONDS)

    async def _rounds(self, endpoint: Endpoint) -> None:
        """Until nothing is due for the endpoint, or it takes nothing."""
        who = endpoint.client_id
        try:
            while leased := await self._lease(who):
                async with asyncio.TaskGroup() as group:
                    tries = [group.create_task(self._try(endpoint, each)) for each in leased]
                if any(task.result() for task in tries):
                    self._failures.pop(who, None)
                else:
                    self._rest(who)
                    return
        finally:
            self._telling.discard(who)

    async def _lease(self, client_id: str) -> Sequence[Untold]:
        return await self._through_database(
            lambda: self._outbox.lease(client_id, most=AT_ONCE, seconds=LEASE_SECONDS)
        )

    def _rest(self, client_id: str) -> None:
        failures = self._failures[client_id] = self._failures.get(client_id, 0) + 1
        rest = min(_FIRST_REST * 2 ** min(failures - 1, 10), _LONGEST_REST)
        self._rests_until[client_id] = asyncio.get_running_loop().time() + rest

    async def _try(self, endpoint: Endpoint, untold: Untold) -> bool:
        news, now = untold.news, self._clock()
        content = webhooks.body(news)
        try:
            headers = webhooks.headers(news, content, self._secrets(endpoint), now)
            await self._post.tell(endpoint.url, headers, content)
        except NotTaken as error:
            await self._not_taken(endpoint, untold, str(error))
            return False
        metrics.WEBHOOKS.labels("told").inc()
        await self._through_database(lambda: self._outbox.told(news.rating_id))
        return True

    async def _not_taken(self, endpoint: Endpoint, untold: Untold, failure: str) -> None:
        rating_id: UUID = untold.news.rating_id
        if self._clock() - untold.since > webhooks.TRIED_FOR:
            metrics.WEBHOOKS.labels("set_aside").inc()
            log.error("webhook set aside", client=endpoint.client_id, why=failure, attempts=untold.attempt)
            await self._through_database(lambda: self._outbox.set_aside(rating_id, failure))
            return
        metrics.WEBHOOKS.labels("failed").inc()
        pause = webhooks.pause(untold.attempt, random.random())
        await self._through_database(lambda: self._outbox.again(rating_id, pause, failure))
