"""Understand the sounds of challenges by looking for the public clips in them."""

from collections.abc import Sequence
from random import Random
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from attacks import listening
from services.verification.challenges import ALPHABET, DIGITS
from services.verification.sound import LANGUAGES, speak

MOST = 0.3  # solved sounds, as a share: the picture's bound and less than one order of magnitude


def solved(way: str, language: str, sounds: Sequence[int]) -> int:
    """In how many of the numbered sounds, always the same, that way hears all digits."""
    return sum(_hears(way, language, number) for number in sounds)


def _hears(way: str, language: str, number: int) -> bool:
    right = "".join(Random(f"digits {number}").choices(ALPHABET, k=DIGITS))
    recording = listening.read(speak(right, language, f"sound {number}".encode()))
    return listening.WAYS[way](recording, language, DIGITS) == right


def run(
    sounds: Annotated[int, typer.Option(min=1, help="How many to speak, in each language.")] = 200,
) -> None:
    """Look for the clips in sounds, in every way; fails where one solves 30 % or more of a language's.

    Example: python -m attacks sound --sounds 200
    """
    console = Console()
    table = Table("way", "language", "solved", "share", title=f"{sounds} sounds a language")
    worst = 0.0
    for way in listening.WAYS:
        for language in LANGUAGES:
            task = track(range(sounds), f"{way}, {language}", console=console)
            found = sum(_hears(way, language, number) for number in task)
            worst = max(worst, found / sounds)
            table.add_row(way, language, str(found), f"{found / sounds:.1%}")
    console.print(table)
    console.print(f"Most: {worst:.1%}; the bound is below {MOST:.0%}.")
    if worst >= MOST:
        raise typer.Exit(1)
