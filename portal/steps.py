"""Steps of a build: a program that is run to its end, and what it printed last where it fails."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

DEADLINE_SECONDS = 300


class BuildError(RuntimeError):
    """A step failed; the message holds the end of what it printed and what to do."""


def run(step: str, command: list[str], *, cwd: Path, environment: Mapping[str, str]) -> None:
    """`environment` beside ours. Raises BuildError."""
    try:
        subprocess.run(  # noqa: S603 - the programs and their arguments are ours
            command,
            cwd=cwd,
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
        )
    except subprocess.CalledProcessError as error:
        last = "\n".join((error.stdout + error.stderr).strip().splitlines()[-15:])
        raise BuildError(f"{step} failed. Check the network and try again.\n{last}") from error
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"{step} took longer than {DEADLINE_SECONDS} s. Check the network.") from error
