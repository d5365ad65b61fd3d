"""What a kustomization says, read without kustomize: enough for what concerns names.

Resources, components, generators, images and patches by JSON Patch or `$patch: delete` are
followed; hashes, labels and namespaces are not. `kubectl kustomize` renders the truth: tests that
are marked `kubernetes` look at that.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.lab.paths import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
Manifest = dict[str, Any]


def read_kustomization(folder: Path) -> list[Manifest]:
    """The manifests of a kustomization and of all that it refers to."""
    tree = _Tree()
    tree.read(folder)
    return tree.manifests


def read_folders(folder: Path) -> set[Path]:
    """The folders of a kustomization and of all that it refers to."""
    tree = _Tree()
    tree.read(folder)
    return tree.folders


def write_combination(folder: Path, overlay: str, components: Iterable[str]) -> Path:
    """A kustomization of one's own in the folder: an overlay and components."""
    content = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [_relative(KUBERNETES / "overlays" / overlay, folder)],
        "components": [_relative(KUBERNETES / "components" / one, folder) for one in components],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(content))
    return folder


def _relative(path: Path, folder: Path) -> str:
    """As kustomize wants it: links resolved, and not absolute."""
    return os.path.relpath(path.resolve(), folder.resolve())


def parse(text: str) -> Iterator[Manifest]:
    """The manifests in a text, by the parser in C: the rules are long."""
    yield from (one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if one)


class _Tree:
    """Resources first, then generators, then components, then patches: kustomize's own order."""

    def __init__(self) -> None:
        self.manifests: list[Manifest] = []
        self.folders: set[Path] = set()

    def read(self, folder: Path) -> None:
        folder = folder.resolve()
        if folder in self.folders:
            return
        self.folders.add(folder)
        content = yaml.safe_load((folder / "kustomization.yaml").read_text())
        for entry in content.get("resources", ()):
            self._read_resource(folder / entry)
        for generator in content.get("configMapGenerator", ()):
            self._generate(generator, folder)
        for component in content.get("components", ()):
            self.read(folder / component)
        for patch in content.get("patches", ()):
            self._patch(patch)
        for image in content.get("images", ()):
            self._tag(image)

    def _read_resource(self, path: Path) -> None:
        if path.is_dir():
            self.read(path)
        else:
            self.manifests += parse(path.read_text())

    def _generate(self, generator: dict[str, Any], folder: Path) -> None:
        name, data = generator["name"], dict(_entries(generator, folder))
        behavior = generator.get("behavior", "create")
        if behavior == "create":
            labels = generator.get("options", {}).get("labels", {})
            metadata = {"name": name, "labels": labels}
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
            self.manifests.append(made)
            return
        [there] = self._targets({"kind": "ConfigMap", "name": name})
        there["data"] = data if behavior == "replace" else there["data"] | data

    def _targets(self, target: dict[str, str]) -> list[Manifest]:
        return [
            one
            for one in self.manifests
            if one["kind"] == target["kind"]
            and re.fullmatch(target["name"], one["metadata"]["name"])
        ]

    def _patch(self, patch: dict[str, Any]) -> None:
        chosen, content = self._targets(patch["target"]), yaml.safe_load(patch["patch"])
        assert chosen, f"a patch for nothing: {patch['target']}"
        if isinstance(content, dict):
            assert content["$patch"] == "delete", "other patches are written as JSON Patch"
            self.manifests = [one for one in self.manifests if one not in chosen]
            return
        for manifest in chosen:
            for operation in content:
                _apply(manifest, operation)

    def _tag(self, image: dict[str, str]) -> None:
        for manifest in self.manifests:
            for container in _containers(manifest):
                if container["image"] == image["name"]:
                    container["image"] += f":{image['newTag']}"


def _apply(manifest: Manifest, operation: dict[str, Any]) -> None:
    """One operation of JSON Patch (RFC 6902): add, replace or remove."""
    steps = [
        step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:]
    ]
    at: Any = manifest
    for step in steps[:-1]:
        at = at[int(step)] if isinstance(at, list) else at[step]
    last = steps[-1]
    if operation["op"] == "remove":
        del at[last]
    elif last == "-":
        at.append(operation["value"])
    else:
        at[int(last) if isinstance(at, list) else last] = operation["value"]


def _containers(manifest: Manifest) -> list[Manifest]:
    spec = manifest.get("spec", {})
    template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
    containers: list[Manifest] = template.get("spec", {}).get("containers", [])
    return containers


def _entries(generator: dict[str, Any], folder: Path) -> Iterator[tuple[str, str]]:
    for entry in generator.get("literals", ()):
        key, _, value = entry.partition("=")
        yield key, value
    for entry in generator.get("files", ()):
        key, _, path = entry.rpartition("=")
        yield key or Path(path).name, (folder / path).read_text(encoding="utf-8")
