"""Whatever is installed is pinned by its hash, and nothing else is installed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.local import install
from deploy.local.layout import CHECKOUT, Layout
from deploy.supply_chain import audit, pins
from portal import assets

SETS = sorted(path.stem for path in pins.REQUIREMENTS.glob("*.txt"))
WITH_HASH = f"a==1 \\\n    --hash=sha256:{'0' * 64}"
PACKAGES: dict[str, dict[str, Any]] = json.loads(pins.NPM_LOCK.read_text("utf-8"))["packages"]


@pytest.mark.parametrize("name", SETS)
def test_every_requirement_is_pinned_with_its_hash(name: str) -> None:
    assert pins.of_set(name)


@pytest.mark.parametrize(
    "line",
    [
        "b==1",
        "b>=1 --hash=sha256:" + "0" * 64,
        "b @ https://example.org/b.whl --hash=sha256:" + "0" * 64,
        "git+https://example.org/b.git",
        "--index-url https://example.org/simple",
        "--extra-index-url https://example.org/simple",
        "--find-links https://example.org/",
        "-e .",
    ],
)
def test_a_line_that_is_no_pin_with_a_hash_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not pinned"):
        pins.requirements(f"{WITH_HASH}\n{line}\n")


def test_a_pin_is_read_with_its_hashes() -> None:
    assert pins.requirements(f"# by hand\n{WITH_HASH}\n    # via b\n") == [pins.Pin("a", "1", ("0" * 64,))]


@pytest.mark.parametrize("name", [name for name in SETS if name != "bench"])
def test_what_is_tested_is_what_runs(name: str) -> None:
    """Tests run in `dev`: every set must be part of it, but for what stands beside us in benchmarks."""
    assert set(pins.of_set(name)) <= set(pins.of_set("dev"))


@pytest.mark.parametrize("name", SETS)
def test_the_audit_asks_about_everything(name: str) -> None:
    assert set(pins.of_set(name)) <= set(pins.of_set(audit.EVERYTHING))


@pytest.mark.parametrize("name", [path for path in PACKAGES if path])
def test_every_npm_package_has_its_digest_and_no_address(name: str) -> None:
    package = PACKAGES[name]
    assert re.fullmatch(r"sha512-[A-Za-z0-9+/]{86}==", package["integrity"])
    assert re.fullmatch(r"\d+\.\d+\.\d+[\w.-]*", package["version"])
    assert "resolved" not in package
    assert "link" not in package


def test_the_portals_own_dependencies_are_exact_versions() -> None:
    manifest = json.loads((assets.HERE / "package.json").read_text("utf-8"))
    for version in (manifest["dependencies"] | manifest["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert "scripts" not in manifest


def test_every_jar_has_its_sha_256() -> None:
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in pins.kafka())


class Commands:
    """Stands for a program that does nothing, and remembers how it was called."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = []
        self.stdout: list[str] = []
        self.returncode = 0

    def __call__(self, command: list[str], **_: Any) -> "Commands":
        self.lines.append(command)
        return self

    def wait(self) -> int:
        return 0

    def terminate(self) -> None: ...


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> Commands:
    called = Commands()
    monkeypatch.setattr("subprocess.Popen", called)
    monkeypatch.setattr("subprocess.run", called)
    return called


def test_python_packages_are_installed_by_their_hashes_and_never_built(
    commands: Commands, tmp_path: Path
) -> None:
    install._pip_install(Path("python"), CHECKOUT, "local", Layout(tmp_path))
    (command,) = commands.lines
    assert {"--require-hashes", "--no-deps"} <= set(command)
    assert command[command.index("--only-binary") + 1] == ":all:", "building a package runs its code"


def test_npm_packages_are_installed_by_their_digests_and_run_no_code(
    commands: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assets, "NODE", tmp_path)
    assets._install()
    (command,) = commands.lines
    assert command[2] == "ci", "anything else may change the lock"
    assert "--ignore-scripts" in command
