"""What intake's commands share: its settings, and how they end when something is wrong."""

import sys
from typing import NoReturn

import typer

from chassis.settings import read
from services.intake.settings import Settings


def read_settings() -> Settings:
    return read(Settings)


def fail(text: str, *, code: int = 1) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(code)
