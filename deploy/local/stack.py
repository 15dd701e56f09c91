"""The embedded stack: what is started, in which order, and what each part waits for."""

import asyncio
import json
import sys
import time
from collections.abc import Mapping

from chassis import key_files
from deploy.local import jars, lock, preflight
from deploy.local.environment import Wiring, with_callers
from deploy.local.errors import StackError
from deploy.local.http_process import HttpProcess
from deploy.local.identity_provider import IdentityProvider
from deploy.local.kafka import Broker
from deploy.local.layout import CHECKOUT, Layout
from deploy.local.ports import HOST, Ports
from deploy.local.postgres import Database
from deploy.local.process import Process, run_to_end
from deploy.local.progress import Report
from deploy.local.supervisor import Part, Supervisor, first_stack_error
from portal import node

EDITION = "2017"
COMMANDS = {
    "intake": ("services.intake", "serve"),
    "verification": ("services.verification", "serve"),
    "verification-worker": ("services.verification", "worker"),
    "aggregation": ("services.aggregation", "serve"),
    "aggregation-worker": ("services.aggregation", "worker"),
    "portal": ("portal", "serve"),
}
"""Of each process of ours: the module, and the command that serves or works."""
DIRECTORY_FILES = ("data/directory-2017.yaml", "data/edition-2017.yaml")
PORTAL_CHANNELS = ("portal", "web", "qr", "kiosk")
STEP_DEADLINE = 120.0
DOWNLOAD_DEADLINE = 900.0


class Stack:
    """One stack of one checkout. `run` returns after a signal; it raises StackError when something fails."""

    def __init__(self, layout: Layout, ports: Ports, report: Report) -> None:
        self.layout = layout
        self.ports = ports
        self.report = report
        self.broker = Broker(
            layout.kafka,
            port=ports["kafka"],
            controller_port=ports["kafka-controller"],
            jars=layout.jars,
            log=layout.logs / "kafka.log",
        )
        self.database = Database(
            layout.postgres,
            port=ports["postgres"],
            secrets_directory=layout.keys,
            databases=("verification", "aggregation"),
            log=layout.logs / "postgres.log",
        )
        self.supervisor = Supervisor(layout, report)

    async def run(self) -> None:
        with lock.held(self.layout):
            leftovers = await asyncio.to_thread(lock.end_leftovers, self.layout)
            if leftovers:
                self.report.say(
                    f"Ended what an earlier stack, killed, had left running: {', '.join(leftovers)}."
                )
            preflight.check_disk(self.layout.root, preflight.DISK_TO_RUN)
            self.ports.check_free()
            try:
                await self.supervisor.run(self._bring_up)
            except BaseExceptionGroup as group:
                raise first_stack_error(group) or group from group

    async def _bring_up(self) -> None:
        started = time.monotonic()
        wiring = Wiring(
            self.layout,
            self.ports,
            self.broker.bootstrap,
            {name: self.database.url(name) for name in self.database.databases},
            sign_in=True,
        )
        async with asyncio.TaskGroup() as group:
            group.create_task(self._assets())
            group.create_task(self._broker_and_topics())
            group.create_task(self._database_and_migrations(wiring))
            sealing_key = group.create_task(self._keys(wiring))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish(wiring, sealing_key.result()))
            group.create_task(self._portal_client(wiring))
        key_files.create(self.layout.sign_in_secret)
        services: list[Part] = [*self._services(wiring), identity_provider(wiring)]
        await self.supervisor.start((part, wiring.url_of(part.process.name)) for part in services)
        portal = self._serving("portal", wiring.portal())
        await self.supervisor.start([(portal, wiring.url_of("portal"))])
        lock.record_urls(self.layout, wiring.urls())
        self.report.say(
            f"\nUp in {time.monotonic() - started:.0f} s. Ctrl-C stops it; logs are in {self.layout.logs}.\n"
        )
        for name, url in wiring.urls().items():
            self.report.say(f"  {name:<30} {url}")

    async def _broker_and_topics(self) -> None:
        await ensure_jars(self.layout, self.report)
        await self.supervisor.start([(self.broker, self.broker.bootstrap)])
        bootstrap = {"OPERATOR_KAFKA_BOOTSTRAP": self.broker.bootstrap}
        await self._step("topics", "chassis.topics", settings=bootstrap)

    async def _database_and_migrations(self, wiring: Wiring) -> None:
        await self.supervisor.start([(self.database, f"{HOST}:{self.database.port}")])
        async with asyncio.TaskGroup() as group:
            for service, settings in (
                ("verification", wiring.verification()),
                ("aggregation", wiring.aggregation()),
            ):
                name = f"{service}-migrations"
                group.create_task(self._step(name, f"services.{service}", "migrate", settings=settings))

    async def _assets(self) -> None:
        await self._step("portal-assets", "portal.assets", "build", deadline=DOWNLOAD_DEADLINE)

    async def _keys(self, wiring: Wiring) -> str:
        """Make the keys that are missing and return the edition's public sealing key, as JSON."""
        arguments = ("keys", "create", "--edition", EDITION)
        await self._step("intake-keys", "services.intake", *arguments, settings=wiring.intake())
        output = await self._step(
            "verification-keys", "services.verification", *arguments, settings=wiring.verification()
        )
        return sealing_key_in(output)

    async def _publish(self, wiring: Wiring, sealing_key: str) -> None:
        arguments = (*DIRECTORY_FILES, "--sealing-key", sealing_key)
        await self._step("directory", "services.intake", "publish", *arguments, settings=wiring.intake())

    async def _portal_client(self, wiring: Wiring) -> None:
        arguments = portal_client(self.layout)
        await self._step("portal-client", "services.intake", *arguments, settings=wiring.intake())

    def _services(self, wiring: Wiring) -> list[HttpProcess]:
        return [
            self._serving("intake", wiring.intake()),
            self._serving("verification", wiring.verification()),
            self._serving("verification-worker", wiring.verification()),
            self._serving("aggregation", wiring.aggregation()),
            self._serving("aggregation-worker", wiring.aggregation()),
        ]

    def _serving(self, name: str, settings: Mapping[str, str]) -> HttpProcess:
        process = python(self.layout, name, *COMMANDS[name], settings=settings)
        return HttpProcess(process, self.ports[f"{name}-operations"])

    async def _step(
        self,
        name: str,
        module: str,
        *arguments: str,
        settings: Mapping[str, str] | None = None,
        deadline: float = STEP_DEADLINE,
    ) -> str:
        """Run one of our commands to its end, say so, and return what it printed."""
        started = time.monotonic()
        with self.report.waiting_for(name):
            output = await run_to_end(
                python(self.layout, name, module, *arguments, settings=settings), deadline
            )
        self.report.ready(name, "", time.monotonic() - started)
        return output


