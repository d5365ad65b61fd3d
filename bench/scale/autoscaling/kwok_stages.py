"""How kwok plays pods, nodes and volumes: its own stages, with seconds as a real handler takes.

Pods that real processes stand for are left alone.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.kubernetes.crds import DISTRIBUTION, module_folder

Stage = dict[str, Any]
MODULE = "sigs.k8s.io/kwok"
_FOLDERS = ("node/fast", "node/heartbeat-with-lease", "pod/fast", "volume/fast")
_STORAGE_CLASS = "volume/fast/storage-class.yaml"


@dataclass(frozen=True)
class PodSeconds:
    """Of a pod: from its start to ready, and from its deletion to its end."""

    start: float
    end: float


PLAYED = PodSeconds(start=5.0, end=7.0)
"""As on a machine with little other work: 5 s of `preStop` are in the end."""


def module_stages() -> Path:
    """kwok's folder of stages; fetches the module where it is not there."""
    return module_folder(MODULE, DISTRIBUTION / "kwok") / "kustomize" / "stage"


def read_stages(folder: Path) -> list[Stage]:
    """Every stage that the drill plays."""
    files = [path for name in _FOLDERS for path in sorted((folder / name).glob("*.yaml"))]
    found = [one for path in files for one in yaml.safe_load_all(path.read_text()) if one]
    return [one for one in found if one["kind"] == "Stage"]


def read_storage_class(folder: Path) -> dict[str, Any]:
    """The default class of a claim; its volumes are made by kwok."""
    content: dict[str, Any] = yaml.safe_load((folder / _STORAGE_CLASS).read_text())
    return content


def adapt(stages: list[Stage], seconds: PodSeconds, real: Collection[str]) -> list[Stage]:
    """The stages with these seconds and without the real pods; ValueError where one is missing."""
    delays = {"pod-ready": seconds.start, "pod-delete": seconds.end}
    missing = delays.keys() - {one["metadata"]["name"] for one in stages}
    if missing:
        raise ValueError(f"kwok has no stage {', '.join(sorted(missing))}")
    return [_adapt(one, delays, real) for one in stages]


def _adapt(stage: Stage, delays: dict[str, float], real: Collection[str]) -> Stage:
    delay = delays.get(stage["metadata"]["name"])
    if delay is None:
        return stage
    others = {"key": ".metadata.name", "operator": "NotIn", "values": sorted(real)}
    selector = stage["spec"]["selector"]
    expressions = [*selector["matchExpressions"], others]
    return stage | {
        "spec": stage["spec"]
        | {
            "selector": selector | {"matchExpressions": expressions},
            "delay": {"durationMilliseconds": round(1000 * delay)},
        }
    }
