"""Addresses inside the cluster: a service has that name and port, and a policy allows the way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.kubernetes.network import Arrow, find_arrows
from tests.kubernetes.workloads import (
    Manifest,
    Workload,
    environment,
    find_workloads,
    name_of,
    of_kind,
    selected,
)

NAMESPACE = "fraud-monitoring"
_URL = re.compile(
    rf"(?:https?://|dns\+)([a-z][\w.-]*?)(?:\.{NAMESPACE}\.svc)?(?::(\d+))?(?=[/\"'\s,\]]|$)",
    re.MULTILINE,
)
_POD = re.compile(r"\b([a-z-]+)-(\d+)\.([a-z-]+):(\d+)\b")
# Of readers of messages and pages, and of what compose has and the cluster has not.
ELSEWHERE = {"localhost", "tempo"}
# Where an address in a ConfigMap is used: by whom.
READERS = {
    "cortex-agent": "agent",
    "agent-targets": "agent",
    "grafana-datasources": "grafana",
    "prometheus-targets": "prometheus",
}


@dataclass(frozen=True)
class Address:
    """Who asks which host at which port, and where that is written."""

    where: str
    by: str
    host: str
    port: int


def find_wrong_addresses(manifests: list[Manifest]) -> list[str]:
    """A sentence for each address that nobody has, or that no policy lets its caller reach."""
    workloads, arrows = find_workloads(manifests), find_arrows(manifests)
    services = {one["metadata"]["name"]: one for one in of_kind(manifests, "Service")}
    found = []
    for address in _addresses(manifests, workloads):
        host, ordinal = address.host, None
        if pod := re.fullmatch(r"([a-z-]+)-(\d+)\.([a-z-]+)", host):
            host, ordinal = pod[3], int(pod[2])
        service = services.get(host)
        found += [
            f"{address.where}: {one}"
            for one in _wrong(address, service, ordinal, workloads, arrows, manifests)
        ]
    return found


def _wrong(
    address: Address,
    service: Manifest | None,
    ordinal: int | None,
    workloads: list[Workload],
    arrows: set[Arrow],
    manifests: list[Manifest],
) -> Iterator[str]:
    if service is None:
        yield f"{address.host} is no service"
        return
    ports = {
        port["port"]: port.get("targetPort", port["port"]) for port in service["spec"]["ports"]
    }
    if address.port not in ports:
        yield f"{address.host} has no port {address.port}"
        return
    for workload in selected(workloads, service["spec"]["selector"]):
        target = ports[address.port]
        number = workload.ports().get(target, 0) if isinstance(target, str) else int(target)
        own = address.by == workload.name
        if not own and Arrow(address.by, workload.name, number) not in arrows:
            yield f"no policy lets {address.by} reach {workload.name} at port {number}"
        if ordinal is not None:
            yield from _no_such_pod(address, ordinal, service, workload, manifests)


def _no_such_pod(
    address: Address, ordinal: int, service: Manifest, workload: Workload, manifests: list[Manifest]
) -> Iterator[str]:
    [made] = [one for one in manifests if name_of(one) == str(workload)]
    if service["spec"].get("clusterIP") != "None":
        yield f"{name_of(service)} gives pods no names of their own, it is not headless"
    if ordinal >= made["spec"].get("replicas", 1):
        yield f"{address.host}: {workload} has {made['spec'].get('replicas', 1)} replicas"


def _addresses(manifests: list[Manifest], workloads: list[Workload]) -> Iterator[Address]:
    maps = {one["metadata"]["name"]: one.get("data", {}) for one in of_kind(manifests, "ConfigMap")}
    for workload in workloads:
        for container in workload.containers:
            where = f"{workload}, container {container['name']}"
            for name, value in environment(container).items():
                yield from _read(f"{where}: {name}", workload.name, value.get("value", ""))
            for source in container.get("envFrom", ()):
                for name, value in maps.get(source.get("configMapRef", {}).get("name"), {}).items():
                    yield from _read(f"{where}: {name}", workload.name, value)
    for name, data in maps.items():
        reader = READERS.get(re.sub(r"-[a-z0-9]{10}$", "", name))
        for key, text in data.items() if reader else ():
            yield from _read(f"ConfigMap/{name}: {key}", reader or "", text)


def _read(where: str, by: str, text: str) -> Iterator[Address]:
    code = "\n".join(line.partition("#")[0] for line in text.splitlines())
    for host, port in _URL.findall(code):
        if host not in ELSEWHERE:
            yield Address(where, by, host, int(port or 80))
    for pod, ordinal, service, port in _POD.findall(code):
        yield Address(where, by, f"{pod}-{ordinal}.{service}", int(port))
