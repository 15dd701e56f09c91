"""The images that `make images` has built: what is in them, and how they run. Wants a Docker engine."""

import json
import subprocess
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from deploy.supply_chain import pins

SECONDS = 60.0
INSIDE = {
    "intake": ["chassis", "contracts", "services", "services/intake"],
    "verification": ["chassis", "contracts", "services", "services/verification"],
    "aggregation": ["chassis", "contracts", "services", "services/aggregation"],
    "portal": ["chassis", "contracts", "portal"],
}
WHAT_IS_INSIDE = """
import importlib.metadata, json, pathlib
found = [*pathlib.Path(".").glob("*"), *pathlib.Path("services").glob("*")]
print(json.dumps({
    "folders": sorted(str(path) for path in found if path.is_dir() and path.name != "__pycache__"),
    "packages": [(each.name, each.version) for each in importlib.metadata.distributions()],
}))
"""
HARDENED = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp")  # noqa: S108
WITHOUT_ANYBODY = ("--network", "none")
MAKE_KEYS = {"intake", "verification"}

every_image = pytest.mark.parametrize("image", INSIDE)


def docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments], check=False, capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def tag(image: str) -> str:
    return f"hailong/{image}:latest"


@every_image
def test_nothing_is_inside_but_its_own_code_and_its_pinned_packages(image: str) -> None:
    said = docker(
        "run", "--rm", *HARDENED, *WITHOUT_ANYBODY, "--entrypoint", "python", tag(image), "-c", WHAT_IS_INSIDE
    )
    inside = json.loads(said)
    assert inside["folders"] == INSIDE[image]
    pinned = {(canonicalize_name(pin.name), Version(pin.version)) for pin in pins.of_set(image)}
    assert {(canonicalize_name(name), Version(version)) for name, version in inside["packages"]} == pinned


@every_image
def test_it_says_what_it_is(image: str) -> None:
    [found] = json.loads(docker("image", "inspect", tag(image)))
    labels = found["Config"]["Labels"]
    names = ("title", "description", "licenses", "version", "revision", "created")
    assert all(labels[f"org.opencontainers.image.{name}"] for name in names)
    assert found["Config"]["User"] == "10001:10001"


@pytest.fixture
def keys() -> Iterator[str]:
    volume = f"hai-long-test-{uuid4().hex[:8]}"
    docker("volume", "create", volume)
    yield volume
    docker("volume", "rm", volume)


@pytest.fixture
def running(image: str, keys: str) -> Iterator[str]:
    """A container with nobody around it."""
    options = (*HARDENED, *WITHOUT_ANYBODY, "--volume", f"{keys}:/keys")
    if image in MAKE_KEYS:
        docker("run", "--rm", *options, tag(image), "keys", "create", "--edition", "2017")
    container = docker("run", "--detach", *options, tag(image))
    yield container
    docker("rm", "--force", container)


@every_image
def test_it_is_well_on_a_read_only_file_system_and_ends_when_told(image: str, running: str) -> None:
    until = time.monotonic() + SECONDS
    while docker("inspect", "--format", "{{.State.Health.Status}}", running) != "healthy":
        assert time.monotonic() < until, f"{image}: {docker('logs', running)}"
        time.sleep(0.5)
    docker("stop", "--time", "30", running)
    assert docker("inspect", "--format", "{{.State.ExitCode}}", running) == "0", docker("logs", running)
