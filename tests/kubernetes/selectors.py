"""What selects by labels selects something, and ports that are forwarded or scraped are there."""

from __future__ import annotations

from collections.abc import Iterator

from tests.kubernetes.workloads import (
    Manifest,
    Workload,
    find_workloads,
    labels_of,
    name_of,
    of_kind,
    selected,
)


def find_empty_selections(manifests: list[Manifest]) -> list[str]:
    """A sentence for each selector without a pod, and for each port that its pods lack."""
    workloads = find_workloads(manifests)
    found: list[str] = []
    for service in of_kind(manifests, "Service"):
        found += [f"{name_of(service)}: {one}" for one in _service(service, workloads)]
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        if not selected(workloads, labels_of(budget["spec"]["selector"])):
            found.append(f"{name_of(budget)}: selects no pod")
    for monitor in of_kind(manifests, "ServiceMonitor"):
        found += [f"{name_of(monitor)}: {one}" for one in _monitor(monitor, manifests, workloads)]
    for workload in workloads:
        found += [f"{workload}: {one}" for one in _spread(workload)]
    return found


def _service(service: Manifest, workloads: list[Workload]) -> Iterator[str]:
    chosen = selected(workloads, service["spec"].get("selector", {}))
    if not chosen:
        yield "selects no pod"
    for workload in chosen:
        known = workload.ports()
        for port in service["spec"]["ports"]:
            target = port.get("targetPort", port["port"])
            if target not in known and target not in known.values():
                yield f"leads to the port {target}, which {workload} has not"
    if len({workload.name for workload in chosen}) > 1:
        yield f"selects pods of {' and '.join(sorted(str(one) for one in chosen))}"


def _monitor(
    monitor: Manifest, manifests: list[Manifest], workloads: list[Workload]
) -> Iterator[str]:
    wanted = labels_of(monitor["spec"]["selector"])
    services = [
        one
        for one in of_kind(manifests, "Service")
        if wanted.items() <= one["metadata"].get("labels", {}).items()
    ]
    if len(services) != 1:
        yield f"selects {len(services)} services; one is scraped once"
    for service in services:
        names = {port.get("name") for port in service["spec"]["ports"]}
        for endpoint in monitor["spec"]["endpoints"]:
            if endpoint["port"] not in names:
                yield f"scrapes the port {endpoint['port']}, which {name_of(service)} has not"
        for workload in selected(workloads, service["spec"]["selector"]):
            if workload.name == "handler":
                yield "scrapes the handler: every request would count twice"


def _spread(workload: Workload) -> Iterator[str]:
    for constraint in workload.pod.get("topologySpreadConstraints", ()):
        if not labels_of(constraint["labelSelector"]).items() <= workload.labels.items():
            yield f"is spread by {constraint['topologyKey']} with labels that its pods have not"
