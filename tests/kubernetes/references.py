"""Names that must exist: ConfigMaps, Secrets and their keys, ports, volumes, variables.

The API server takes every one of these faults: a pod with it waits or fails, and only then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.kubernetes.workloads import (
    Manifest,
    Workload,
    environment,
    find_workloads,
    name_of,
    of_kind,
)

Keys = Mapping[str, set[str]]


def find_broken_references(manifests: list[Manifest], secrets: Keys) -> list[str]:
    """A sentence for each name that leads nowhere; `secrets` are the keys of those that exist."""
    maps = {
        one["metadata"]["name"]: set(one.get("data", {})) for one in of_kind(manifests, "ConfigMap")
    }
    found: list[str] = []
    for workload in find_workloads(manifests):
        for container in workload.containers:
            where = f"{workload}, container {container['name']}"
            found += [f"{where}: {one}" for one in _sources(container, maps, secrets)]
            found += [f"{where}: {one}" for one in _variables(container)]
            found += [f"{where}: {one}" for one in _ports(container)]
        found += [f"{workload}: {one}" for one in _volumes(workload, maps)]
    return found + _unused(manifests, maps) + _targets(manifests)


def _sources(container: Manifest, maps: Keys, secrets: Keys) -> Iterator[str]:
    """Of its variables."""
    for each in container.get("envFrom", ()):
        for kind, known in (("configMapRef", maps), ("secretRef", secrets)):
            if kind in each and not each[kind].get("optional"):
                yield from _missing(kind, each[kind]["name"], (), known)
    for each in container.get("env", ()):
        for kind, known in (("configMapKeyRef", maps), ("secretKeyRef", secrets)):
            reference = each.get("valueFrom", {}).get(kind)
            if reference and not reference.get("optional"):
                yield from _missing(kind, reference["name"], [reference["key"]], known)


def _missing(kind: str, name: str, keys: Iterable[str], known: Keys) -> Iterator[str]:
    if name not in known:
        yield f"{kind} names {name}, which does not exist"
        return
    for key in keys:
        if key not in known[name]:
            yield f"{kind} names the key {key} of {name}, which does not exist"


def _variables(container: Manifest) -> Iterator[str]:
    """`$(NAME)` is replaced by what stands above it, else it stays as it is."""
    names = [one["name"] for one in container.get("env", ())]
    yield from (f"{name} is set twice" for name in set(names) if names.count(name) > 1)
    for position, each in enumerate(container.get("env", ())):
        for used in re.findall(r"\$\((\w+)\)", each.get("value", "")):
            if used not in names[:position]:
                yield f"{each['name']} uses {used}, which is not set above it"
    for word in [*container.get("command", ()), *container.get("args", ())]:
        for used in re.findall(r"\$\((\w+)\)", word):
            if used not in environment(container):
                yield f"an argument uses {used}, which is not set"


def _ports(container: Manifest) -> Iterator[str]:
    """Names of ports in probes and hooks."""
    known = {port.get("name") for port in container.get("ports", ())}
    actions: list[tuple[str, Manifest]] = [
        (name, container[name])
        for name in ("startupProbe", "readinessProbe", "livenessProbe")
        if name in container
    ]
    actions += list(container.get("lifecycle", {}).items())
    for what, action in actions:
        for way in ("httpGet", "tcpSocket"):
            port = action.get(way, {}).get("port")
            if isinstance(port, str) and port not in known:
                yield f"{what} asks the port {port}, which it has not"


def _volumes(workload: Workload, maps: Keys) -> Iterator[str]:
    """Mounted and declared alike; every file that is mounted is in its ConfigMap."""
    volumes = {one["name"]: one for one in workload.pod.get("volumes", ())}
    mounts = [mount for one in workload.containers for mount in one.get("volumeMounts", ())]
    for unused in volumes.keys() - {mount["name"] for mount in mounts}:
        yield f"the volume {unused} is mounted nowhere"
    for volume in volumes.values():
        sources = [volume, *volume.get("projected", {}).get("sources", ())]
        for source in [one["configMap"] for one in sources if "configMap" in one]:
            keys = [item["key"] for item in source.get("items", ())]
            yield from _missing(f"volume {volume['name']}", source["name"], keys, maps)
    for mount in mounts:
        config_map = volumes.get(mount["name"], {}).get("configMap", {}).get("name")
        if "subPath" in mount and mount["subPath"] not in maps.get(config_map, ()):
            yield f"{mount['subPath']} is mounted from {config_map}, which has no such file"


def _unused(manifests: list[Manifest], maps: Keys) -> list[str]:
    """ConfigMaps that no pod reads; a sidecar's label says that somebody else does."""
    text = repr([workload.pod for workload in find_workloads(manifests)])
    labelled = {
        one["metadata"]["name"]
        for one in of_kind(manifests, "ConfigMap")
        if any(label.startswith("grafana_") for label in one["metadata"].get("labels", {}))
    }
    return [
        f"ConfigMap/{one}: nobody reads it"
        for one in maps
        if f"'{one}'" not in text and one not in labelled
    ]


def _targets(manifests: list[Manifest]) -> list[str]:
    """What is scaled, bound or given a pod's name."""
    named = {name_of(one) for one in manifests}
    found: list[str] = []
    for one in manifests:
        spec: dict[str, Any] = one.get("spec", {})
        wanted = []
        if one["kind"] == "StatefulSet":
            wanted.append(f"Service/{spec['serviceName']}")
        if "scaleTargetRef" in spec:
            wanted.append(f"{spec['scaleTargetRef']['kind']}/{spec['scaleTargetRef']['name']}")
        if one["kind"] == "RoleBinding":
            wanted += [f"{ref['kind']}/{ref['name']}" for ref in [one["roleRef"], *one["subjects"]]]
        if "serviceAccountName" in spec:
            wanted.append(f"ServiceAccount/{spec['serviceAccountName']}")
        found += [
            f"{name_of(one)} refers to {each}, which does not exist"
            for each in wanted
            if each not in named
        ]
    return found
