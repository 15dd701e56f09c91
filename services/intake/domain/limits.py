"""Who may post how much.

One rule decides: what is known of a caller is limited, and the less is known, the tighter. Someone who comes
through a client with a key, in a session that it vouches for, is limited by that session; the address block
that they share with an office, a hall or a whole mobile network gets a wide limit. Who comes without is known
by the address block alone, which gets a tight one.

Limits are counted within the client that posts, so what one client says of addresses and sessions never
counts against another's citizens, nor against those who come without a client.

What many callers do together is never a reason to refuse one of them: whoever floods an officer or an edition
would lock out those who have something to say. It raises an alarm, and callers without a session get less.
The same phone over and over raises an alarm too; a refusal would tell others that the number was used.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol

Thing = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who posts. `session` is there only where a client vouches for it."""

    client_id: str | None = None
    session: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What is counted: a rating; or a try at a phone code or a receipt, which has an id and its caller
    alone."""

    id: str
    caller: Caller
    phone: str = ""
    officer_id: str = ""
    edition_id: str = ""
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """`counts` gives what is counted, or None for an arrival that the rule does not concern."""

    name: str
    counts: Callable[[Arrival], Thing | None]


@dataclass(frozen=True, slots=True)
class Book:
    """The rules for one kind of arrival."""

    name: str
    limits: tuple[Rule, ...]
    alarms: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Over the limit of that name; below it again at `until` (seconds), if nothing else comes."""

    rule: str
    until: float


@dataclass(frozen=True, slots=True)
class Alarm:
    """`subject`: the officer or edition; empty for a phone, which is named nowhere."""

    name: str
    subject: str


class Counts(Protocol):
    """How often things were counted within the window."""

    def count(self, thing: Hashable, *, now: float) -> int: ...

    def below(self, most: int, thing: Hashable, *, now: float) -> float:
        """When the count will be below `most`."""


def _session(arrival: Arrival) -> Thing | None:
    caller = arrival.caller
    return (caller.client_id, caller.session) if caller.session else None


def _session_phone(arrival: Arrival) -> Thing | None:
    session = _session(arrival)
    return (*session, arrival.phone) if session and arrival.phone else None


def _device(arrival: Arrival) -> Thing | None:
    """Where nobody proves who they are, the screen that vouches for them is limited."""
    return (arrival.caller.client_id,) if arrival.vouched else None


def _shared_block(arrival: Arrival) -> Thing | None:
    return (arrival.caller.client_id, arrival.caller.origin) if arrival.caller.session else None


def _lone_block(arrival: Arrival) -> Thing | None:
    return None if arrival.caller.session else (arrival.caller.client_id, arrival.caller.origin)


def _block(arrival: Arrival) -> Thing:
    return arrival.caller.client_id, arrival.caller.origin


LONE_BLOCK, TIGHTENED = "lone_block", "tightened"
"""The second stands in for the first while there is an alarm for the officer or the edition."""
RATINGS = Book(
    "rating",
    (
        Rule("device", _device),
        Rule("session", _session),
        Rule("session_phone", _session_phone),
        Rule("shared_block", _shared_block),
        Rule(LONE_BLOCK, _lone_block),
    ),
    (
        Rule("officer", lambda arrival: (arrival.officer_id,)),
        Rule("edition", lambda arrival: (arrival.edition_id,)),
        Rule("phone", lambda arrival: (arrival.edition_id, arrival.phone) if arrival.phone else None),
    ),
)
CODES = Book("code", (Rule("code_session", _session), Rule("code_lone_block", _lone_block)))
WITHDRAWALS = Book(
    "withdrawal", (Rule("withdrawal_session", _session), Rule("withdrawal_lone_block", _lone_block))
)
FILES = Book("file", (Rule("file_session", _session), Rule("file_block", _block)))
"""Numbers of files that the office's system is asked for, right or wrong."""
BOOKS = (RATINGS, CODES, WITHDRAWALS, FILES)
NAMES = (*(rule.name for book in BOOKS for rule in (*book.limits, *book.alarms)), TIGHTENED)
"""What numbers are needed for."""


def known(book: Book, id_: str) -> Thing:
    return (book.name, id_)


def things(book: Book, arrival: Arrival) -> list[Thing]:
    """All that an arrival counts as; first, that it was counted."""
    counted = ((rule.name, rule.counts(arrival)) for rule in (*book.limits, *book.alarms))
    return [known(book, arrival.id), *((name, *thing) for name, thing in counted if thing is not None)]


def refusal(
    book: Book, arrival: Arrival, most: Mapping[str, int], counts: Counts, now: float
) -> Refusal | None:
    """What stands against it, if anything does. What was counted once is never refused."""
    if counts.count(known(book, arrival.id), now=now):
        return None
    for rule in book.limits:
        counted = rule.counts(arrival)
        if counted is None:
            continue
        limit = most[rule.name]
        if rule.name == LONE_BLOCK and any(
            alarm.subject for alarm in alarms(book, arrival, most, counts, now)
        ):
            limit = min(limit, most[TIGHTENED])
        thing = (rule.name, *counted)
        if counts.count(thing, now=now) >= limit:
            return Refusal(rule.name, counts.below(limit, thing, now=now))
    return None


def alarms(book: Book, arrival: Arrival, most: Mapping[str, int], counts: Counts, now: float) -> list[Alarm]:
    """What there is too much of, among what the arrival is counted as."""
    subjects = {"officer": arrival.officer_id, "edition": arrival.edition_id}
    return [
        Alarm(rule.name, subjects.get(rule.name, ""))
        for rule in book.alarms
        if (thing := rule.counts(arrival)) and counts.count((rule.name, *thing), now=now) >= most[rule.name]
    ]
