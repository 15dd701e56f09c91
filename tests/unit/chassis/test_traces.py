"""Traces as a receiver in a process of its own sees them, or does not."""

import asyncio
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import REGISTRY

from chassis import traces
from chassis.settings import read
from chassis.traces import sending
from deploy.local.http_process import HttpProcess
from deploy.local.layout import CHECKOUT
from deploy.local.ports import HOST, free_ports
from deploy.local.process import Process
from services.intake.settings import Settings
from tests.support.leaks import spellings
from tests.support.trace_receiver import Receiver, receiver

PHONE = "0905123456"
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920a331-01"


class Traced:
    """tests/unit/chassis/process.py, told where its traces go."""

    def __init__(self, process: Process, public: int, operations: int, http: httpx.AsyncClient) -> None:
        self.process = process
        self.public = f"http://{HOST}:{public}"
        self.operations = f"http://{HOST}:{operations}"
        self.http = http

    async def lost_or_sent(self) -> dict[str, float]:
        text = (await self.http.get(f"{self.operations}/metrics")).text
        found = re.findall(r'^trace_spans_total\{result="(\w+)"\} (\S+)', text, re.MULTILINE)
        return {result: float(count) for result, count in found}


@asynccontextmanager
async def traced(folder: Path, to: str, **environment: str) -> AsyncIterator[Traced]:
    public, operations = free_ports(2)
    where = (f"traces={to}",) if to else ()
    command = (sys.executable, "-m", "tests.unit.chassis.process", str(public), str(operations), *where)
    process = Process(
        "obedient", command, folder / "obedient.log", os.environ | environment, directory=CHECKOUT
    )
    await HttpProcess(process, operations).start()
    try:
        async with httpx.AsyncClient() as http:
            yield Traced(process, public, operations, http)
    finally:
        await process.stop()


@pytest.fixture(scope="module")
async def taking(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Receiver]:
    async with receiver(tmp_path_factory.mktemp("traces")) as found:
        yield found


@pytest.fixture(scope="module")
async def app(taking: Receiver, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traced]:
    """Ended by the last test that asks for it."""
    async with traced(tmp_path_factory.mktemp("app"), taking.url) as app:
        yield app


async def test_a_request_is_a_span_under_its_routes_template_and_goes_on_with_its_callers_trace(
    taking: Receiver, app: Traced
) -> None:
    headers = {"traceparent": CALLER, "tracestate": "a=b", "Idempotency-Key": "mine"}
    answer = await app.http.post(f"{app.public}/slow/{PHONE}?phone={PHONE}", headers=headers)
    assert answer.status_code == 200
    assert (await app.http.post(f"{app.public}/broken/{PHONE}")).status_code == 500
    await app.http.get(f"{app.public}/healthz")
    slow, broken = await taking.until(lambda spans: len(spans) == 2)
    assert (slow.process, slow.name, slow.kind) == ("obedient", "POST /slow/{phone}", "server")
    assert (slow.trace, slow.parent) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b716920a331")
    assert slow.attributes == {
        "http.request.method": "POST",
        "http.route": "/slow/{phone}",
        "http.response.status_code": "200",
    }
    assert (broken.trace != slow.trace, broken.parent, broken.failed) == (True, "", True)
    logged = app.process.log.read_text()
    assert f'"trace_id":"{slow.trace}"' in logged
    assert not any(each in taking.everything() for each in (*spellings(PHONE), b"mine", b"a=b"))


async def test_a_trace_whose_id_spells_a_number_is_not_gone_on_with(taking: Receiver, app: Traced) -> None:
    known = len(taking.spans())
    spelt = CALLER.replace("0af7651916", PHONE)
    await app.http.post(f"{app.public}/start/nothing", headers={"traceparent": spelt})
    *_, span = await taking.until(lambda spans: len(spans) > known)
    assert (span.parent, span.trace != spelt.split("-")[1]) == ("", True)
    assert PHONE not in app.process.log.read_text()


async def test_what_was_ended_before_the_process_is_told_to_end_arrives(
    taking: Receiver, app: Traced
) -> None:
    known = len(taking.spans())
    await app.http.post(f"{app.public}/start/nothing")
    assert await app.process.stop()
    assert [span.name for span in taking.spans()[known:]] == ["POST /start/{work}"]


def test_no_id_of_ours_spells_a_number() -> None:
    made = sending._Ids()
    for _ in range(200):
        spelt = f"{made.generate_trace_id():032x}-{made.generate_span_id():016x}"
        assert not traces.LIKE_A_NUMBER.search(spelt)


