"""Answers of the query API, kept as long as they are the newest: each is made once for all who ask for it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Protocol

from pydantic import BaseModel

from services.aggregation.answers import Answers, Reading
from services.aggregation.files_handled import FilesHandled

MAKING_SECONDS = 10.0
KEPT_BYTES = 8 * 2**20
Make = Callable[[Answers], Awaitable[BaseModel]]


class Moment(Reading, Protocol):
    """Figures, and what else decides about answers, of one moment."""

    now: Callable[[], datetime]

    async def version(self) -> Hashable:
        """As long as it stays the same, so do all answers. Raises what `outage` knows."""


class Moments(Moment, Protocol):
    def at_one_moment(self) -> AbstractAsyncContextManager[Moment]:
        """What is read through it is all of the same version."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`etag` is a digest of the body."""

    version: Hashable
    body: bytes
    etag: str


class Keeping:
    """Gives nothing that is older than the question: the version is read anew for each.

    At most `KEPT_BYTES` are kept; what was asked for longest ago goes first.
    """

    def __init__(self, reading: Moments, handled: FilesHandled, *, most: int = KEPT_BYTES) -> None:
        self._reading = reading
        self._handled = handled
        self._most = most
        self._bytes = 0
        self._kept: OrderedDict[Hashable, Answer] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Answer]] = {}

    async def answer(self, question: Hashable, make: Make) -> Answer:
        """`question` stands for all that `make` asks. Raises Problem, and what the reading's `outage`
        knows."""
        version = await self._reading.version()
        kept = self._kept.get(question)
        if kept is not None and kept.version == version:
            self._kept.move_to_end(question)
            return kept
        # Whoever asks at this version may have what is being made since: it is of this one or a later one.
        wanted = (question, version)
        making = self._making.get(wanted)
        if making is None:
            making = self._making[wanted] = asyncio.create_task(self._make(question, make))
            making.add_done_callback(lambda done: self._made(wanted, done))
        return await asyncio.shield(making)

    async def _make(self, question: Hashable, make: Make) -> Answer:
        async with asyncio.timeout(MAKING_SECONDS), self._reading.at_one_moment() as moment:
            version = await moment.version()
            document = await make(Answers(moment, moment.now, self._handled))
        body = document.model_dump_json(by_alias=True).encode()
        made = Answer(version, body, f'"{blake2b(body, digest_size=12).hexdigest()}"')
        self._keep(question, made)
        return made

    def _keep(self, question: Hashable, made: Answer) -> None:
        before = self._kept.pop(question, None)
        self._bytes += len(made.body) - (0 if before is None else len(before.body))
        self._kept[question] = made
        while self._bytes > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)

    def _made(self, wanted: Hashable, done: asyncio.Task[Answer]) -> None:
        del self._making[wanted]
        if not done.cancelled():
            done.exception()  # those who asked have it; or nobody waits any more
