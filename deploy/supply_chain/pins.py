"""The pinned packages: Python's from requirements/, npm's from the portal's lock, the broker's jars."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local import jars
from deploy.local.layout import CHECKOUT

REQUIREMENTS = CHECKOUT / "requirements"
NPM_LOCK = CHECKOUT / "portal" / "package-lock.json"
SERVICES = ("intake", "verification", "aggregation", "portal")
_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>[^\s;]+)(?P<rest>.*)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Pin:
    """`hashes` are SHA-256 of the files that may be installed as it, in hex."""

    name: str
    version: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NpmPin:
    """`integrity` is as npm writes it: an algorithm and a digest in base64. `shipped`: part of the pages."""

    name: str
    version: str
    integrity: str
    shipped: bool


def requirements(text: str) -> list[Pin]:
    """Raises ValueError for a line that is no pin with a hash."""
    pins = []
    for line in _logical_lines(text):
        found = _PIN.fullmatch(line)
        hashes = tuple(_HASH.findall(found["rest"])) if found else ()
        if found is None or not hashes:
            raise ValueError(f"not pinned with a hash: {line[:80]}")
        pins.append(Pin(found["name"], found["version"], hashes))
    return pins


def _logical_lines(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    return [
        line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


def of_set(name: str, folder: Path = REQUIREMENTS) -> list[Pin]:
    return requirements((folder / f"{name}.txt").read_text("utf-8"))


def npm(lock: Path = NPM_LOCK) -> list[NpmPin]:
    """Raises KeyError for a package without its integrity."""
    packages: dict[str, dict[str, object]] = json.loads(lock.read_text("utf-8"))["packages"]
    return [
        NpmPin(
            path.rpartition("node_modules/")[2],
            str(package["version"]),
            str(package["integrity"]),
            not package.get("dev", False),
        )
        for path, package in packages.items()
        if path
    ]


def kafka() -> Sequence[jars.Jar]:
    return jars.read_list(jars.LIST.read_text("utf-8"))
