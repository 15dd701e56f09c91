"""What `kustomize build` makes of a folder, for as much of Kustomize as deploy/k8s uses.

So that manifests can be looked at where there is no such program; where there is one, a test compares the
two. Patches are JSON patches (RFC 6902) alone, which leave nothing to be understood in two ways.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonpatch
import yaml

Manifest = dict[str, Any]
UNDERSTOOD = {
    "apiVersion",
    "kind",
    "namespace",
    "resources",
    "images",
    "patches",
    "configMapGenerator",
}
CLUSTER_WIDE = ("Namespace",)


def build(folder: Path) -> list[Manifest]:
    """Raises ValueError for a field that is not understood."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    if unknown := kustomization.keys() - UNDERSTOOD:
        raise ValueError(f"{folder}: {sorted(unknown)} is not understood here")
    manifests = [each for name in kustomization.get("resources", ()) for each in _resource(folder / name)]
    manifests += [_config_map(folder, each) for each in kustomization.get("configMapGenerator", ())]
    for patch in kustomization.get("patches", ()):
        manifests = [_patched(folder, each, patch) for each in manifests]
    for manifest in manifests:
        _put_into(manifest, kustomization.get("namespace"))
        for image in kustomization.get("images", ()):
            _set_image(manifest, image)
    return manifests


def _resource(path: Path) -> list[Manifest]:
    return build(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text()))


def _config_map(folder: Path, wanted: dict[str, Any]) -> Manifest:
    if wanted.keys() != {"name", "files", "options"} or wanted["options"] != {"disableNameSuffixHash": True}:
        raise ValueError(f"{folder}: the ConfigMap {wanted['name']} is not understood here")
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": wanted["name"]},
        "data": {name: (folder / name).read_text() for name in wanted["files"]},
    }


def _patched(folder: Path, manifest: Manifest, patch: dict[str, Any]) -> Manifest:
    target = dict(patch["target"])
    labels = dict(pair.split("=") for pair in target.pop("labelSelector", "").split(",") if pair)
    has = {"kind": manifest["kind"], "name": manifest["metadata"]["name"]}
    if not all(re.fullmatch(pattern, has[field]) for field, pattern in target.items()):
        return manifest
    if not labels.items() <= manifest["metadata"].get("labels", {}).items():
        return manifest
    text = patch["patch"] if "patch" in patch else (folder / patch["path"]).read_text()
    changed: Manifest = jsonpatch.apply_patch(manifest, yaml.safe_load(text))
    return changed


def _put_into(manifest: Manifest, namespace: str | None) -> None:
    if namespace is not None and manifest["kind"] not in CLUSTER_WIDE:
        manifest["metadata"]["namespace"] = namespace


def _set_image(manifest: Manifest, wanted: dict[str, str]) -> None:
    for container in containers(manifest):
        name, _, tag = container["image"].partition(":")
        if name == wanted["name"]:
            container["image"] = f"{wanted.get('newName', name)}:{wanted.get('newTag', tag)}"


def pod_of(manifest: Manifest) -> Manifest | None:
    """The specification of the pods that it makes, if it makes any."""
    found: Manifest | None = manifest.get("spec", {}).get("template", {}).get("spec")
    return found if manifest["kind"] in ("Deployment", "Job") else None


def containers(manifest: Manifest) -> Iterator[Manifest]:
    pod = pod_of(manifest) or {}
    yield from (*pod.get("initContainers", ()), *pod.get("containers", ()))
