"""On what, and with what, it was measured."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from deploy.local.layout import CHECKOUT
from deploy.local.postgres import binaries

PACKAGES = (
    "aiokafka", "asyncpg", "captcha", "confluent-kafka", "faust-streaming", "fastapi", "httptools", "pillow",
    "pydantic", "uvicorn", "uvloop",
)  # fmt: skip


def described() -> dict[str, str]:
    return {
        "processor": _first("/proc/cpuinfo", "model name"),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{int(_first('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "kernel": platform.release(),
        "load before": " ".join(f"{each:.1f}" for each in os.getloadavg()),
    }


def versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "kafka": "4.3.1", "kafka-streams": "4.3.1"}
    found["postgresql"] = _said(str(binaries() / "postgres"), "--version").rpartition(" ")[2]
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def commit() -> str:
    return _said("git", "rev-parse", "--short", "HEAD") or "unknown"


def _said(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  fixed programs
            command, cwd=CHECKOUT, capture_output=True, text=True, timeout=20, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip()


def _first(path: str, name: str) -> str:
    for line in Path(path).read_text("utf-8").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "0"
