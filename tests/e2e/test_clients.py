"""Generated clients against the running APIs: each posts a rating, hears its outcome and reads a figure."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from clients import __main__ as making
from portal import node
from tests.e2e.city import Place, counted
from tests.support.system import System, new_phone

EXAMPLE = making.HERE / "python" / "example.py"
IN_PYTHON = """
import sys
import example
done = example.rate(sys.argv[1], sys.argv[2], lambda challenge, picture: input(challenge + chr(10)))
print(*done)
"""
IN_TYPESCRIPT = """
import { createInterface } from "node:readline/promises";
import { rate } from "./dist/example.js";
const [officer, phone] = process.argv.slice(1);
const where = { intake: process.env.INTAKE, verification: process.env.VERIFICATION,
  aggregation: process.env.AGGREGATION, key: process.env.KEY };
const asking = createInterface({ input: process.stdin, output: process.stdout });
const done = await rate(where, officer, phone, (id) => asking.question(id + "\\n"));
console.log(JSON.stringify(done));
asking.close();
"""


@pytest.fixture(scope="module", autouse=True)
async def made() -> None:
    """Together with `tsc --strict` on the example in TypeScript."""
    await asyncio.to_thread(making.generate)


async def told(system: System, place: Place, *command: str, cwd: Path, **more: str) -> str:
    """What the client prints after it was told the digits of the challenge that it printed first."""
    urls = {name.upper(): system.url(name) for name in ("intake", "verification", "aggregation")}
    child = await asyncio.create_subprocess_exec(
        *command,
        place.officer_id,
        new_phone(),
        cwd=cwd,
        env={**os.environ, **urls, **more},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    async with asyncio.timeout(60):
        challenge = (await child.stdout.readline()).decode().strip()
        child.stdin.write(f"{system.challenges.open(challenge).digits}\n".encode())
        child.stdin.close()
        printed = (await child.stdout.read()).decode()
        assert await child.wait() == 0, printed
    return printed


async def test_in_python(system: System, place: Place) -> None:
    key = {"HAI_LONG_KEY_FILE": str(system.layout.portal_key)}
    path = os.pathsep.join((str(making.PYTHON), str(EXAMPLE.parent)))
    printed = await told(
        system, place, sys.executable, "-c", IN_PYTHON, cwd=EXAMPLE.parent, PYTHONPATH=path, **key
    )
    assert "status=<OutcomeBodyStatus.ACCEPTED: 'accepted'>" in printed
    assert f"id='{place.unit_id}'" in printed
    await counted(system, place, satisfied=1)


async def test_the_python_example_is_sound_to_mypy() -> None:
    command = (
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        str(making.OUT / "mypy"),
        str(EXAMPLE),
    )
    child = await asyncio.create_subprocess_exec(
        *command,
        # What is generated counts as an installed package: its types, not its own flaws.
        "--follow-imports=silent",
        "--config-file",
        os.devnull,
        cwd=EXAMPLE.parent,
        env={**os.environ, "MYPYPATH": str(making.PYTHON)},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(120):
        printed, _ = await child.communicate()
    assert child.returncode == 0, printed.decode()


async def test_in_typescript(system: System, place: Place) -> None:
    key = {"KEY": system.layout.portal_key.read_text().strip()}
    command = (str(node.program()), "--input-type=module", "--eval", IN_TYPESCRIPT)
    printed = await told(system, place, *command, cwd=making.TYPESCRIPT, **key)
    answers: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    assert answers["outcome"]["status"] == "accepted"
    assert answers["unit"]["scope"]["id"] == place.unit_id
    await counted(system, place, satisfied=1)
