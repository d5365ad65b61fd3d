"""The overlay `prometheus` with the component `keda` as shipped, but for what one machine wants."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.kubernetes.kustomization import KUBERNETES, parse, write_combination
from tests.kubernetes.workloads import Manifest, of_kind

NAMESPACE = "fraud-monitoring"
MOST = 100
OF_ONE_REPLICA = 0.2
"""Requests a second; a hundred times the shipped 500 would want more than one machine."""
_SHIPPED = KUBERNETES / "components" / "keda" / "scaledobject.yaml"
_TRIGGER = "/spec/triggers/0/metadata"
_DOWN = "/spec/advanced/horizontalPodAutoscalerConfig/behavior/scaleDown"


@dataclass(frozen=True)
class Change:
    """A field of the ScaledObject, by its JSON pointer: what it is in the drill, and why."""

    field: str
    here: Any
    why: str


def list_changes(store: str, *, shipped_down: bool) -> list[Change]:
    """All that is not as shipped."""
    found = [
        Change("/spec/minReplicaCount", 1, "the whole way, from one replica and back to it"),
        Change(f"{_TRIGGER}/serverAddress", store, "there is no name service"),
        Change(
            f"{_TRIGGER}/threshold", f"{OF_ONE_REPLICA:g}",
            "one machine cannot send what a hundred replicas carry",
        ),
    ]  # fmt: skip
    if not shipped_down:
        quick = {
            "stabilizationWindowSeconds": 30,
            "policies": [{"type": "Percent", "value": 50, "periodSeconds": 15}],
        }
        found.append(Change(_DOWN, quick, "minutes, not half an hour"))
    return found


def read_shipped(field: str) -> Any:
    """The same field in the component; KeyError or IndexError where it has none."""
    return _read(yaml.safe_load(_SHIPPED.read_text()), field)


def _read(manifest: Manifest, field: str) -> Any:
    at: Any = manifest
    for step in field.split("/")[1:]:
        at = at[int(step)] if isinstance(at, list) else at[step]
    return at


def write_overlay(folder: Path, changes: Iterable[Change]) -> Path:
    """A kustomization in the folder; every field that is changed must be there already."""
    folder.mkdir(parents=True, exist_ok=True)
    write_combination(folder, "prometheus", ["keda"])
    path = folder / "kustomization.yaml"
    content = yaml.safe_load(path.read_text())
    operations = [{"op": "replace", "path": one.field, "value": one.here} for one in changes]
    target = {"kind": "ScaledObject", "name": "handler"}
    content["patches"] = [{"target": target, "patch": json.dumps(operations)}]
    path.write_text(yaml.safe_dump(content))
    return folder


def render(tools: Path, folder: Path) -> list[Manifest]:
    """As `kubectl apply -k` would send it."""
    command = [str(tools / "kubectl"), "kustomize", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return list(parse(ran.stdout))


def make_secrets() -> list[Manifest]:
    """All that secrets.sh prints, whatever cluster kubectl knows."""
    command = ["sh", str(KUBERNETES / "secrets.sh"), "--all"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return list(parse(ran.stdout))


def read_settings(manifests: Sequence[Manifest]) -> Mapping[str, str]:
    """What the handler's ConfigMap says; its name has a hash."""
    [found] = [
        one
        for one in of_kind(manifests, "ConfigMap")
        if one["metadata"]["name"].startswith("handler-settings")
    ]
    settings: dict[str, str] = found["data"]
    return settings


def read_pre_stop(manifests: Sequence[Manifest]) -> float:
    """Seconds that a pod of the handler waits before SIGTERM."""
    [handler] = [
        one for one in of_kind(manifests, "StatefulSet") if one["metadata"]["name"] == "handler"
    ]
    [container] = handler["spec"]["template"]["spec"]["containers"]
    return float(container["lifecycle"]["preStop"]["sleep"]["seconds"])
