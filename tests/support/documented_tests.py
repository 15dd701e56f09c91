"""Tables in docs/ that name the tests and files behind what they say."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import PurePosixPath

from deploy.local.layout import CHECKOUT

_TEST = re.compile(r"^\s*(?:async )?def (test_\w+)", re.MULTILINE)
_PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]*")
_LINK = re.compile(r"\]\((?!\w+:)([^)#]+)")
_LINE_UNDER_A_HEAD = re.compile(r"\|[\s|:-]+\|")


def rows(page: str, section: str) -> list[list[str]]:
    """The cells of each row of all tables in a section (`## …`), without the tables' heads."""
    text = read(page).split(f"\n## {section}\n", 1)[1].split("\n## ", 1)[0]
    lines = text.splitlines()
    tables = [number for number, line in enumerate(lines) if _LINE_UNDER_A_HEAD.fullmatch(line)]
    heads = {number - 1 for number in tables} | set(tables)
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for number, line in enumerate(lines)
        if line.startswith("|") and number not in heads
    ]


def names(cell: str) -> list[str]:
    """What stands in it as code."""
    return re.findall(r"`([^`]+)`", cell)


@cache
def known_tests() -> frozenset[str]:
    """Every test there is, as `path::name`."""
    return frozenset(
        f"{path.relative_to(CHECKOUT)}::{name}"
        for path in (CHECKOUT / "tests").rglob("test_*.py")
        for name in _TEST.findall(path.read_text(encoding="utf-8"))
    )


def cited(page: str) -> Iterator[str]:
    """The files and folders that a page names or links to, from the top of the checkout."""
    folder = PurePosixPath(page).parent
    for link in _LINK.findall(read(page)):
        yield str((CHECKOUT / folder / link).resolve().relative_to(CHECKOUT.resolve()))
    for name in names(read(page)):
        if _PATH.fullmatch(path := name.partition("::")[0]):
            yield path


@cache
def read(page: str) -> str:
    return (CHECKOUT / page).read_text(encoding="utf-8")