@pytest.mark.parametrize("how", ["hangs", "is away"])
async def test_a_receiver_that_does_not_take_spans_costs_spans_and_nothing_else(
    tmp_path: Path, how: str
) -> None:
    async with receiver(tmp_path, "hangs") as there:
        if how == "is away":
            await there.process.kill()
        async with traced(tmp_path, there.url) as app:
            took = []
            for _ in range(10):
                started = time.perf_counter()
                assert (await app.http.post(f"{app.public}/start/nothing")).status_code == 500
                took.append(time.perf_counter() - started)
            async with asyncio.timeout(10):
                while (await app.lost_or_sent())["refused"] < 10:
                    await asyncio.sleep(0.1)
            await app.http.post(f"{app.public}/start/nothing")
            started = time.perf_counter()
            assert await app.process.stop()
            assert time.perf_counter() - started < traces.CLOSE_SECONDS + 2
            assert await app.process.wait() == 0
            assert sorted(took)[5] < 0.2, took  # a busy machine can only add to it
            assert app.process.log.read_text().count("the receiver does not take traces") == 1


async def test_an_environment_that_turns_on_the_frameworks_own_telemetry_turns_on_nothing(
    taking: Receiver, tmp_path: Path
) -> None:
    known = taking.everything()
    usual = {"FASTAPI_OTEL_AUTO_CONFIGURE": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": taking.url}
    async with traced(tmp_path, "", **usual) as app:
        await app.http.post(f"{app.public}/broken/{PHONE}")
        assert await app.process.stop()
    assert taking.everything() == known


def test_a_process_that_traces_nothing_does_not_import_what_it_would_take() -> None:
    program = (
        "import sys\n"
        "import portal.__main__, services.aggregation.__main__\n"
        "import services.intake.__main__, services.verification.__main__\n"
        "print([m for m in sys.modules if m.startswith(('opentelemetry.sdk',"
        " 'opentelemetry.exporter', 'opentelemetry.proto'))])"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, check=False, cwd=CHECKOUT, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "[]\n"), ended.stderr


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(traces._Recording, "tracer", provider.get_tracer("test"))
    return exporter


def test_each_traced_message_of_a_batch_has_a_span_in_its_own_trace_that_links_to_the_batch(
    memory: InMemorySpanExporter,
) -> None:
    unrecorded = CALLER[:-1] + "0"
    messages = [
        [("ce_id", b"1"), ("traceparent", CALLER.encode())],
        [("ce_id", b"2")],
        [("traceparent", unrecorded.encode())],
        [("traceparent", b"\xff nonsense")],
    ]
    with traces.batch("things", 4, messages), traces.span("decide"):
        assert traces.message_headers()
    decide, process, whole = memory.get_finished_spans()
    assert (decide.name, process.name, whole.name) == ("decide", "process things", "batch things")
    assert f"{process.context.trace_id:032x}" == CALLER.split("-")[1]
    assert [link.context for link in process.links] == [whole.context]
    assert (whole.parent, whole.links, decide.parent) == (None, (), whole.context)
    assert whole.attributes == {"messaging.batch.message_count": 4}


def test_a_batch_that_fails_says_what_kind_of_error_it_was_and_not_what_the_error_says(
    memory: InMemorySpanExporter,
) -> None:
    with (
        pytest.raises(ValueError, match="number"),
        traces.batch("things", 1, [[("traceparent", CALLER.encode())]]),
    ):
        raise ValueError(f"not a number: {PHONE}")
    for span in memory.get_finished_spans():
        assert span.attributes is not None
        assert (span.attributes["error.type"], span.events, span.status.description) == (
            "ValueError",
            (),
            None,
        )


def test_while_nothing_is_traced_nothing_is_told_to_others() -> None:
    with traces.root("a"), traces.span("b"), traces.batch("c", 1, [[("traceparent", CALLER.encode())]]):
        assert (traces.headers(), traces.message_headers(), traces.trace_id()) == ({}, [], None)


def test_spans_that_nobody_takes_are_bounded_and_counted() -> None:
    lost = {name: _count(name) for name in ("full", "ended")}
    blocked = threading.Event()

    def stuck(_: object) -> None:
        blocked.wait()

    held = sending._Queue(stuck)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(held)
    tracer = provider.get_tracer("test")
    more = 100
    for _ in range(sending.BATCH + sending.WAITING_MOST + more):
        tracer.start_span("a").end()
    assert sending.BATCH + more >= _count("full") - lost["full"] >= more
    started = time.monotonic()
    left = held.close(0.2)
    assert time.monotonic() - started < 1
    assert _count("ended") - lost["ended"] == left >= sending.WAITING_MOST
    blocked.set()


def _count(result: str) -> float:
    return REGISTRY.get_sample_value("trace_spans_total", {"result": result}) or 0.0


def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTAKE_TRACES_TO", "")
    monkeypatch.setenv("INTAKE_TRACES_SHARE", "0.1")
    found = read(Settings).traces
    assert (found.to, found.share) == (None, 0.1)
    traces.start("intake", found)
    assert not traces.on()
