"""What runs in a set of manifests: pod templates, their containers, who is selected by what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]

# The operator makes the pods of a Prometheus: these are its label and the name of its port.
OPERATED = "operator.prometheus.io/name"
_QUANTITY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "MiB": 2**20, "GiB": 2**30, "": 1}


@dataclass(frozen=True)
class Workload:
    """Pods of one kind: the manifest that makes them, their labels and their specification."""

    kind: str
    name: str
    labels: Mapping[str, str]
    pod: Manifest

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def containers(self) -> list[Manifest]:
        """Of the pod, the ones that run first included."""
        return [*self.pod.get("initContainers", ()), *self.pod["containers"]]

    def ports(self) -> dict[str, int]:
        """Numbers of the ports by their names."""
        listed = [port for one in self.containers for port in one.get("ports", ())]
        return {port.get("name", ""): port["containerPort"] for port in listed}


def name_of(manifest: Manifest) -> str:
    """Its kind and name, for people."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def of_kind(manifests: Iterable[Manifest], kind: str) -> list[Manifest]:
    """Those of one kind."""
    return [one for one in manifests if one["kind"] == kind]


def find_workloads(manifests: Iterable[Manifest]) -> list[Workload]:
    """Everything that makes pods."""
    return [found for one in manifests for found in _workload(one)]


def _workload(manifest: Manifest) -> Iterator[Workload]:
    kind, name = manifest["kind"], manifest["metadata"]["name"]
    if kind in ("StatefulSet", "Deployment"):
        template = manifest["spec"]["template"]
    elif kind == "CronJob":
        template = manifest["spec"]["jobTemplate"]["spec"]["template"]
    elif kind == "Prometheus" and manifest["apiVersion"].startswith("monitoring.coreos.com/"):
        labels = {OPERATED: name, "app.kubernetes.io/name": "prometheus"}
        port = {"name": "web", "containerPort": 9090}
        yield Workload(
            kind, name, labels, {"containers": [{"name": "prometheus", "ports": [port]}]}
        )
        return
    else:
        return
    yield Workload(kind, name, template["metadata"].get("labels", {}), template["spec"])


def selected(workloads: Iterable[Workload], selector: Mapping[str, str]) -> list[Workload]:
    """Those whose labels have all of the selector's."""
    return [one for one in workloads if selector.items() <= one.labels.items()]


def labels_of(selector: Manifest | None) -> dict[str, str]:
    """matchLabels of a selector; everything where there is none."""
    return dict((selector or {}).get("matchLabels", {}))


def environment(container: Manifest) -> dict[str, Manifest]:
    """Its variables that are written one by one, by name."""
    return {one["name"]: one for one in container.get("env", ())}


def to_bytes(quantity: str) -> int:
    """Of a quantity such as 512Mi; ValueError for another unit."""
    found = re.fullmatch(r"(\d+)(\w*)", quantity)
    if found is None or found[2] not in _QUANTITY:
        raise ValueError(f"a number with one of {', '.join(_QUANTITY)} is wanted, got {quantity!r}")
    return int(found[1]) * _QUANTITY[found[2]]
