"""The element that other sites' pages embed, `<hai-long-rating>`: each version is a file that never changes.

    python -m portal.embedding build

bundles `portal/frontend/embed/` into `portal/embed/`, as VERSION. Pages name a version together with its hash
(subresource integrity), so whoever changes the sources raises VERSION; files of earlier versions stay.
"""

import base64
import hashlib
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import typer

from portal import node

VERSION = "1.0.0"
HERE = Path(__file__).parent
FILES = HERE / "embed"
ENTRY = HERE / "frontend" / "embed" / "element.js"
TARGETS = "es2022,chrome100,firefox102,safari15.4"
DEADLINE_SECONDS = 60

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)


@dataclass(frozen=True, slots=True)
class Elements:
    """The versions there are, and what each is."""

    by_version: dict[str, bytes] = field(repr=False)

    @classmethod
    def load(cls, folder: Path = FILES) -> "Elements":
        return cls({file.stem: file.read_bytes() for file in sorted(folder.glob("*.js"))})


def address(version: str = VERSION) -> str:
    return f"/embed/{version}/hai-long-rating.js"


def integrity(content: bytes) -> str:
    """As a page's `integrity` attribute has it."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def bundle() -> bytes:
    """One module, out of the sources as they are. Wants `python -m portal.assets build` to have run once."""
    esbuild = node.NODE_MODULES / "esbuild" / "bin" / "esbuild"
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "element.js"
        options = ["--bundle", "--minify", "--format=esm", f"--target={TARGETS}", "--charset=utf8"]
        subprocess.run(  # noqa: S603 - the program and its arguments are ours
            [
                str(node.program()),
                str(esbuild),
                str(ENTRY),
                *options,
                f"--outfile={made}",
                "--log-level=warning",
            ],
            check=True,
            timeout=DEADLINE_SECONDS,
        )
        return made.read_bytes()


@app.callback()
def main() -> None:
    """Keeps `build` a named command."""


@app.command("build")
def build() -> None:
    """Write this version's file and print its address and hash. Example: python -m portal.embedding build"""
    content = bundle()
    FILES.mkdir(exist_ok=True)
    (FILES / f"{VERSION}.js").write_bytes(content)
    typer.echo(f"{address()} {integrity(content)} ({len(content)} bytes)")


if __name__ == "__main__":
    app()
