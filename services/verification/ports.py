"""What the use cases need from outside; the adapters give it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

from contracts.envelope import Message
from contracts.events import EditionPublished, Sealed
from services.verification.domain.outcomes import Rated
from services.verification.domain.ratings import Claim, Decided, State, Withdrawn
from services.verification.domain.sending import Spent, Totals
from services.verification.domain.webhooks import Endpoint, News

Clock = Callable[[], datetime]
Slot = tuple[str, str, str, int]  # pseudonym, officer, edition, window
Key = bytes | Slot  # an idempotency token, a nonce of a challenge or proof of work, or a slot


class Lost(Exception):
    """Another worker has this partition now; whatever was under way did not happen."""


class Torn(Exception):
    """Whether Kafka took the transaction is not known; only reading the committed offset tells."""


class Conflict(Exception):
    """The same rating was stored meanwhile from another partition; do it again on what is there now."""


class Unreadable(Exception):
    """A sealed box that cannot be opened: its key is gone, or it was not sealed for it."""


# --- Kafka ---------------------------------------------------------------------------------------------


class Record(NamedTuple):
    """A message as it was read. `timestamp` is Kafka's."""

    offset: int
    timestamp: datetime
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """Where a partition goes on; `expiries` numbers the last round of expiries that was told."""

    next_offset: int
    expiries: int


class Assignee(Protocol):
    """Who is told which partitions come and go. Neither call may raise; `revoked` may take a few seconds."""

    async def assigned(self, partitions: set[int]) -> None: ...

    async def revoked(self, partitions: set[int]) -> None: ...


class Submissions(Protocol):
    """The assigned partitions of `rating-submissions`."""

    async def committed(self, partition: int) -> Committed:
        """As Kafka has it now; where nothing was committed, the first message kept. Raises outages."""

    def seek(self, partition: int, next_offset: int) -> None: ...

    async def fetch(self, partition: int, *, most: int, seconds: float) -> Sequence[Record]:
        """The next records, or none within `seconds`."""

    async def caught_up(self, partition: int) -> datetime | None:
        """The broker's last answer, if `fetch` has given all that was there then; else None."""

    async def lag(self, partition: int) -> int:
        """Messages known to be there that `fetch` has not given."""


class Membership(Submissions, Protocol):
    """Being in the consumer group; an `Assignee` hears of partitions from `start` to `stop`."""

    async def start(self) -> None:
        """Raises outages, after which only `stop` is allowed."""

    async def stop(self) -> None: ...

    def silent_since(self, partitions: Sequence[int]) -> datetime | None:
        """When the broker last answered for the partition that has waited longest; None: not yet."""


class OutcomeLog(Protocol):
    """One partition's transactional producer. Making one fences all earlier ones of that partition."""

    async def commit(
        self, outcomes: Sequence[Message], dead_letters: Sequence[Message], upto: Committed
    ) -> None:
        """All of it in one Kafka transaction. Raises `Lost` or `Torn`; afterwards only `close` is allowed."""

    async def close(self) -> None: ...


OpenOutcomeLog = Callable[[int], Awaitable[OutcomeLog]]


class Directory(Protocol):
    def edition(self, edition_id: str) -> EditionPublished | None: ...

    async def catch_up(self) -> None:
        """Return once all that is in the directory now has been read; waits out outages."""


# --- PostgreSQL ----------------------------------------------------------------------------------------


class Source(NamedTuple):
    """What led to a state: a message at an offset, or a round of expiries."""

    partition: int
    offset: int | None = None
    expiry: int | None = None


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """Which message withdrew a rating, and since when it does not count."""

    at: Source
    when: datetime


@dataclass(frozen=True, slots=True)
class Stored:
    """A rating's state; `slot` is kept where a phone code is asked for. `rated` is not known of a rejected
    rating, nor of one from before there were withdrawals."""

    state: State
    decided_at: datetime
    source: Source
    rated: Rated | None = None
    slot: Slot | None = None
    withdrawal: Withdrawing | None = None


class NewRating(NamedTuple):
    rating_id: UUID
    rated: Rated
    state: State
    source: Source
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class NewPhoneCode:
    """Goes with a `NewRating` that awaits its code; also asks for the SMS to be sent."""

    rating_id: UUID
    rated: Rated
    slot: Slot
    phone: Sealed
    language: str
    origin: str | None


@dataclass(frozen=True, slots=True)
class HashedCode:
    digest: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class HashedCodes:
    """What is kept of the codes that count for a rating; one that none was sent for has none, and no salt."""

    salt: bytes | None
    codes: tuple[HashedCode, ...]


@dataclass(frozen=True, slots=True)
class Try:
    event_id: UUID
    rating_id: UUID


