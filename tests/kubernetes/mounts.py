"""The files that a pod finds where its ConfigMaps are mounted, laid out in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.kubernetes.faults import container, pick, pod
from tests.kubernetes.workloads import Manifest


def lay_out(manifests: list[Manifest], name: str, folder: Path) -> Path:
    """Writes the files of the StatefulSet's first container below the folder, which is its root."""
    volumes = {one["name"]: one for one in pod(manifests, name).get("volumes", ())}
    for mount in container(manifests, name)["volumeMounts"]:
        files = dict(_files(manifests, volumes.get(mount["name"], {})))
        target = folder / mount["mountPath"].lstrip("/")
        if "subPath" in mount:
            _write(target, files[mount["subPath"]])
            continue
        target.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            _write(target / path, text)
    return folder


def _files(manifests: list[Manifest], volume: Manifest) -> Iterator[tuple[str, str]]:
    for source in [volume, *volume.get("projected", {}).get("sources", ())]:
        if "configMap" in source:
            data = pick(manifests, "ConfigMap", source["configMap"]["name"])["data"]
            items = source["configMap"].get("items") or [{"key": key, "path": key} for key in data]
            yield from ((item["path"], data[item["key"]]) for item in items)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
