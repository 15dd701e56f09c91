"""Ended spans on their way to the receiver, in a thread of their own."""

import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import (
    ALWAYS_ON,
    ParentBased,
    Sampler,
    SamplingResult,
    TraceIdRatioBased,
)
from opentelemetry.trace import Link, SpanKind, Tracer, TraceState, get_current_span
from opentelemetry.util.types import Attributes
from requests import Session

from chassis.logs import logger
from chassis.traces import LIKE_A_NUMBER, SPANS, Traces

log = logger(__name__)
PATH = "/v1/traces"
WAITING_MOST = 4_096
BATCH = 128
"""Encoding it holds the interpreter, and so the event loop, for some milliseconds."""
WITHIN_SECONDS = 0.5
EXPORT_SECONDS = 2.0
"""For a batch, with the exporter's own retries."""


class Sending:
    """Takes spans without waiting, whatever becomes of the receiver, and counts those that are lost.

    The SDK's own batching drops what does not fit uncounted, and may hold a process's end for half a minute.
    """

    def __init__(self, process: str, settings: Traces) -> None:
        for name in ("opentelemetry", "urllib3"):  # `_send` says it, once
            logging.getLogger(name).setLevel(logging.CRITICAL)
        session = Session()
        session.trust_env = False  # a receiver of ours is behind no proxy
        self._exporter = OTLPSpanExporter(
            endpoint=f"{str(settings.to).rstrip('/')}{PATH}",
            certificate_file=None if settings.tls_ca_file is None else str(settings.tls_ca_file),
            headers={},
            timeout=EXPORT_SECONDS,
            compression=Compression.Gzip,
            session=session,
        )
        self._queue = _Queue(self._send)
        provider = TracerProvider(
            sampler=_Head(TraceIdRatioBased(settings.share)),
            resource=Resource(
                {
                    "service.namespace": "hailong",
                    "service.name": process,
                    "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
                }
            ),
            id_generator=_Ids(),
            shutdown_on_exit=False,
        )
        provider.add_span_processor(self._queue)
        self.tracer: Tracer = provider.get_tracer("hailong")
        self._taken = True

    def close(self, seconds: float) -> None:
        """Send what waits, for so long at most. What is ended later is lost."""
        left = self._queue.close(seconds)
        if left:
            self._exporter.shutdown()  # type: ignore[no-untyped-call]
            log.warning("spans were lost at the end", spans=left)

    def _send(self, spans: Sequence[ReadableSpan]) -> None:
        taken = self._exporter.export(spans) is SpanExportResult.SUCCESS
        SPANS.labels("sent" if taken else "refused").inc(len(spans))
        if taken != self._taken:
            self._taken = taken
            if taken:
                log.info("the receiver takes traces")
            else:
                log.warning("the receiver does not take traces; spans are lost")


class _Queue(SpanProcessor):
    """Bounded; a thread hands on what is in it."""

    def __init__(self, send: Callable[[Sequence[ReadableSpan]], None]) -> None:
        self._send = send
        self._waiting: queue.Queue[ReadableSpan | None] = queue.Queue(WAITING_MOST)
        self._ending = threading.Event()
        self._under_way = 0
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def on_end(self, span: ReadableSpan) -> None:
        if not span.context.trace_flags.sampled:
            return
        if self._ending.is_set():
            SPANS.labels("ended").inc()
            return
        try:
            self._waiting.put_nowait(span)
        except queue.Full:
            SPANS.labels("full").inc()

    def close(self, seconds: float) -> int:
        """Returns how many are lost."""
        self._ending.set()
        with suppress(queue.Full):
            self._waiting.put_nowait(None)  # wakes the thread, where it waits for a span
        self._thread.join(seconds)
        left = self._waiting.qsize() + self._under_way if self._thread.is_alive() else 0
        SPANS.labels("ended").inc(left)
        return left

    def _run(self) -> None:
        while spans := self._take():
            self._under_way = len(spans)
            try:
                self._send(spans)
            except Exception as error:  # noqa: BLE001 - the thread has to live on
                SPANS.labels("refused").inc(len(spans))
                log.warning("spans could not be sent", error=type(error).__name__)
            self._under_way = 0

    def _take(self) -> list[ReadableSpan]:
        """A batch; none where nothing more will come."""
        taken: list[ReadableSpan] = []
        due = 0.0
        while len(taken) < BATCH:
            try:
                found = self._waiting.get(timeout=self._patience(taken, due))
            except queue.Empty:
                break
            if found is not None:
                due = due or time.monotonic() + WITHIN_SECONDS
                taken.append(found)
        return taken

    def _patience(self, taken: list[ReadableSpan], due: float) -> float | None:
        if self._ending.is_set():
            return 0.0001
        return max(0.0001, due - time.monotonic()) if taken else None


class _Head(ParentBased):
    """As whoever began a trace decided; of requests a share; every batch, for those are few."""

    def __init__(self, requests: Sampler) -> None:
        super().__init__(requests)

    def should_sample(  # noqa: PLR0917 - the SDK's signature
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        begins = not get_current_span(parent_context).get_span_context().is_valid
        if begins and kind is SpanKind.CONSUMER:
            return ALWAYS_ON.should_sample(None, trace_id, name)
        return super().should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)


class _Ids(RandomIdGenerator):
    """None that another process of ours would not take over."""

    def generate_trace_id(self) -> int:
        while LIKE_A_NUMBER.search(f"{(made := super().generate_trace_id()):032x}"):
            pass
        return made

    def generate_span_id(self) -> int:
        while LIKE_A_NUMBER.search(f"{(made := super().generate_span_id()):016x}"):
            pass
        return made
