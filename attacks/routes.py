"""Calls every route of every process in every role, and looks for an answer that nobody meant to give."""

import asyncio
import re
import socket
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer
from fastapi import FastAPI
from pydantic import AnyHttpUrl
from rich.console import Console
from rich.progress import track
from rich.table import Table

from attacks.malformed import OVERSIZED, SMUGGLED, TRICKS
from attacks.surface import METHODS, NUMBER, OPERATIONS, PUBLIC, ROLES, Answers, expected
from attacks.wire import Answer, ask, send
from chassis.sign_in import SignIn
from deploy.local import lock
from deploy.local.errors import StackError
from deploy.local.layout import Layout
from portal import bootstrap as portal
from portal.settings import Settings as PortalSettings
from services.aggregation import bootstrap as aggregation
from services.aggregation.settings import Settings as AggregationSettings
from services.intake import bootstrap as intake
from services.intake.adapters.key_files import create_keys as create_intake_keys
from services.intake.settings import OfficeSignIn
from services.intake.settings import Settings as IntakeSettings
from services.verification import bootstrap as verification
from services.verification.adapters.key_files import create_keys as create_verification_keys
from services.verification.settings import Settings as VerificationSettings

AT_ONCE = 8
BUSY_TRIES = 3
WORKERS = ("verification-worker", "aggregation-worker")
HEADERS = (
    "content-security-policy",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-resource-policy",
    "cache-control",
)
NEVER_SAID = (
    b"Traceback",
    b"site-packages",
    b".py",
    NUMBER.encode(),
    NUMBER[1:].encode(),
    b"elsewhere.example",
)
ONLY_TO_OPERATORS = (b"# HELP", b'"checks"')


@dataclass(slots=True)
class Result:
    """`calls` by process and role, `wrong` answers by role; `findings` is empty where every control held."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Call:
    """One thing to try at `port`; `allowed` are the statuses that are right."""

    process: str
    role: str
    what: str
    port: int
    go: Callable[[], Any]
    allowed: tuple[int, ...]
    public: bool = True


def applications(folder: Path) -> dict[str, FastAPI]:
    """Every process's application, not running, with signing in. Their route tables are what is called."""
    create_intake_keys(folder / "intake", "any")
    create_verification_keys(folder / "verification", "any")
    verifying = VerificationSettings(keys_dir=folder / "verification")
    return {
        "portal": portal.build(
            PortalSettings(
                keys_dir=folder / "portal",
                public_url=AnyHttpUrl("https://portal.example"),
                oidc_issuer="https://provider.example",
                oidc_client_id="portal",
            )
        ),
        "intake": intake.create(
            IntakeSettings(
                keys_dir=folder / "intake",
                oidc=OfficeSignIn(issuer="https://provider.example", audience="figures"),
            )
        ),
        "verification": verification.api_app(verifying),
        "aggregation": aggregation.api_app(
            AggregationSettings(oidc=SignIn(issuer="https://provider.example", audience="figures"))
        ),
        "verification-worker": verification.worker_app(verifying),
        "aggregation-worker": aggregation.worker_app(AggregationSettings()),
    }


def routes(app: FastAPI) -> dict[str, set[str]]:
    """The paths of an application, and the methods of each."""
    found: dict[str, set[str]] = {}
    for path, methods in _routes(app.routes, ""):
        found.setdefault(path, set()).update(methods)
    return found


def _routes(found: Any, prefix: str) -> Iterator[tuple[str, set[str]]]:
    for route in found:
        included = getattr(route, "original_router", None)
        if included is None:
            yield prefix + route.path, route.methods
        else:
            yield from _routes(included.routes, prefix + route.include_context.prefix)


def listeners(apps: Mapping[str, FastAPI]) -> dict[str, tuple[dict[str, set[str]], Mapping[str, Answers]]]:
    """By name as in `make urls`: the routes that a listener has, and those that it may have."""
    found = {name: (routes(app), PUBLIC[name]) for name, app in apps.items() if name not in WORKERS}
    for name, app in apps.items():
        operating = app if name in WORKERS else app.state.operations
        found[f"{name}-operations"] = routes(operating), OPERATIONS
    return found


def unknown(apps: Mapping[str, FastAPI]) -> list[str]:
    """Where the route tables and `attacks.surface` do not agree."""
    wrong = []
    for name, (there, known) in listeners(apps).items():
        wrong += [
            f"{name}: nobody has thought about who may call {path}"
            for path in sorted(set(there) - set(known))
        ]
        wrong += [f"{name}: {path} is not there any more" for path in sorted(set(known) - set(there))]
    return wrong


