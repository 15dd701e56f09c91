"""Every pod is restricted, bounded and watched."""

import re
import tomllib

import pytest

from deploy.local.layout import CHECKOUT
from tests.support.kustomize import Manifest, containers, pod_of

VERSION = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["version"]
MEMORY = {"Mi": 1, "Gi": 1024}


@pytest.fixture
def pods(manifests: tuple[Manifest, ...]) -> dict[str, Manifest]:
    """By the name of what makes them."""
    found = ((each["metadata"]["name"], pod_of(each)) for each in manifests)
    return {name: pod for name, pod in found if pod is not None}


def test_there_are_all_processes_and_what_sets_them_up(pods: dict[str, Manifest]) -> None:
    assert set(pods) == {
        "intake",
        "verification-api",
        "verification-worker",
        "aggregation-api",
        "aggregation-worker",
        "portal",
        "topics",
        "verification-migrations",
        "aggregation-migrations",
    }


def test_nothing_else_makes_pods_but_operators(manifests: tuple[Manifest, ...]) -> None:
    unlooked_at = {"Pod", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob"}
    assert unlooked_at.isdisjoint(each["kind"] for each in manifests)


def test_the_namespace_takes_restricted_pods_alone(manifests: tuple[Manifest, ...]) -> None:
    [namespace] = [each for each in manifests if each["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    name = namespace["metadata"]["name"]
    assert {each["metadata"].get("namespace", name) for each in manifests} == {name}


def test_pods_run_as_nobody_in_particular(pods: dict[str, Manifest]) -> None:
    for name, pod in pods.items():
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True, name
        assert context["runAsUser"] > 0, name
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys(), name


def test_containers_can_write_nothing_but_what_is_gone_with_them(manifests: tuple[Manifest, ...]) -> None:
    for manifest in manifests:
        for container in containers(manifest):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert "privileged" not in context
            writable = {each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")}
            assert writable == {"/tmp"}  # noqa: S108 - an emptyDir


def test_volumes_are_secrets_or_temporary(pods: dict[str, Manifest]) -> None:
    for name, pod in pods.items():
        kinds = {kind for each in pod["volumes"] for kind in each.keys() - {"name"}}
        assert kinds <= {"secret", "projected", "emptyDir"}, name
        for volume in pod["volumes"]:
            modes = [volume[kind]["defaultMode"] for kind in ("secret", "projected") if kind in volume]
            assert modes in ([], [0o440]), name
            assert "emptyDir" not in volume or "sizeLimit" in volume["emptyDir"], name


def test_kubernetes_adds_no_variables_that_look_like_settings(pods: dict[str, Manifest]) -> None:
    assert {pod["enableServiceLinks"] for pod in pods.values()} == {False}


def test_every_container_asks_for_what_it_needs_and_is_held_to_a_bound(
    manifests: tuple[Manifest, ...],
) -> None:
    for manifest in manifests:
        for container in containers(manifest):
            for resources in (container["resources"]["requests"], container["resources"]["limits"]):
                assert set(resources) == {"cpu", "memory"}
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            assert mebibytes(requests["memory"]) < mebibytes(limits["memory"])
            assert millicores(requests["cpu"]) < millicores(limits["cpu"])


def test_images_are_ours_and_of_this_version(manifests: tuple[Manifest, ...]) -> None:
    images = {each["image"] for manifest in manifests for each in containers(manifest)}
    services = ("intake", "verification", "aggregation", "portal")
    assert images == {f"hailong/{service}:{VERSION}" for service in services}


def test_every_process_is_watched_at_its_operations_port(manifests: tuple[Manifest, ...]) -> None:
    for deployment in (each for each in manifests if each["kind"] == "Deployment"):
        [container] = containers(deployment)
        paths = {
            probe: (container[probe]["httpGet"]["path"], container[probe]["httpGet"]["port"])
            for probe in ("startupProbe", "livenessProbe", "readinessProbe")
        }
        assert paths == {
            "startupProbe": ("/healthz", "operations"),
            # A dependency that is away is no reason to kill who waits for it.
            "livenessProbe": ("/healthz", "operations"),
            "readinessProbe": ("/readyz", "operations"),
        }
        assert "operations" in {port["name"] for port in container["ports"]}


def mebibytes(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", quantity, re.ASCII).groups()  # type: ignore[union-attr]
    return int(number) * MEMORY[unit]


def millicores(quantity: str) -> int:
    return int(quantity[:-1]) if quantity.endswith("m") else int(quantity) * 1000
