"""Make the clients: `make clients`, or python -m clients

The result is in `.local/clients`: a Python package and an npm package, to be installed from there, or built
and kept where a portal's own packages are. They are made of the code as it is and not committed; a running
service's document (`/openapi.json`) is the same.
"""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import typer
from rich.progress import track

from clients.documents import documents
from portal import node
from portal.steps import BuildError, run

HERE = Path(__file__).parent
CHECKOUT = HERE.parent
OUT = CHECKOUT / ".local" / "clients"
PYTHON, TYPESCRIPT = OUT / "python", OUT / "typescript"
TOOLS = OUT / "tools"
OPTIONAL = ["--default-non-nullable=false"]  # who posts may leave out what has a default
NPM = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]

app = typer.Typer(add_completion=False, help=__doc__)


@app.command()
def make() -> None:
    """Make both clients. Example: python -m clients"""
    try:
        generate()
    except (BuildError, node.NodeMissing) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(1) from error
    typer.echo(f"A Python package in {PYTHON}, an npm package in {TYPESCRIPT}")


def generate() -> None:
    """Leaves both in OUT. Raises BuildError."""
    with tempfile.TemporaryDirectory() as keys:
        found = dict(documents(Path(keys)))
    tools = _tools()
    for folder in (PYTHON, TYPESCRIPT):
        for old in folder.glob("*") if folder.is_dir() else ():
            if old.name != "node_modules":
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        folder.mkdir(parents=True, exist_ok=True)
    _typescript_tools()
    for name, document in track(found.items(), "Making clients", transient=True):
        file = OUT / f"{name}.json"
        file.write_text(json.dumps(document))
        _of_python(tools, name, file)
        _run(
            [_program("openapi-typescript"), str(file), "--output", f"{name}.d.ts", *OPTIONAL], cwd=TYPESCRIPT
        )
    (PYTHON / "hai_long" / "__init__.py").write_text('"""Clients of the public APIs of Hài Lòng."""\n')
    shutil.copy(HERE / "python" / "pyproject.toml", PYTHON)
    _run([_program("typescript", "tsc"), "--project", "."], cwd=TYPESCRIPT)
    for types in TYPESCRIPT.glob("*.d.ts"):
        shutil.copy(types, TYPESCRIPT / "dist")


def _of_python(tools: Path, name: str, document: Path) -> None:
    where = PYTHON / "hai_long" / name
    options = ["--meta", "none", "--config", str(HERE / "python" / "config.yaml"), "--overwrite"]
    command = [str(tools / "openapi-python-client"), "generate", "--path", str(document), *options]
    path = f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"  # where it finds ruff, to format
    _run([*command, "--output-path", str(where)], environment={"PATH": path})
    (where / "py.typed").touch()


def _tools() -> Path:
    """The generator of the Python client, in an environment of its own: it wants other versions than we."""
    pinned = HERE / "requirements.txt"
    stamp, wanted = TOOLS / "stamp", hashlib.sha256(pinned.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        uv = [sys.executable, "-m", "uv"]
        _run([*uv, "venv", "--quiet", "--clear", str(TOOLS)])
        held = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", str(pinned)]
        _run([*uv, "pip", "install", "--quiet", "--python", str(TOOLS / "bin" / "python"), *held])
        stamp.write_text(wanted)
    return TOOLS / "bin"


def _typescript_tools() -> None:
    for file in ("package.json", "package-lock.json", ".npmrc", "index.ts", "example.ts", "tsconfig.json"):
        shutil.copy(HERE / "typescript" / file, TYPESCRIPT)
    lock = (TYPESCRIPT / "package-lock.json").read_bytes()
    stamp, wanted = TYPESCRIPT / "node_modules" / "stamp", hashlib.sha256(lock).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        _run([node.npm_script(), "ci", *NPM, "--cache", str(OUT / "npm")], cwd=TYPESCRIPT)
        stamp.write_text(wanted)


def _program(package: str, name: str = "cli.js") -> str:
    folder = TYPESCRIPT / "node_modules" / package
    return str(folder / "bin" / name)


def _run(command: list[str], *, cwd: Path = CHECKOUT, environment: Mapping[str, str] = {}) -> None:
    """A script of Node's runs in the wheel's Node."""
    step = Path(command[0]).name
    if step.endswith(("cli.js", "tsc")):
        command = [str(node.program()), *command]
    run(step, command, cwd=cwd, environment=environment)


if __name__ == "__main__":
    app()
