"""The servers of a run, and our services on them when a row asks for them: own folder, free ports."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from rich.console import Console

from benchmarks.processes import ALL_CORES, MEASURED, OTHERS, pin
from contracts.events import SealingKey
from deploy.local.environment import Wiring
from deploy.local.http_process import HttpProcess
from deploy.local.kafka import Broker
from deploy.local.layout import CHECKOUT, Layout
from deploy.local.ports import HTTP_OFFSETS, Ports, free_ports
from deploy.local.postgres import Database
from deploy.local.process import Process, run_to_end
from deploy.local.progress import Report
from deploy.local.stack import COMMANDS, ensure_jars, portal_client, python, sealing_key_in
from services.verification.adapters.key_files import CHALLENGE_KEY, read_key

EDITION = "bench"
STEP_SECONDS = 120.0
DATABASES = ("verification", "aggregation", "rebuilt", "crud")
LIMITS = {
    "INTAKE_LIMIT_EDITION": "1000000000",
    "INTAKE_LIMIT_OFFICER": "1000000000",
    "INTAKE_LIMIT_SHARED_BLOCK": "1000000000",
}
"""Limits stay on and count, but are not met: a city's usual ones are for less than is offered here."""


class Stack:
    """`start` once, `stop` always. Its servers are kept off the core of what is measured."""

    def __init__(self, folder: Path) -> None:
        self.layout = Layout(folder)
        self.jars = Layout().jars
        kafka, controller, postgres, *others = free_ports(3 + len(HTTP_OFFSETS))
        self.broker = Broker(
            self.layout.kafka,
            port=kafka,
            controller_port=controller,
            jars=self.jars,
            log=self.layout.logs / "kafka.log",
        )
        self.database = Database(
            self.layout.postgres,
            port=postgres,
            secrets_directory=self.layout.keys,
            databases=DATABASES,
            log=self.layout.logs / "postgres.log",
        )
        self.ports = Ports(dict(zip(HTTP_OFFSETS, others, strict=True)), {})
        self.running: dict[str, HttpProcess] = {}
        self.sealing_key: SealingKey
        self.wiring: Wiring

    async def start(self) -> None:
        os.sched_setaffinity(0, OTHERS)
        self.layout.logs.mkdir(parents=True, exist_ok=True)
        await ensure_jars(Layout(), Report(Console(quiet=True)))
        async with asyncio.TaskGroup() as group:
            group.create_task(self.broker.start())
            group.create_task(self.database.start())
        self.wiring = Wiring(
            self.layout,
            self.ports,
            self.broker.bootstrap,
            {name: self.database.url(name) for name in DATABASES},
        )
        await self._set_up()

    async def stop(self) -> None:
        for name in list(self.running):
            await self.end(name)
        await self.broker.stop()
        await self.database.stop()
        os.sched_setaffinity(0, ALL_CORES)

    @property
    def challenge_key(self) -> bytes:
        return read_key(self.layout.keys / "verification" / CHALLENGE_KEY)

    @property
    def portal_key(self) -> str:
        return self.layout.portal_key.read_text("utf-8").strip()

    @property
    def edition_file(self) -> Path:
        return self.layout.root / "edition.yaml"

    @property
    def files(self) -> tuple[Path, Path]:
        return CHECKOUT / "data" / "directory-2017.yaml", self.edition_file

    @property
    def servers(self) -> Mapping[str, int]:
        return {"kafka": self.broker.process.pid, "postgres": self.database.process.pid}

    def settings(self, name: str) -> dict[str, str]:
        kind = name.partition("-")[0]
        found: dict[str, str] = getattr(self.wiring, kind)()
        return {**found, **LIMITS} if kind == "intake" else found

    async def serve(self, name: str, *, cores: Sequence[int] = MEASURED, number: int = 1) -> HttpProcess:
        """Start one of our processes and wait until it is ready. `number`: of several of a kind; only those
        that have no public port can be several."""
        port = self.wiring.operations_port(name)
        settings = self.settings(name)
        if number > 1:
            (port,) = free_ports(1)
            settings[f"{name.replace('-', '_').upper()}_OPERATIONS_PORT"] = str(port)
        key = name if number == 1 else f"{name}-{number}"
        module, command = COMMANDS[name]
        process = HttpProcess(python(self.layout, key, module, command, settings=settings), port)
        self.running[key] = process
        await process.start()
        pin([process.process.pid], cores)
        return process

    async def serve_peer(self, name: str, module: str, *arguments: str) -> HttpProcess:
        """A peer that answers HTTP; its port is `HttpProcess.port`."""
        (port,) = free_ports(1)
        process = HttpProcess(python(self.layout, name, module, "--port", str(port), *arguments), port)
        self.running[name] = process
        await process.start()
        pin([process.process.pid], MEASURED)
        return process

    async def end(self, name: str) -> None:
        process = self.running.pop(name, None)
        if process is not None:
            await process.process.stop()

    async def end_all(self) -> None:
        """All but the servers."""
        await asyncio.gather(*(self.end(name) for name in list(self.running)))

    def spread(self) -> None:
        """Let everything run on every core."""
        self._cores(ALL_CORES)

    def keep_apart(self) -> None:
        """Servers and callers off the core of what is measured."""
        self._cores(OTHERS)

    def _cores(self, cores: Sequence[int]) -> None:
        os.sched_setaffinity(0, cores)
        pin(self.servers.values(), cores)

    async def step(
        self, name: str, module: str, *arguments: str, settings: Mapping[str, str] | None = None
    ) -> str:
        process = python(self.layout, name, module, *arguments, settings=settings)
        return await run_to_end(process, STEP_SECONDS)

    def process(self, name: str) -> Process:
        return self.running[name].process

    async def _set_up(self) -> None:
        rebuilt = {**self.wiring.aggregation(), "AGGREGATION_DATABASE_URL": self.database.url("rebuilt")}
        keys = ("keys", "create", "--edition", EDITION)
        async with asyncio.TaskGroup() as group:
            kafka = {"OPERATOR_KAFKA_BOOTSTRAP": self.broker.bootstrap}
            group.create_task(self.step("topics", "chassis.topics", settings=kafka))
            for name, service, settings in (
                ("migrate-v", "verification", self.wiring.verification()),
                ("migrate-a", "aggregation", self.wiring.aggregation()),
                ("migrate-r", "aggregation", rebuilt),
            ):
                group.create_task(self.step(name, f"services.{service}", "migrate", settings=settings))
            group.create_task(self.step("keys-i", "services.intake", *keys, settings=self.wiring.intake()))
            said = group.create_task(
                self.step("keys-v", "services.verification", *keys, settings=self.wiring.verification())
            )
        sealing_key = sealing_key_in(said.result())
        self.sealing_key = SealingKey.model_validate_json(sealing_key)
        self._write_edition()
        files = (*map(str, self.files), "--sealing-key", sealing_key)
        await self.step("publish", "services.intake", "publish", *files, settings=self.wiring.intake())
        client = portal_client(self.layout)
        await self.step("client", "services.intake", *client, settings=self.wiring.intake())

    def _write_edition(self) -> None:
        """The city's edition under a name of its own, and its publication as a city would have it."""
        content = yaml.safe_load((CHECKOUT / "data" / "edition-2017.yaml").read_text("utf-8"))
        content["edition"]["id"] = EDITION
        self.edition_file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
