"""What intake's commands share: its settings, and how they end when something is wrong."""

import sys
from typing import NoReturn

import typer
from pydantic import ValidationError

from services.intake.settings import Settings


def read_settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        lines = [f"INTAKE_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        fail("\n".join(lines))


def fail(text: str, *, code: int = 1) -> NoReturn:
    sys.stderr.write(text + "\n")
    raise typer.Exit(code)