class DecisionTransaction(Protocol):
    """One partition's transaction; no other of the same partition runs beside it."""

    async def ratings(self, ids: Sequence[UUID]) -> Mapping[UUID, Stored]: ...

    async def tries_counted(self, ids: Sequence[UUID]) -> set[UUID]: ...

    async def claim(self, kind: Claim, wanted: Mapping[Key, UUID]) -> Mapping[Key, UUID]:
        """Who has each key now: the rating given, unless another had it before."""

    async def add(self, ratings: Sequence[NewRating], codes: Sequence[NewPhoneCode], at: datetime) -> None:
        """Raises `Conflict`."""

    async def update(self, states: Mapping[UUID, tuple[State, Source]], at: datetime) -> None: ...

    async def withdraw(self, ratings: Mapping[UUID, tuple[Withdrawn, Source]], at: datetime) -> None:
        """Of ratings that are decided, and not withdrawn."""

    async def count_tries(self, tries: Sequence[Try]) -> None: ...

    async def due(self, reached: datetime, *, most: int) -> Mapping[UUID, Stored]:
        """Ratings of the partition that waited for their code until a moment before that."""

    async def next_expiry(self) -> int:
        """Number the partition's next round of expiries."""


class Decisions(Protocol):
    async def take_over(self, partition: int) -> int:
        """A new epoch for the partition; transactions of earlier ones raise `Lost`."""

    def transaction(self, partition: int, epoch: int) -> AbstractAsyncContextManager[DecisionTransaction]: ...

    async def codes(self, ids: Sequence[UUID]) -> Mapping[UUID, HashedCodes]:
        """Of those ratings that await a code."""

    async def expired_since(
        self, partition: int, expiries: int
    ) -> Sequence[tuple[Rated, Decided, datetime, int]]:
        """Decisions of later rounds of expiries, which were not told, with when, and the round's number."""


class Statuses(Protocol):
    async def of(self, ids: Sequence[UUID]) -> Mapping[UUID, tuple[State, datetime]]: ...


# --- SMS -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Waiting:
    """An SMS to send, leased to who read it. `attempt` counts from 1.

    `awaited_until` is when the rating ends without a code; `salt` is that of an earlier code for it.
    """

    rating_id: UUID
    phone: Sealed
    edition_id: str
    pseudonym: str
    origin: str | None
    language: str
    attempt: int
    awaited_until: datetime
    salt: bytes | None


class SmsQueue(Protocol):
    async def lease(self, *, most: int, seconds: float) -> Sequence[Waiting]: ...

    async def keep(self, rating_id: UUID, salt: bytes, code: HashedCode) -> bool:
        """Let the code count, and the one before it. False: the rating does not await one any more."""

    async def again(self, rating_id: UUID) -> None: ...

    async def done(self, rating_id: UUID) -> None:
        """Sent, or never to be sent."""


class Spending(Protocol):
    """The transaction that decides about one SMS; nobody else spends meanwhile."""

    @property
    def spent(self) -> Spent: ...

    async def spend(self) -> None: ...

    async def postpone(self, until: datetime) -> None: ...

    async def withhold(self) -> None:
        """It is never sent; that it was withheld counts for the hour."""


class SmsLedger(Protocol):
    """What has been sent, by city days. What was spent is never given back."""

    def spending(self, sms: Waiting, now: datetime) -> AbstractAsyncContextManager[Spending]: ...

    async def totals(self, now: datetime) -> Totals: ...


class SmsRefused(Exception):
    """The gateway will never take this message."""


class SmsFailed(Exception):
    """The gateway did not confirm; the message may or may not have gone out."""


class SmsGateway(Protocol):
    async def send(self, to: str, text: str) -> None:
        """Raises `SmsRefused` or `SmsFailed`, neither of which says the number or the text."""


class KeyRing(Protocol):
    def open(self, sealed: Sealed) -> bytes:
        """Raises `Unreadable`."""


# --- webhooks ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Untold:
    """An outcome to tell, leased to who read it. `attempt` counts from 1; `since` is when trying began."""

    news: News
    attempt: int
    since: datetime


@dataclass(frozen=True, slots=True)
class SetAside:
    """An outcome that a portal never took, for an operator to look at."""

    rating_id: UUID
    attempts: int
    set_aside_at: datetime
    last_failure: str


class WebhookOutbox(Protocol):
    """Outcomes to tell. They come into it in the transaction that decides."""

    async def due(self) -> Sequence[Endpoint]: ...

    async def lease(self, client_id: str, *, most: int, seconds: float) -> Sequence[Untold]: ...

    async def told(self, rating_id: UUID) -> None: ...

    async def again(self, rating_id: UUID, pause: timedelta, failure: str) -> None: ...

    async def set_aside(self, rating_id: UUID, failure: str) -> None: ...

    async def counts(self) -> tuple[int, int]:
        """How many wait, and how many are set aside."""


class NotTaken(Exception):
    """A portal did not take what it was told, or is none that may be told."""


class WebhookPost(Protocol):
    async def tell(self, url: str, headers: Mapping[str, str], content: bytes) -> None:
        """Raises `NotTaken`."""
