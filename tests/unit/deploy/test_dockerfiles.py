"""What gets into an image, and as whom it runs, as its Dockerfile says."""

import json
import re
import subprocess
import sys

import pytest

from deploy.local.layout import CHECKOUT
from deploy.supply_chain import pins

IMAGES = CHECKOUT / "deploy" / "images"
CODE = {
    "intake": {"contracts", "chassis", "services/__init__.py", "services/intake"},
    "verification": {"contracts", "chassis", "services/__init__.py", "services/verification"},
    "aggregation": {"contracts", "chassis", "services/__init__.py", "services/aggregation"},
    "portal": {"contracts", "chassis", "portal"},
}


def lines(image: str) -> list[str]:
    text = (IMAGES / f"{image}.Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return [" ".join(line.split()) for line in text.splitlines() if line and not line.startswith("#")]


def last_stage(image: str) -> list[str]:
    all_lines = lines(image)
    starts = [number for number, line in enumerate(all_lines) if line.startswith("FROM ")]
    return all_lines[starts[-1] :]


def of(instruction: str, found: list[str]) -> list[str]:
    return [line.removeprefix(f"{instruction} ") for line in found if line.startswith(f"{instruction} ")]


def test_each_service_and_the_portal_has_an_image() -> None:
    assert {path.stem for path in IMAGES.glob("*.Dockerfile")} == set(pins.SERVICES) == set(CODE)


@pytest.mark.parametrize("image", CODE)
def test_an_image_takes_the_contracts_the_chassis_and_its_own_code(image: str) -> None:
    copied = {name for line in of("COPY", lines(image)) if "--from" not in line for name in line.split()[:-1]}
    packages = {f"requirements/{image}.txt", *(["requirements/assets.txt"] if image == "portal" else [])}
    assert copied == CODE[image] | packages


@pytest.mark.parametrize("image", CODE)
def test_packages_are_held_to_their_hashes(image: str) -> None:
    installs = [line for line in of("RUN", lines(image)) if " install --no-cache-dir" in line]
    assert installs
    for line in installs:
        assert "--require-hashes --no-deps --only-binary :all: -r /" in line


@pytest.mark.parametrize("image", CODE)
def test_nothing_is_installed_into_what_is_shipped(image: str) -> None:
    assert [line.split()[0] for line in of("RUN", last_stage(image))] == ["install"]  # coreutils': folders
    assert all(line.startswith("--from=") for line in of("COPY", last_stage(image)))


@pytest.mark.parametrize("image", CODE)
def test_an_image_runs_as_a_numbered_user_who_is_not_root(image: str) -> None:
    [user] = of("USER", last_stage(image))
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)


@pytest.mark.parametrize("image", CODE)
def test_signals_reach_the_process_without_a_shell_between(image: str) -> None:
    assert json.loads(of("ENTRYPOINT", last_stage(image))[0])[:2] == ["python", "-m"]
    assert json.loads(of("CMD", last_stage(image))[0]) == ["serve"]


@pytest.mark.parametrize("image", CODE)
def test_health_is_asked_where_operations_are(image: str) -> None:
    [check] = of("HEALTHCHECK", last_stage(image))
    _, operations = of("EXPOSE", last_stage(image))[0].split()
    assert json.loads(check.partition("CMD ")[2]) == ["python", "-m", "chassis.probe", operations, "/healthz"]


def test_a_build_sees_nothing_that_is_not_named() -> None:
    rules = [
        line for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line[:1] not in ("", "#")
    ]
    assert rules[0] == "*"
    seen = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert seen == {"contracts", "chassis", "services", "portal", "requirements"}


ONLY_PINNED = """
import importlib.metadata, re, sys
pinned = set(re.findall(r"^([a-z0-9-]+)==", open(sys.argv[1]).read(), re.M))
known = importlib.metadata.packages_distributions()
class Absent:
    def find_spec(self, name, path=None, target=None):
        made_of = {re.sub(r"[-_.]+", "-", each).lower() for each in known.get(name, ())}
        if made_of and not made_of & pinned:
            raise ModuleNotFoundError(f"{name} is in no package of the image", name=name)
sys.meta_path.insert(0, Absent())
import PROGRAM.__main__
"""


@pytest.mark.parametrize("image", CODE)
def test_a_program_starts_with_the_packages_of_its_image_alone(image: str) -> None:
    program = "portal" if image == "portal" else f"services.{image}"
    command = [sys.executable, "-c", ONLY_PINNED.replace("PROGRAM", program), f"requirements/{image}.txt"]
    ended = subprocess.run(command, check=False, cwd=CHECKOUT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
