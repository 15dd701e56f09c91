"""The virtual environment: made once, filled with hashed requirements, remade when they change.

Standard library only: it runs before anything is installed.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from deploy.local import preflight
from deploy.local.errors import StackError
from deploy.local.layout import CHECKOUT, Layout

SETS = {"local": ("local",), "dev": ("dev", "local"), "bench": ("bench", "dev", "local")}
"""What each set of requirements holds; each is a superset of those that follow it, with the same pins."""
SIGNS_OF_NO_NETWORK = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "Connection refused",
    "ConnectTimeout",
    "Read timed out",
    "ProxyError",
    "Could not fetch URL",
)


def main(arguments: list[str]) -> int:
    """Install the named set and return the exit code."""
    name = arguments[0] if len(arguments) == 1 else ""
    if name not in SETS:
        sys.stderr.write("usage: python3 deploy/local/bootstrap.py local|dev|bench\n")
        return 2
    try:
        ensure(name, CHECKOUT, Layout())
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        for line in error.details:
            sys.stderr.write(f"  {line}\n")
        return 1
    except OSError as error:
        remedy = "Set up as the user who owns the checkout, with space on its disk."
        sys.stderr.write(f"Set-up failed: {error.strerror} ({error.filename}). {remedy}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted; run it again to go on.\n")
        return 130
    return 0


def ensure(name: str, checkout: Path, layout: Layout) -> None:
    """Do nothing where the set is installed already; otherwise check the machine and install it."""
    stamp = checkout / ".venv" / "installed.json"
    wanted = fingerprint(name, checkout)
    if is_installed(stamp, name, wanted):
        return
    preflight.check_python()
    preflight.check_platform()
    preflight.check_venv()
    preflight.check_disk(checkout, preflight.DISK_TO_INSTALL)
    with _one_at_a_time(layout):
        if is_installed(stamp, name, wanted):
            return
        python = _environment(checkout / ".venv", stamp)
        stamp.unlink(missing_ok=True)
        _pip_install(python, checkout, name, layout)
        installed = {each: fingerprint(each, checkout) for each in SETS[name]}
        stamp.write_text(json.dumps({"interpreter": interpreter(checkout), "sets": installed}))


def fingerprint(name: str, checkout: Path) -> str:
    """SHA-256 of the set's requirements, in hex."""
    return hashlib.sha256((checkout / "requirements" / f"{name}.txt").read_bytes()).hexdigest()


def interpreter(checkout: Path) -> str:
    """What the environment belongs to: another Python or another place needs a new one."""
    return f"{sys.version_info[0]}.{sys.version_info[1]} {checkout}"


def is_installed(stamp: Path, name: str, wanted: str) -> bool:
    known = _read(stamp)
    sets = known.get("sets")
    here = known.get("interpreter") == interpreter(stamp.parent.parent)
    return (
        here
        and isinstance(sets, dict)
        and sets.get(name) == wanted
        and _works(stamp.parent / "bin" / "python")
    )


def _environment(folder: Path, stamp: Path) -> Path:
    """The environment's Python. A broken one, or another Python's, is made anew."""
    python = folder / "bin" / "python"
    known = _read(stamp).get("interpreter")
    moved = known is not None and known != interpreter(folder.parent)
    if moved or not _works(python, "-m", "pip", "--version"):
        _say("Making .venv")
        try:
            venv.create(folder, clear=True, with_pip=True, symlinks=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise StackError(
                f"Could not make {folder} ({error}).",
                "Check that the folder may be written and that `python3 -m venv` works, then run it again.",
            ) from error
    return python


def _works(python: Path, *arguments: str) -> bool:
    command = [str(python), *(arguments or ("-c", ""))]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False


def _pip_install(python: Path, checkout: Path, name: str, layout: Layout) -> None:
    """pip, because it follows the machine's own PIP_* settings, proxies and certificates."""
    requirements = checkout / "requirements" / f"{name}.txt"
    total = sum(1 for line in requirements.read_text().splitlines() if "==" in line and line[0].isalnum())
    cache, temporary = layout.root / "pip", layout.root / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    layout.logs.mkdir(parents=True, exist_ok=True)
    # Nothing outside the checkout: downloads are kept here until all is installed, so that an interrupted
    # set-up goes on where it was.
    environment = {"PIP_CACHE_DIR": str(cache), "PIP_RETRIES": "2", **os.environ, "TMPDIR": str(temporary)}
    command = [str(python), "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    command += ["--disable-pip-version-check", "--no-input", "--progress-bar", "off", "-r", str(requirements)]
    log = layout.logs / "setup.log"
    _say(f"Installing {total} Python packages ({name}), each held to its SHA-256")
    with log.open("w") as output:
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        try:
            _follow(child, output, total)
        finally:
            child.terminate()
            child.wait()
    lines = log.read_text().splitlines()
    if child.returncode != 0:
        raise explain(lines, log)
    shutil.rmtree(cache, ignore_errors=True)
    shutil.rmtree(temporary, ignore_errors=True)


def _follow(child: "subprocess.Popen[str]", log: TextIO, total: int) -> None:
    """Log what pip prints and, on a terminal, count the packages it has got."""
    got = 0
    live = sys.stdout.isatty()
    for line in child.stdout or ():
        log.write(line)
        got += line.startswith("Collecting ")
        if live and line.startswith(("Collecting ", "Installing ")):
            what = "unpacking" if line.startswith("Installing ") else f"{got} of {total}"
            sys.stdout.write(f"\r\033[K  {what}")
            sys.stdout.flush()
    if live:
        sys.stdout.write("\r\033[K")
    child.wait()


def explain(lines: list[str], log: Path) -> StackError:
    """What pip's output means for whoever waits."""
    text = "\n".join(lines)
    if "DO NOT MATCH THE HASHES" in text:
        return StackError(
            "A downloaded Python package is not the listed one (its SHA-256 differs); nothing was installed.",
            f"Do not go on before you know why: an altering proxy, or a changed package. See {log}.",
        )
    if "No space left on device" in text:
        return StackError("The disk is full.", "Free some space and run it again.")
    if any(sign in text for sign in SIGNS_OF_NO_NETWORK):
        return StackError(
            "No network: the Python package registry cannot be reached.",
            f"Connect (or set HTTPS_PROXY, PIP_INDEX_URL) and run it again; pip's own words are in {log}.",
        )
    return StackError("pip could not install the packages.", f"The end of its log ({log}):", lines[-15:])


@contextlib.contextmanager
def _one_at_a_time(layout: Layout) -> Iterator[None]:
    """Wait for another set-up of this checkout, for example of `make test` beside `make run`."""
    layout.run.mkdir(parents=True, exist_ok=True)
    with (layout.run / "setup.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another set-up of this checkout")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _read(stamp: Path) -> dict[str, object]:
    try:
        known = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
