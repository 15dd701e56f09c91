"""What must hold before anything is installed or started. Standard library only."""

import importlib.util
import platform
import shutil
import sys
from pathlib import Path

from deploy.local.errors import StackError

PYTHON_NEWEST = (3, 14)  # wheels of every pinned package exist from 3.11, which bootstrap.py checks, to this
GIBIBYTE = 1 << 30
DISK_TO_INSTALL = 3 * GIBIBYTE // 2
DISK_TO_RUN = GIBIBYTE // 4


def check_python(version: tuple[int, int] = (sys.version_info[0], sys.version_info[1])) -> None:
    if version > PYTHON_NEWEST:
        raise StackError(
            f"Python {version[0]}.{version[1]} is newer than the pinned packages have wheels for.",
            f"Install Python 3.11 to 3.{PYTHON_NEWEST[1]} and name it: make PYTHON=python3.13 …",
        )


def check_platform(system: str = "", machine: str = "", libc: str | None = None) -> None:
    system, machine = system or platform.system(), machine or platform.machine()
    if system != "Linux" or machine not in {"x86_64", "AMD64"}:
        raise StackError(
            f"The embedded stack has no wheels for {system} on {machine}.",
            "Use Linux on x86-64, for example in a virtual machine or container.",
        )
    if (platform.libc_ver()[0] if libc is None else libc) != "glibc":
        raise StackError(
            "This Linux has no glibc, which the wheels of PostgreSQL and the JDK need.",
            "Use Debian, Ubuntu, Fedora or another distribution with glibc.",
        )


def check_disk(folder: Path, needed: int, free: int | None = None) -> None:
    """`needed` and `free` are in bytes; the folder need not exist yet."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free if free is None else free
    if free < needed:
        raise StackError(
            f"Only {free / GIBIBYTE:.1f} GiB are free below {folder}, {needed / GIBIBYTE:g} GiB are needed.",
            "Free some space, or clone to another disk.",
        )


def check_venv(found: bool | None = None) -> None:
    """Debian and Ubuntu ship Python without the part that puts pip into a virtual environment."""
    if found is None:
        found = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    if not found:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise StackError(
            f"This Python ({sys.executable}) cannot make virtual environments: venv or ensurepip is missing.",
            f"Install it, on Debian and Ubuntu: apt-get install python{version}-venv",
        )
