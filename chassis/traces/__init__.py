"""Traces: where a request, a rating or a batch spent its time, as OpenTelemetry spans. Off until told where.

A span says where and how long, never what: no path as it was asked for, no id, no message of an error and
nothing of a body. A trace ends before `rating-outcomes` (docs/decisions/0023-traces-end-before-outcomes.md).
No global provider is set: frameworks' own instrumentation, which would tell more, finds none.

The SDK is imported by `start` alone.
"""

import re
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ParamSpec, TypeVar

from opentelemetry.context import Context
from opentelemetry.trace import (
    INVALID_SPAN,
    Link,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    Tracer,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter
from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, field_validator

from chassis.counters import from_zero
from chassis.settings import Unit

if TYPE_CHECKING:
    from chassis.traces.sending import Sending

P = ParamSpec("P")
T = TypeVar("T")
HEADER = "traceparent"
CLOSE_SECONDS = 1.0
LIKE_A_NUMBER = re.compile(r"[0-9]{9}")

SPANS = from_zero(
    Counter(
        "trace_spans_total",
        "Spans, by what became of them: sent; or lost, because the receiver did not take them (refused), more"
        " came than it takes (full) or the process ended (ended).",
        ["result"],
    ),
    ("sent", "refused", "full", "ended"),
)

_OFF = nullcontext(INVALID_SPAN)
_propagator = TraceContextTextMapPropagator()


class Traces(BaseModel):
    """Where spans go. Becomes part of a process's settings."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    to: AnyHttpUrl | None = Field(
        None,
        description="An OTLP/HTTP receiver of traces, as `http://collector:4318`; without it nothing is"
        " traced: docs/tracing.md.",
    )
    share: Annotated[float, Unit("share")] = Field(
        1.0, gt=0, le=1, description="Of the requests that no traced caller makes, so many are traced."
    )
    tls_ca_file: Path | None = Field(
        None, description="Whom to trust, with an `https` receiver; else the usual authorities."
    )

    @field_validator("to", mode="before")
    @classmethod
    def _none_if_empty(cls, value: object) -> object:
        return value or None


class _Recording:
    tracer: Tracer | None = None
    sending: "Sending | None" = None


def start(process: str, settings: Traces) -> None:
    """Trace this process from here on, if the settings say where to. Once, before its application is made."""
    if settings.to is None:
        return
    from chassis.traces.sending import Sending  # noqa: PLC0415 - some 15 MB and a thread, for who wants them

    _Recording.sending = Sending(process, settings)
    _Recording.tracer = _Recording.sending.tracer


def close() -> None:
    """Send what is left, for CLOSE_SECONDS at most. Blocks."""
    sending, _Recording.sending, _Recording.tracer = _Recording.sending, None, None
    if sending is not None:
        sending.close(CLOSE_SECONDS)


def on() -> bool:
    return _Recording.tracer is not None


def root(
    name: str, kind: SpanKind = SpanKind.INTERNAL, *, caller: str | None = None
) -> AbstractContextManager[Span]:
    """A span that begins a trace, or goes on with the `caller`'s: its W3C traceparent.

    One that could spell a phone number is not taken over: it would be logged, and put on messages.
    """
    if _Recording.tracer is None:
        return _OFF
    if caller is None or LIKE_A_NUMBER.search(caller):
        within = Context()
    else:
        within = _propagator.extract({HEADER: caller}, Context())
    return _recorded(_Recording.tracer, name, kind, within)


def span(name: str, kind: SpanKind = SpanKind.INTERNAL) -> AbstractContextManager[Span]:
    """A span within the current one; without one, nothing."""
    if _Recording.tracer is None or not get_current_span().is_recording():
        return _OFF
    return _recorded(_Recording.tracer, name, kind, None)


def traced(
    name: str,
) -> Callable[[Callable[P, Coroutine[Any, Any, T]]], Callable[P, Coroutine[Any, Any, T]]]:
    """Each call is a `span`."""

    def decorate(call: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(call)
        async def within(*args: P.args, **kwargs: P.kwargs) -> T:
            with span(name):
                return await call(*args, **kwargs)

        return within

    return decorate


def batch(
    topic: str, size: int, messages: Iterable[Iterable[tuple[str, bytes]]] = ()
) -> AbstractContextManager[Span]:
    """A batch of so many messages of a topic: a trace of its own.

    In the trace of each message whose headers say that it is traced there is a span as well, as long as the
    batch, with a link to the batch's. Not the other way round: a span holds 128 links, a batch more messages.
    """
    if _Recording.tracer is None:
        return _OFF
    return _batch(_Recording.tracer, topic, size, [sender for each in messages for sender in _sender(each)])


@contextmanager
def _batch(tracer: Tracer, topic: str, size: int, senders: Sequence[Context]) -> Iterator[Span]:
    with _recorded(tracer, f"batch {topic}", SpanKind.CONSUMER, Context()) as whole:
        whole.set_attribute("messaging.batch.message_count", size)
        link = Link(whole.get_span_context())
        each_of = [
            tracer.start_span(f"process {topic}", sender, SpanKind.CONSUMER, links=(link,))
            for sender in senders
        ]
        try:
            yield whole
        except BaseException as error:
            for each in each_of:
                _failed(each, error)
            raise
        finally:
            for each in each_of:
                each.end()


@contextmanager
def _recorded(tracer: Tracer, name: str, kind: SpanKind, within: Context | None) -> Iterator[Span]:
    with tracer.start_as_current_span(
        name, within, kind, record_exception=False, set_status_on_exception=False
    ) as recorded:
        try:
            yield recorded
        except BaseException as error:
            _failed(recorded, error)
            raise


def _failed(recorded: Span, error: BaseException) -> None:
    """Its kind alone: a message may quote what somebody typed."""
    recorded.set_attribute("error.type", type(error).__name__)
    recorded.set_status(StatusCode.ERROR)


def headers() -> dict[str, str]:
    """What tells another process of ours of the current span; never for anyone else's."""
    current = _current()
    if current is None:
        return {}
    return {HEADER: f"00-{current.trace_id:032x}-{current.span_id:016x}-{current.trace_flags & 1:02x}"}


def message_headers() -> list[tuple[str, bytes]]:
    """The same, for a message; nothing where the span is not recorded."""
    if not get_current_span().is_recording():
        return []
    return [(name, value.encode()) for name, value in headers().items()]


def trace_id() -> str | None:
    """Of the current span, for logs."""
    current = _current()
    return None if current is None else f"{current.trace_id:032x}"


def _current() -> SpanContext | None:
    if _Recording.tracer is None:
        return None
    found = get_current_span().get_span_context()
    return found if found.is_valid else None


def _sender(message: Iterable[tuple[str, bytes]]) -> Iterator[Context]:
    """Where a message says that it comes from, if that is recorded."""
    for name, value in message:
        if name == HEADER and value is not None:
            sender = _propagator.extract({HEADER: value.decode("latin-1")}, Context())
            if get_current_span(sender).get_span_context().trace_flags.sampled:
                yield sender
