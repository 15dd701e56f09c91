"""Intake's commands, as an operator runs them."""

import asyncio
import base64
import json
import os
import signal
import stat
import sys
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from contracts.envelope import decode
from contracts.topics import DIRECTORY
from deploy.local.ports import free_ports
from tests.support.intake_world import World, eventually

pytestmark = pytest.mark.any_servers

FILE = """
directory:
  officer_title: {{vi: "Công chức một cửa", en: "One-stop officer"}}
  groups:
    - id: group-{name}
      name: {{vi: "Nhóm", en: "Group"}}
      units:
        - id: unit-{name}-a
          name: {{vi: "Sở A", en: "Department A"}}
          officers:
            - {{id: lan, name: "Nguyễn Thị Lan", sample: true}}
        - id: unit-{name}-b
          name: {{vi: "Sở B", en: "Department B"}}
"""


async def run(world: World, *arguments: str) -> tuple[int, list[str], list[str]]:
    """Exit code, and the lines of standard output and standard error."""
    process = await _start(world, *arguments)
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode().splitlines(), err.decode().splitlines()


async def _start(world: World, *arguments: str, **more: str) -> asyncio.subprocess.Process:
    settings = {
        "INTAKE_KAFKA_BOOTSTRAP": world.settings.kafka.bootstrap,
        "INTAKE_KEYS_DIR": str(world.settings.keys_dir),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.intake",
        *arguments,
        env={**os.environ, **settings, **more},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def published(world: World, name: str) -> list[ConsumerRecord]:
    return [record for record in await world.read(DIRECTORY.name) if name.encode() in (record.key or b"")]


async def test_publish_sends_what_differs_and_says_so(world: World, tmp_path: Path) -> None:
    name = f"p{world.name}"
    file = tmp_path / "directory.yaml"
    file.write_text(FILE.format(name=name))
    dry, lines, _ = await run(world, "publish", str(file), "--dry-run")
    assert (dry, f"+ unit:unit-{name}-a" in lines, await published(world, name)) == (0, True, [])
    code, lines, _ = await run(world, "publish", str(file))
    assert code == 0
    assert lines[-1].startswith("3 added, 0 changed, 0 unchanged")
    assert len(await published(world, name)) == 3
    file.write_text(FILE.format(name=name).replace("Department A", "Department of A"))
    code, lines, _ = await run(world, "publish", str(file))
    assert [line for line in lines if line.startswith(("+", "~"))] == [f"~ unit:unit-{name}-a"]
    latest = (await published(world, name))[-1]
    assert decode(latest.value, latest.headers).subject == f"unit:unit-{name}-a"
    code, lines, _ = await run(world, "publish", str(file))
    assert lines[-1].startswith("0 added, 0 changed, 3 unchanged")
    assert len(await published(world, name)) == 4


async def test_one_invalid_file_and_nothing_is_published(world: World, tmp_path: Path) -> None:
    name = f"p{world.name}"
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(FILE.format(name=name))
    bad.write_text(FILE.format(name="other").replace('name: {vi: "Sở B",', "name: {"))
    code, lines, errors = await run(world, "publish", str(good), str(bad))
    assert (code, lines) == (1, [])
    assert errors == [f"{bad}: directory.groups[0].units[1].name.vi: Field required"]
    assert await published(world, name) == []


async def test_publish_without_a_broker_says_so_in_one_line(world: World, tmp_path: Path) -> None:
    file = tmp_path / "directory.yaml"
    file.write_text(FILE.format(name="x"))
    process = await _start(
        world, "publish", str(file), INTAKE_KAFKA_BOOTSTRAP=f"127.0.0.1:{free_ports(1)[0]}"
    )
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert (process.returncode, out) == (1, b"")
    [line] = err.decode().splitlines()
    assert "run the same command again" in line


async def test_keys_are_made_once_and_for_their_owner_alone(world: World) -> None:
    code, lines, _ = await run(world, "keys", "create", "--edition", "next")
    assert (code, json.loads(lines[-1])) == (0, {"created": ["next.pseudonym.key"]})
    file = world.settings.keys_dir / "next.pseudonym.key"
    made = file.read_text()
    assert len(base64.b64decode(made)) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    await run(world, "keys", "create", "--edition", "next")
    assert file.read_text() == made


async def test_serve_without_its_secret_says_in_one_line_how_to_make_it(world: World, tmp_path: Path) -> None:
    process = await _start(world, "serve", INTAKE_KEYS_DIR=str(tmp_path / "none"))
    async with asyncio.timeout(60):
        _, err = await process.communicate()
    [line] = err.decode().splitlines()
    assert (process.returncode, "intake.secret" in line, "keys create" in line) == (1, True, True)
    assert (tmp_path / "none").is_dir()


@pytest.mark.parametrize("broker", ["there", "away"])
async def test_serve_ends_well_when_told_to(world: World, broker: str) -> None:
    [port] = free_ports(1)
    away = {} if broker == "there" else {"INTAKE_KAFKA_BOOTSTRAP": f"127.0.0.1:{free_ports(1)[0]}"}
    process = await _start(world, "serve", INTAKE_PORT=str(port), **away)
    async with asyncio.timeout(40):
        await eventually(lambda: _listening(port), why="the port is open")
        process.send_signal(signal.SIGTERM)
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert b"Traceback" not in out


async def _listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
