"""What intake's commands share: its settings, who runs them, and how they end when something is wrong."""

import getpass
import hashlib
import sys
from typing import Annotated, NoReturn

import typer

from chassis.settings import read
from services.intake.office import COMMAND, Actor
from services.intake.settings import Settings

OPERATOR = "operator"
By = Annotated[
    str, typer.Option(help="Who does this, for the audit trail, which keeps a digest; else the login name.")
]


def read_settings() -> Settings:
    return read(Settings)


def operator(name: str = "") -> Actor:
    """Who runs a command on this machine, as far as that can be known."""
    try:
        who = name or getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in containers
        who = "nobody named"
    digest = hashlib.sha256(f"{OPERATOR}\n{who}".encode()).hexdigest()[:32]
    return Actor(digest, OPERATOR, COMMAND)


def fail(text: str, *, code: int = 1) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(code)