def identity_provider(wiring: Wiring) -> IdentityProvider:
    """The local sign-in, on what the assets are built with."""
    return IdentityProvider(
        wiring.layout,
        node.program(),
        node.NODE_MODULES,
        port=wiring.ports["identity-provider"],
        portal=wiring.http_url("portal"),
    )


def sealing_key_in(output: str) -> str:
    """The JSON line with the public key, among whatever else the command printed."""
    for line in output.splitlines():
        if line.startswith("{") and "public_key" in json.loads(line):
            return line
    raise StackError(
        "`keys create` printed no public key.", "Its log is verification-keys.log.", output.splitlines()
    )


def portal_client(layout: Layout) -> tuple[str, ...]:
    """Intake's command that lets the portal post on citizens' behalf; it keeps a key that is in force."""
    channels = [word for channel in PORTAL_CHANNELS for word in ("--channel", channel)]
    name = ("--name", "Cổng đánh giá", "--key-file", str(layout.portal_key))
    return ("clients", "add", "portal", *name, *channels)


def python(
    layout: Layout, name: str, module: str, *arguments: str, settings: Mapping[str, str] | None = None
) -> Process:
    """A command of this checkout, as a process with its own log."""
    # Plain tracebacks: the end of a log should say what failed, not draw boxes.
    plain = {"PYTHONUNBUFFERED": "1", "TYPER_STANDARD_TRACEBACK": "1"}
    environment = {**with_callers(settings or {}), **plain}
    command = (sys.executable, "-m", module, *arguments)
    return Process(name, command, layout.logs / f"{name}.log", environment, directory=CHECKOUT)


async def ensure_jars(layout: Layout, report: Report) -> None:
    """Download what is missing of Kafka's jars, in a process of its own, and show how far it is."""
    listed = jars.read_list(jars.LIST.read_text())
    absent = await asyncio.to_thread(jars.missing, listed, layout.jars)
    if not absent:
        return
    started = time.monotonic()
    process = python(layout, "jars", "deploy.local", "jars")
    with report.waiting_for("jars", len(absent)) as advance:
        download = asyncio.create_task(run_to_end(process, DOWNLOAD_DEADLINE))
        try:
            while not download.done():
                # A jar gets its final name when it is whole and verified, so files are what is done.
                advance(await asyncio.to_thread(jars.count_present, absent, layout.jars))
                await asyncio.wait({download}, timeout=0.2)
            download.result()
        except StackError as error:
            # The command has said in one line what is wrong and what to do.
            raise StackError(
                error.details[-1].removeprefix("✗ ") if error.details else str(error), ""
            ) from error
        finally:
            download.cancel()
            await asyncio.wait({download})
    report.ready("jars", f"{len(absent)} verified", time.monotonic() - started)
