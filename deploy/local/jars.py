"""Kafka's jars: a committed list with their SHA-256, and the download that holds them to it."""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import StackError

LIST = Path(__file__).with_name("kafka-jars.txt")
DOWNLOADS_AT_ONCE = 8
ATTEMPTS = 3
TIMEOUT_SECONDS = 30

_LINE = re.compile(
    r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+)\s+(?P<sha256>[0-9a-f]{64})"
)

Fetch = Callable[["Jar", Path], Path]
"""Downloads one jar below the folder and returns where. Raises OSError (as requests does) or RuntimeError."""


@dataclass(frozen=True, slots=True)
class Jar:
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def filename(self) -> str:
        # With its group: two groups may use one artifact name.
        return f"{self.group}.{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def read_list(text: str) -> list[Jar]:
    """Parse `group:artifact:version sha256` lines; `#` starts a comment. Raises ValueError."""
    jars: list[Jar] = []
    for number, line in enumerate(text.splitlines(), start=1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        match = _LINE.fullmatch(entry)
        if match is None:
            raise ValueError(f"line {number} is not `group:artifact:version sha256`: {entry}")
        jars.append(Jar(**match.groupdict()))
    if len({jar.filename for jar in jars}) != len(jars):
        raise ValueError("a jar is listed twice")
    return jars


def missing(jars: Iterable[Jar], folder: Path) -> list[Jar]:
    """Those that are not in `folder` with the right bytes; a damaged one is removed."""
    absent: list[Jar] = []
    for jar in jars:
        path = folder / jar.filename
        if path.exists() and _sha256(path) != jar.sha256:
            path.unlink()
        if not path.exists():
            absent.append(jar)
    return absent


def count_present(jars: Iterable[Jar], folder: Path) -> int:
    """How many have their final name, which only verified ones get."""
    return sum((folder / jar.filename).exists() for jar in jars)


def download(jars: Sequence[Jar], folder: Path, fetch: Fetch | None = None) -> None:
    """Bring `jars` into `folder`, several at a time.

    Only bytes with the listed SHA-256 ever get their final name, so an interrupted download leaves nothing
    half done. Of several processes one brings a jar, the others wait for it. Raises StackError on other bytes
    and without network.
    """
    with one_at_a_time(folder):
        if absent := missing(jars, folder):
            _download(absent, folder, fetch or fetch_from_registry)


@contextlib.contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Make `folder`, and wait until no other process fills it."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _download(jars: Sequence[Jar], folder: Path, fetch: Fetch) -> None:
    staging = folder / ".incoming"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir()
    pool = ThreadPoolExecutor(DOWNLOADS_AT_ONCE, thread_name_prefix="jar")
    try:
        for done in as_completed([pool.submit(_bring, jar, folder, staging, fetch) for jar in jars]):
            done.result()
    finally:
        pool.shutdown(cancel_futures=True)
        shutil.rmtree(staging, ignore_errors=True)


def _bring(jar: Jar, folder: Path, staging: Path, fetch: Fetch) -> None:
    path = _fetch_with_retries(jar, staging, fetch)
    actual = _sha256(path)
    if actual != jar.sha256:
        path.unlink()
        raise StackError(
            f"The registry's {jar} is not the listed one (SHA-256 {actual[:12]}…, not {jar.sha256[:12]}…).",
            "It was deleted. Do not go on before you know why: an altering proxy, or a changed jar.",
        )
    path.replace(folder / jar.filename)


def _fetch_with_retries(jar: Jar, staging: Path, fetch: Fetch) -> Path:
    for attempt in range(1, ATTEMPTS + 1):
        # A folder of its own for each attempt: the remains of one are never taken for the next.
        target = staging / f"{jar.filename}.{attempt}"
        try:
            return fetch(jar, target)
        except (OSError, RuntimeError) as error:
            if attempt == ATTEMPTS:
                # Only the operating system numbers its errors; requests says at length "no connection".
                unconnected = isinstance(error, OSError) and error.errno is None
                reason = "no connection to the registry" if unconnected else str(error)[:160]
                raise StackError(
                    f"Could not download {jar} ({reason}).",
                    "Connect to the network (or set HTTPS_PROXY) and run it again; the others are kept.",
                ) from error
    raise AssertionError("unreachable")


def fetch_from_registry(jar: Jar, folder: Path) -> Path:
    from jgo.maven import MavenContext  # noqa: PLC0415  half a second, needed only at the first start

    context = MavenContext(repo_cache=folder, timeout=TIMEOUT_SECONDS)
    return Path(context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
