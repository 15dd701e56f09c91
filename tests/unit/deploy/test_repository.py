"""What no tracked file may hold: secrets, places on somebody's machine, steps that run what nobody pinned."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache

import pytest

from deploy.local.layout import CHECKOUT

SECRETS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a cloud's access key": r"\bAKIA[0-9A-Z]{16}\b",
    "a code host's token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20})\b",
    "a chat's token": r"\bxox[abprs]-[\w-]{10,}",
    "a signed token": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}",
    "a password in an address": r"\b[a-z][a-z0-9+.-]*://[\w.-]+:[^\s/@{}$<>\"'*]{6,}@[\w.-]+",
}
PLACES = {"a home or work folder": r"(?<![\w.}/-])/(?:home|Users|root|work)/[\w.-]+/"}
STEPS = {
    "a download that a shell runs": r"\b(?:curl|wget)\b[^\n|]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b",
    "a download that Python runs": r"\b(?:curl|wget)\b[^\n|]*\|\s*(?:sudo\s+)?python",
    "pip without hashes": r"\bpip3? install\b(?![^\n]*--require-hashes)",
    "npm that may change its lock": r"\bnpm (?:install|i|update)\s+[\w@-]",
    "a package run as it comes": r"\b(?:npx|uvx|pipx run)\s+[\w@-]",
    "an image of any version": r"(?:^FROM|^\s*image:)\s+(?!str$)[\w./-]+(?::latest)?(?:\s+AS\s+\w+)?\s*$",
}
PROSE = (".md", ".po", ".txt")
KEY_FILES = re.compile(r"\.(?:key|pem|p12|pfx|jks|keystore)$|(?:^|/)\.env$|id_(?:rsa|ed25519)$")
THIS = "tests/unit/deploy/test_repository.py"


@cache
def tracked() -> tuple[str, ...]:
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
        text=True,
    )
    return tuple(name for name in done.stdout.split("\0") if name and (CHECKOUT / name).is_file())


@cache
def texts() -> dict[str, str]:
    files = {name: (CHECKOUT / name).read_bytes() for name in tracked() if name != THIS}
    return {name: data.decode() for name, data in files.items() if b"\0" not in data}


def lines_with(pattern: str, texts: dict[str, str]) -> Iterator[str]:
    for name, text in texts.items():
        for found in re.finditer(pattern, text, re.MULTILINE):
            yield f"{name}:{text.count(chr(10), 0, found.start()) + 1}: {found.group()[:60]}"


@pytest.mark.parametrize("what", SECRETS)
def test_no_secret_is_in_the_repository(what: str) -> None:
    assert not list(lines_with(SECRETS[what], texts()))


def test_no_key_file_is_in_the_repository() -> None:
    assert not [name for name in tracked() if KEY_FILES.search(name)]


@pytest.mark.parametrize("what", PLACES)
def test_no_place_on_somebodys_machine_is_named(what: str) -> None:
    assert not list(lines_with(PLACES[what], texts()))


@pytest.mark.parametrize("what", STEPS)
def test_no_step_runs_what_nobody_pinned(what: str) -> None:
    steps = {name: text for name, text in texts().items() if not name.endswith(PROSE)}
    assert not list(lines_with(STEPS[what], steps))


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a private key", "-----BEGIN EC " + "PRIVATE KEY-----"),
        ("a cloud's access key", "key = AKIA" + "A" * 16),
        ("a code host's token", "ghp_" + "a" * 36),
        ("a chat's token", "xoxb-0123456789-abc"),
        ("a signed token", "eyJhbGciOiJIUzI1." + "eyJzdWIiOiIxMjM0." + "a" * 20),
        ("a password in an address", "postgresql://owner:correct-horse@db"),
        ("a home or work folder", "see /home/an/notes/x"),
        ("a download that a shell runs", "curl -s https://example.org/get | sudo bash"),
        ("a download that Python runs", "wget -qO- https://example.org/get.py | python3 -"),
        ("pip without hashes", "pip install faust"),
        ("npm that may change its lock", "npm install esbuild"),
        ("a package run as it comes", "npx esbuild"),
        ("an image of any version", "FROM python:latest"),
    ],
)
def test_the_search_would_see_it(what: str, line: str) -> None:
    assert list(lines_with((SECRETS | PLACES | STEPS)[what], {"planted": line}))


def test_every_pattern_was_seen_to_find_something() -> None:
    marks = test_the_search_would_see_it.pytestmark  # type: ignore[attr-defined]
    assert {what for what, _ in marks[0].args[1]} == set(SECRETS | PLACES | STEPS)
