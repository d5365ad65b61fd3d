"""What every pod here has: no rights, bounds, probes, a pinned image, time to end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from service.settings import read_settings
from tests.kubernetes.workloads import (
    Manifest,
    Workload,
    environment,
    find_workloads,
    of_kind,
    to_bytes,
)


def find_weak_pods(manifests: list[Manifest]) -> list[str]:
    """A sentence for each pod that may do more, take more or end sooner than it should."""
    found: list[str] = []
    for workload in find_workloads(manifests):
        if workload.kind == "Prometheus":  # The operator's, which hardens it.
            continue
        found += [f"{workload}: {one}" for one in _pod(workload)]
        for container in workload.containers:
            where = f"{workload}, container {container['name']}"
            found += [f"{where}: {one}" for one in (*_rights(container), *_bounds(container))]
            if workload.kind != "CronJob":
                found += [f"{where}: has no {one}" for one in _missing_probes(container)]
    return found + _volumes(manifests)


def _pod(workload: Workload) -> Iterator[str]:
    context = workload.pod.get("securityContext", {})
    if workload.pod.get("automountServiceAccountToken") is not False:
        yield "is given a token of the API"
    if not context.get("runAsNonRoot") or not context.get("runAsUser"):
        yield "does not say as which user it runs"
    if context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "has no seccomp profile"
    grace = workload.pod.get("terminationGracePeriodSeconds", 30)
    needed = max((_needed_to_end(one) for one in workload.containers), default=0)
    if grace <= needed:
        yield f"is ended after {grace} s, and needs more than {needed} s"


def _needed_to_end(container: Manifest) -> int:
    """Seconds: its preStop, and for the handler the time for open requests and the last push."""
    pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    if container["name"] != "handler":
        return int(pause)
    given = environment(container).get("SHUTDOWN_SECONDS", {}).get("value", "")
    return int(pause) + read_settings({"SHUTDOWN_SECONDS": given}).shutdown_seconds


def _rights(container: Manifest) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("readOnlyRootFilesystem") is not True:
        yield "writes its own file system"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "may gain rights"
    if context.get("capabilities", {}).get("drop") != ["ALL"]:
        yield "keeps capabilities"
    if not re.search(r":(local|v?\d+\.\d+\.\d+)$", container["image"]):
        yield f"its image is not pinned: {container['image']}"


def _bounds(container: Manifest) -> Iterator[str]:
    resources = container.get("resources", {})
    requests, limits = resources.get("requests", {}), resources.get("limits", {})
    if set(requests) != {"cpu", "memory"} or "memory" not in limits:
        yield "does not say how much processor and memory it needs and may take"
        return
    if "cpu" in limits:
        yield "has a limit of processor time, which makes it stand still"
    memory = environment(container).get("GOMEMLIMIT", {}).get("value")
    if memory and to_bytes(memory) >= to_bytes(limits["memory"]):
        yield f"GOMEMLIMIT {memory} is not below its limit of {limits['memory']}"


def _missing_probes(container: Manifest) -> list[str]:
    wanted = ("startupProbe", "readinessProbe", "livenessProbe")
    return [name for name in wanted if name not in container]


def _volumes(manifests: list[Manifest]) -> list[str]:
    """What must outlive a pod is on a volume; budgets say what becomes of pods that are ill."""
    found = []
    for one in of_kind(manifests, "StatefulSet"):
        if not one["spec"].get("volumeClaimTemplates"):
            found.append(f"StatefulSet/{one['metadata']['name']}: keeps nothing")
    for one in of_kind(manifests, "PodDisruptionBudget"):
        if "unhealthyPodEvictionPolicy" not in one["spec"]:
            found.append(
                f"PodDisruptionBudget/{one['metadata']['name']}: says nothing of pods that are ill"
            )
    return found
