import json
import sys
from pathlib import Path

import pytest

from deploy.local import bootstrap, install, preflight
from deploy.local.errors import StackError

LOG = Path("setup.log")


def test_an_old_python_is_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 2))
    assert bootstrap.main() == 1
    assert capsys.readouterr().err == (
        "Python 3.10 is too old. Install Python 3.11 or newer and name it: make PYTHON=python3.11 ...\n"
    )


def test_a_python_without_wheels_is_refused() -> None:
    preflight.check_python((3, 11))
    with pytest.raises(StackError, match=r"Python 3\.99 is newer"):
        preflight.check_python((3, 99))


@pytest.mark.parametrize(
    ("system", "machine", "libc"),
    [("Darwin", "arm64", ""), ("Linux", "aarch64", "glibc"), ("Linux", "x86_64", "")],
)
def test_a_platform_without_wheels_is_refused(system: str, machine: str, libc: str) -> None:
    with pytest.raises(StackError, match="Use "):
        preflight.check_platform(system, machine, libc)


def test_linux_with_glibc_on_x86_is_enough() -> None:
    preflight.check_platform("Linux", "x86_64", "glibc")


def test_too_little_disk_says_how_much_is_needed(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"Only 1\.0 GiB are free .*, 1\.5 GiB are needed"):
        preflight.check_disk(tmp_path / "not" / "there", preflight.DISK_TO_INSTALL, free=preflight.GIBIBYTE)


def test_a_python_without_ensurepip_names_the_package_to_install() -> None:
    with pytest.raises(StackError, match=r"apt-get install python3\.\d+-venv"):
        preflight.check_venv(found=False)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("NewConnectionError: Failed to establish a new connection: [Errno -3]", "No network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "SHA-256 differs"),
        (
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
            "disk is full",
        ),
        ("ERROR: something else", "could not install"),
    ],
)
def test_what_pip_says_becomes_one_line(line: str, problem: str) -> None:
    error = install.explain(["Collecting rich", line], LOG)
    assert problem in str(error)
    assert "\n" not in str(error)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the set `local` installed by this Python."""
    (tmp_path / "requirements").mkdir()
    for name in ("local", "dev"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    installed = {"local": install.fingerprint("local", tmp_path)}
    stamp = {"interpreter": install.interpreter(tmp_path), "sets": installed}
    (tmp_path / ".venv" / "installed.json").write_text(json.dumps(stamp))
    return tmp_path


def is_installed(checkout: Path, name: str) -> bool:
    stamp = checkout / ".venv" / "installed.json"
    return install.is_installed(stamp, name, install.fingerprint(name, checkout))


def test_an_installed_set_is_known_and_another_is_not(checkout: Path) -> None:
    assert is_installed(checkout, "local")
    assert not is_installed(checkout, "dev")


def test_changed_requirements_are_installed_again(checkout: Path) -> None:
    (checkout / "requirements" / "local.txt").write_text("local==2\n")
    assert not is_installed(checkout, "local")


def test_a_broken_or_moved_environment_is_not_taken_for_installed(checkout: Path, tmp_path: Path) -> None:
    moved = checkout.rename(checkout.with_name("elsewhere"))
    assert not is_installed(moved, "local")
    moved.rename(tmp_path)
    (tmp_path / ".venv" / "bin" / "python").unlink()
    assert not is_installed(tmp_path, "local")


def test_an_interrupted_stamp_counts_as_none(checkout: Path) -> None:
    (checkout / ".venv" / "installed.json").write_text('{"interp')
    assert not is_installed(checkout, "local")
