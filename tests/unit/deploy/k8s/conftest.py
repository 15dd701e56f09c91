"""What the overlays make, built once."""

from collections.abc import Callable
from functools import cache

import pytest

from deploy.local.layout import CHECKOUT
from tests.support.kustomize import Manifest, build

K8S = CHECKOUT / "deploy" / "k8s"
OVERLAYS = sorted(folder.name for folder in (K8S / "overlays").iterdir())


@cache
def built(overlay: str) -> tuple[Manifest, ...]:
    return tuple(build(K8S / "overlays" / overlay))


@pytest.fixture(params=OVERLAYS)
def overlay(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def manifests(overlay: str) -> tuple[Manifest, ...]:
    return built(overlay)


@pytest.fixture
def of(manifests: tuple[Manifest, ...]) -> Callable[[str], dict[str, Manifest]]:
    """The manifests of a kind, by name."""
    return lambda kind: {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}
