"""deploy/compose.yaml with what a trial adds, as a project with a name and ports of its own."""

import asyncio
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from deploy.local.errors import StackError
from deploy.local.layout import CHECKOUT
from deploy.local.ports import HOST, free_ports

FILES = (CHECKOUT / "deploy" / "compose.yaml", Path(__file__).with_name("trial.yaml"))
PROFILES = {1: "one-broker", 3: "three-brokers"}
REPLICAS = 2
"""Of each API, at most."""
COMMAND_SECONDS = 60.0
START_SECONDS = 300.0


class Compose:
    """Nothing of it is left after `down`. Each method raises StackError where docker compose fails."""

    def __init__(self, project: str, brokers: int, settings: Mapping[str, str]) -> None:
        self.kafka_ports = free_ports(3)[:brokers]
        (self.postgres_port,) = free_ports(1)
        self._command = ["docker", "compose", "--project-name", project]
        for file in FILES:
            self._command += ["--file", str(file)]
        self._command += ["--profile", PROFILES[brokers]]
        named = dict.fromkeys(("TRIAL_KAFKA_1", "TRIAL_KAFKA_2", "TRIAL_KAFKA_3"), self.kafka_ports[0])
        named |= {f"TRIAL_KAFKA_{number}": port for number, port in enumerate(self.kafka_ports, start=1)}
        named |= {"TRIAL_POSTGRES": self.postgres_port, "HAILONG_PORTAL_PORT": free_ports(1)[0]}
        apis = ("INTAKE", "VERIFICATION", "AGGREGATION")
        ranges = {
            f"HAILONG_{name}_PORT": f"{first}-{first + REPLICAS - 1}"
            for name, first in zip(apis, _runs_of_ports(len(apis)), strict=True)
        }
        self._environment = {**os.environ, **settings, **ranges, **{k: str(v) for k, v in named.items()}}

    async def up(self, *services: str, **replicas: int) -> None:
        """Bring `services` (all, where none is named) to so many replicas, and wait until each is ready."""
        wait = ("--detach", "--wait", "--wait-timeout", f"{START_SECONDS:.0f}")
        alone = ("--no-deps", "--no-recreate") if services else ()
        scales = (
            word for name, number in replicas.items() for word in ("--scale", f"{_dashed(name)}={number}")
        )
        await self._run("up", *wait, *alone, *scales, *services, seconds=2 * START_SECONDS)

    async def exec(self, service: str, *command: str, index: int = 1) -> str:
        return await self._run("exec", "-T", "--index", str(index), service, *command)

    async def url(self, service: str, port: int, index: int = 1) -> str:
        return f"http://{(await self._run('port', '--index', str(index), service, str(port))).strip()}"

    async def logs(self) -> str:
        return await self._run("logs", "--no-color", "--timestamps")

    async def down(self) -> None:
        await self._run("down", "--volumes", "--timeout", "30", seconds=START_SECONDS)

    async def _run(self, *arguments: str, seconds: float = COMMAND_SECONDS) -> str:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds):
                output, errors = await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise StackError(f"docker compose {arguments[0]} took longer than {seconds:.0f} s.", "") from None
        if process.returncode != 0:
            said = errors.decode("utf-8", "replace").strip().splitlines()
            raise StackError(f"docker compose {' '.join(arguments)} failed:", "\n".join(said[-15:]))
        return output.decode("utf-8", "replace")


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _runs_of_ports(count: int) -> list[int]:
    """The first ports of `count` runs of REPLICAS that nobody listens on now."""
    found: list[int] = []
    for first in range(18_000, 20_000, REPLICAS):
        if all(_free(port) for port in range(first, first + REPLICAS)):
            found.append(first)
        if len(found) == count:
            return found
    raise StackError("No free ports from 18000 to 20000.", "")


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