def calls(urls: Mapping[str, str]) -> Iterator[Call]:
    """All that is tried. `urls` as `make urls` prints them."""
    ports = {name: urlsplit(url).port or 0 for name, url in urls.items()}
    tables = dict(PUBLIC)
    tables |= {name: OPERATIONS for name in urls if name.endswith("-operations")}
    for name, table in tables.items():
        port, public = ports[name], name in PUBLIC
        for path, answers in table.items():
            target = re.sub(r"\{[^}]+\}", NUMBER, path)
            for role, headers in ROLES.items():
                for method in METHODS:
                    status = expected(name, answers, method, role)
                    yield Call(
                        name,
                        role,
                        f"{method} {path}",
                        port,
                        _asking(port, method, target, headers),
                        (status,),
                        public,
                    )
        if public:
            for target in TRICKS:
                yield Call(
                    name, "path tricks", f"GET {target}", port, _asking(port, "GET", target), (400, 404)
                )
        for what, request in SMUGGLED.items():
            yield Call(name, "smuggling", what, port, _sending(port, request), (400,), public)
        for what, request in OVERSIZED.items():
            yield Call(name, "oversized", what, port, _sending(port, request), (431,), public)


def _asking(port: int, method: str, target: str, headers: Any = ()) -> Callable[[], Any]:
    return lambda: ask(port, method, target, headers)


def _sending(port: int, request: bytes) -> Callable[[], Any]:
    return lambda: send(port, request)


def judged(call: Call, answer: Answer) -> Iterator[str]:
    """What is wrong with an answer."""
    here = f"{call.process}, {call.role}: {call.what}"
    if answer.status not in call.allowed:
        yield f"{here}: answered {answer.status}, not {' or '.join(map(str, call.allowed))}"
    if answer.answers > 1:
        yield f"{here}: {answer.answers} answers"
    missing = [name for name in HEADERS if name not in answer.headers]
    if missing:
        yield f"{here}: without {', '.join(missing)}"
    if "server" in answer.headers or "x-powered-by" in answer.headers:
        yield f"{here}: says what it runs on"
    said = NEVER_SAID + (ONLY_TO_OPERATORS if call.public else ())
    if call.what != "GET /openapi.json":
        yield from (f"{here}: says {text.decode()}" for text in said if text in answer.body)


async def run(urls: Mapping[str, str], step: Callable[[Iterator[Call]], Any] = iter) -> Result:
    """Everything, AT_ONCE calls at a time. `urls` as `make urls` prints them."""
    result = Result()
    with tempfile.TemporaryDirectory() as folder:
        result.findings += unknown(applications(Path(folder)))
    places = asyncio.Semaphore(AT_ONCE)

    async def make(call: Call) -> None:
        try:
            answer = await call.go()
            for _ in range(BUSY_TRIES):  # too much at once says nothing of who may do what
                if answer.status != 503 or 503 in call.allowed:
                    break
                await asyncio.sleep(1)
                answer = await call.go()
            found = list(judged(call, answer))
        except (OSError, TimeoutError) as error:
            found = [f"{call.process}, {call.role}: {call.what}: {error!r}"]
        finally:
            places.release()
        result.calls[call.process, call.role] += 1
        result.wrong[call.role] += bool(found)
        result.findings += found

    async with asyncio.TaskGroup() as group:
        for call in step(calls(urls)):
            await places.acquire()
            group.create_task(make(call))
    async for finding in _from_elsewhere(urls, result):
        result.findings.append(finding)
    return result


async def _from_elsewhere(urls: Mapping[str, str], result: Result) -> AsyncIterator[str]:
    """Operations listen on the loopback interface alone, unless their settings say otherwise."""
    outside = own_address()
    if outside is None:
        result.notes.append(
            "this machine has no address but the loopback's: nobody could come from elsewhere"
        )
        return
    for name, url in urls.items():
        if not name.endswith("-operations"):
            continue
        result.calls[name, "from another address"] += 1
        try:
            answer = await ask(urlsplit(url).port or 0, "GET", "/metrics", host=outside)
        except (OSError, TimeoutError):
            continue
        result.wrong["from another address"] += 1
        yield f"{name}: answers {answer.status} at {outside}"


def own_address() -> str | None:
    """This machine's address to others. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = str(probe.getsockname()[0])
    return None if address.startswith("127.") else address


def command() -> None:
    """Call every route of the running system (make run) in every role. Example: python -m attacks routes"""
    console = Console(soft_wrap=True, highlight=False)
    try:
        urls = lock.running_urls(Layout())
    except StackError as error:
        console.print(str(error))
        raise typer.Exit(1) from error
    result = asyncio.run(run(urls, lambda found: track(list(found), "calling", console=console)))
    show(result, console)
    if result.findings:
        raise typer.Exit(1)


def show(result: Result, console: Console) -> None:
    table = Table("role", "public ports", "operations", "wrong answers")
    for role in dict.fromkeys(role for _, role in result.calls):
        by_kind: Counter[bool] = Counter()
        for (process, its), number in result.calls.items():
            by_kind[process in PUBLIC] += number if its == role else 0
        table.add_row(role, str(by_kind[True]), str(by_kind[False]), str(result.wrong[role]))
    console.print(table)
    for line in (*result.notes, *result.findings):
        console.print(line)
    console.print(f"{result.calls.total()} calls, {len(result.findings)} answers that nobody meant to give")
