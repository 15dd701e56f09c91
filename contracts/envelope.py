"""CloudEvents 1.0 in Kafka's binary content mode.

Attributes travel as `ce_` headers, the data as JSON in the value.
Source: CloudEvents 1.0.2, "Kafka Protocol Binding", section 3.2.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from contracts.events import EVENTS, Event
from contracts.upcasters import NoUpcaster, upcast
from contracts.values import Instant

TYPE_PREFIX = "vn.danang.hailong."
CONTENT_TYPE = "application/json"
_CONTENT_TYPE = CONTENT_TYPE.encode()
_TYPE = re.compile(re.escape(TYPE_PREFIX) + r"(?P<name>[a-z-]+)\.v(?P<major>[1-9][0-9]{0,5})\Z")
_INSTANT = TypeAdapter(Instant)
_BY_NAME = {cls.NAME: cls for cls in EVENTS}
_REQUIRED = ("ce_specversion", "ce_id", "ce_source", "ce_type", "ce_time", "ce_correlationid")
_AS_UUIDS_ARE_WRITTEN = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z").match

E_co = TypeVar("E_co", bound=Event, covariant=True)
Headers = Iterable[tuple[str, bytes]]


class InvalidMessage(Exception):
    """This message can never be read; it belongs in the dead-letter topic.

    `reason` is a short stable code; the text says more without repeating the data, which may be personal.
    """

    reason = "invalid"


class InvalidEnvelope(InvalidMessage):
    reason = "invalid_envelope"


class InvalidData(InvalidMessage):
    reason = "invalid_data"


class UnknownType(InvalidMessage):
    reason = "unknown_type"


class UnsupportedVersion(InvalidMessage):
    reason = "unsupported_version"


class Envelope(NamedTuple, Generic[E_co]):
    """An event with where it comes from and what caused it. `time` is when the fact happened (UTC)."""

    id: UUID
    source: str
    subject: str
    time: datetime
    correlation_id: UUID
    data: E_co
    causation_id: UUID | None = None


class Message(NamedTuple):
    """What Kafka carries. Ours all have a key; what others wrote may have none.

    `written_ms`: since when Kafka is to count its age, where that is not now.
    """

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    written_ms: int | None = None


def correlation_of(message: Message) -> str:
    """Of a message that `encode` made."""
    return dict(message.headers)["ce_correlationid"].decode()


def type_of(event: type[Event]) -> str:
    return f"{TYPE_PREFIX}{event.NAME}.v{event.VERSION[0]}"


def schema_of(event: type[Event]) -> str:
    major, minor = event.VERSION
    return f"urn:hailong:schema:{event.NAME}:{major}.{minor}"


_BY_TYPE = {type_of(cls).encode(): (cls, cls.VERSION[0]) for cls in EVENTS}


def encode(envelope: Envelope[Event], *, key: str) -> Message:
    """The same envelope always gives the same bytes."""
    kind, schema = _named(type(envelope.data))
    headers = [
        ("content-type", _CONTENT_TYPE),
        ("ce_specversion", b"1.0"),
        ("ce_id", str(envelope.id).encode()),
        ("ce_source", envelope.source.encode()),
        ("ce_type", kind),
        ("ce_subject", envelope.subject.encode()),
        ("ce_time", envelope.time.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        ("ce_dataschema", schema),
        ("ce_correlationid", str(envelope.correlation_id).encode()),
    ]
    if envelope.causation_id is not None:
        headers.append(("ce_causationid", str(envelope.causation_id).encode()))
    return Message(key.encode(), envelope.data.model_dump_json().encode(), tuple(headers))


@lru_cache(maxsize=64)
def _named(event: type[Event]) -> tuple[bytes, bytes]:
    return type_of(event).encode(), schema_of(event).encode()


def decode(value: bytes | None, headers: Headers) -> Envelope[Event]:
    """Read one message. Raises an `InvalidMessage` for whatever can never be read.

    Fields that the reader's version does not know are ignored; older majors are upcast.
    """
    found = _attributes(headers)
    data = _data(*_event(found["ce_type"]), value)
    return Envelope(
        id=_uuid(found, "ce_id"),
        source=found["ce_source"],
        subject=found.get("ce_subject", ""),
        time=_time(found["ce_time"]),
        correlation_id=_uuid(found, "ce_correlationid"),
        causation_id=_uuid(found, "ce_causationid") if "ce_causationid" in found else None,
        data=data,
    )


def decode_data(value: bytes | None, headers: Headers) -> Event:
    """The data that `decode` gives, for who folds many and asks nothing of the envelope.

    Refuses the same with the same words. What it saves is making what nobody looks at.
    """
    headers = tuple(headers)
    usual = _usual(headers)
    return _data(*usual, value) if usual is not None else decode(value, headers).data


def _usual(headers: tuple[tuple[str, bytes], ...]) -> tuple[type[Event], int] | None:
    """The event and its major, where all headers are as `encode` writes them; None: look closer."""
    found = dict(headers)
    written = _AS_UUIDS_ARE_WRITTEN
    try:
        usual = (
            found["ce_specversion"] == b"1.0"
            and found["content-type"] == b"application/json"
            and "ce_source" in found
            and b"".join(found.values()).isascii()
            and written(found["ce_id"])
            and written(found["ce_correlationid"])
            and written(found.get("ce_causationid", found["ce_id"]))
            and _is_instant(found["ce_time"].decode())
        )
        return _BY_TYPE.get(found["ce_type"]) if usual else None
    except (KeyError, TypeError, ValueError, AttributeError):  # one is missing, null or no time
        return None


def _is_instant(text: str) -> bool:
    moment = datetime.fromisoformat(text)
    return moment.tzinfo is not None and 1900 <= moment.year <= 9000


def _event(ce_type: str) -> tuple[type[Event], int]:
    match = _TYPE.match(ce_type)
    if match is None or match["name"] not in _BY_NAME:
        raise UnknownType(ce_type[:100])
    return _BY_NAME[match["name"]], int(match["major"])


def _attributes(headers: Headers) -> dict[str, str]:
    try:
        found = {name: value.decode() for name, value in headers if value is not None}
    except UnicodeDecodeError as error:
        raise InvalidEnvelope("a header is not UTF-8") from error
    missing = [name for name in _REQUIRED if name not in found]
    if missing:
        raise InvalidEnvelope(f"missing {', '.join(missing)}")
    if found["ce_specversion"] != "1.0":
        raise InvalidEnvelope("specversion is not 1.0")
    if not found.get("content-type", CONTENT_TYPE).startswith(CONTENT_TYPE):
        raise InvalidEnvelope("content-type is not JSON")
    return found


def _data(event: type[Event], major: int, value: bytes | None) -> Event:
    current = event.VERSION[0]
    if major > current:
        raise UnsupportedVersion(f"{event.NAME} v{major}; this reader knows up to v{current}")
    if value is None:
        raise InvalidData("no data")
    try:
        if major == current:
            return event.model_validate_json(value)
        return event.model_validate_json(json.dumps(upcast(event.NAME, major, current, json.loads(value))))
    except ValidationError as error:
        fields = sorted({".".join(map(str, e["loc"])) or e["type"] for e in error.errors()})
        raise InvalidData(f"{event.NAME}: {', '.join(fields)}"[:300]) from error
    except NoUpcaster as error:
        raise UnsupportedVersion(f"{event.NAME} v{major}: no upcaster") from error
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        # Not JSON, or not what that major says.
        raise InvalidData(f"{event.NAME} v{major}: not the JSON expected") from error


def _uuid(found: dict[str, str], name: str) -> UUID:
    try:
        return UUID(found[name])
    except ValueError as error:
        raise InvalidEnvelope(f"{name} is no UUID") from error


def _time(text: str) -> datetime:
    try:
        return _INSTANT.validate_python(datetime.fromisoformat(text)).astimezone(UTC)
    except ValueError as error:
        raise InvalidEnvelope("ce_time is no time with a zone") from error
