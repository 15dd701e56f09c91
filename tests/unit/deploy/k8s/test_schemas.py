"""The overlays are what Kustomize makes of them, and what Kubernetes and the operators understand."""

import os
import shutil
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft202012Validator
from kubernetes_validate import utils as library

from tests.support.kustomize import Manifest, build
from tests.unit.deploy.k8s.conftest import K8S, OVERLAYS, built

OLDEST, NEWEST = "1.34.0", "1.37.0"
"""A pod that sleeps before it ends, without a program for it, is general since the oldest."""
OPERATORS = ("kafka.strimzi.io", "postgresql.cnpg.io", "keda.sh", "external-secrets.io")
DEFINITIONS = os.environ.get("HAILONG_CRDS")


def is_custom(manifest: Manifest) -> bool:
    return manifest["apiVersion"].partition("/")[0] in OPERATORS


@pytest.mark.skipif(
    not (shutil.which("kubectl") or shutil.which("kustomize")), reason="there is no kubectl or kustomize"
)
def test_kustomize_makes_the_same(overlay: str, manifests: tuple[Manifest, ...]) -> None:
    command = ["kubectl", "kustomize"] if shutil.which("kubectl") else ["kustomize", "build"]
    folder = K8S / "overlays" / overlay
    made = subprocess.run([*command, folder], capture_output=True, check=True, text=True).stdout

    def named(manifest: Manifest) -> tuple[str, str]:
        return manifest["kind"], manifest["metadata"]["name"]

    assert sorted(yaml.safe_load_all(made), key=named) == sorted(manifests, key=named)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_understands_everything_and_ignores_nothing(
    version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The library would read and parse a megabyte of schemas for each manifest anew.
    for reading in ("schema_contents", "all_versions"):
        monkeypatch.setattr(library, reading, cache(getattr(library, reading)))
    everything = {str(each): each for overlay in OVERLAYS for each in built(overlay)}  # the same once
    for manifest in everything.values():
        if not is_custom(manifest):
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelt_field_would_be_noticed(manifests: tuple[Manifest, ...]) -> None:
    manifest = next(each for each in manifests if each["kind"] == "Deployment")
    wrong = {**manifest, "spec": {**manifest["spec"], "minReadySecond": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def test_no_two_are_of_one_kind_and_name(manifests: tuple[Manifest, ...]) -> None:
    names = Counter((each["kind"], each["metadata"]["name"]) for each in manifests)
    assert [name for name, count in names.items() if count > 1] == []


def test_what_this_build_does_not_understand_it_refuses(tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("commonLabels: {a: b}\n")
    with pytest.raises(ValueError, match="commonLabels"):
        build(tmp_path)


@pytest.mark.skipif(DEFINITIONS is None, reason="HAILONG_CRDS names no folder of the operators' definitions")
def test_the_operators_understand_everything_and_ignore_nothing(manifests: tuple[Manifest, ...]) -> None:
    known = definitions()
    for manifest in filter(is_custom, manifests):
        errors = known[manifest["apiVersion"], manifest["kind"]].iter_errors(manifest)
        assert [f"{manifest['metadata']['name']}: {each.json_path}: {each.message}" for each in errors] == []


@cache
def definitions() -> dict[tuple[str, str], Draft202012Validator]:
    """Of the CustomResourceDefinitions in HAILONG_CRDS, by apiVersion and kind."""
    found = {}
    for file in sorted(Path(DEFINITIONS or "").glob("*.yaml")):
        for definition in yaml.safe_load_all(file.read_text()):
            spec = definition["spec"]
            for version in spec["versions"]:
                schema = _strict(version["schema"]["openAPIV3Schema"])
                schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
                name = f"{spec['group']}/{version['name']}", spec["names"]["kind"]
                found[name] = Draft202012Validator(schema)
    return found


def _strict(schema: Any) -> Any:
    """What a definition does not know, the API server drops without a word: here it is an error."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _strict(each) for name, each in schema.items()}
    open_to_all = schema.get("x-kubernetes-preserve-unknown-fields", False)
    if isinstance(schema.get("properties"), dict) and "type" in schema and not open_to_all:
        made.setdefault("additionalProperties", False)
    return made
