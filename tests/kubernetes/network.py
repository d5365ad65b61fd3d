"""The network policies: everything denied, and each arrow allowed at its start and at its end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.kubernetes.workloads import (
    Manifest,
    Workload,
    find_workloads,
    labels_of,
    name_of,
    of_kind,
    selected,
)


@dataclass(frozen=True, order=True)
class Arrow:
    """A connection between workloads of this namespace, by their names."""

    start: str
    end: str
    port: int

    def __str__(self) -> str:
        return f"{self.start} to {self.end}, port {self.port}"


def find_blocked_arrows(manifests: list[Manifest]) -> list[str]:
    """A sentence for each policy without effect, and for each arrow that only one side allows."""
    workloads = find_workloads(manifests)
    policies = of_kind(manifests, "NetworkPolicy")
    found = [f"{name_of(one)}: {text}" for one in policies for text in _selections(one, workloads)]
    starts, ends = _allowed(policies, workloads, "egress"), _allowed(policies, workloads, "ingress")
    found += [f"from {one}: allowed at its start, not at its end" for one in sorted(starts - ends)]
    found += [f"from {one}: allowed at its end, not at its start" for one in sorted(ends - starts)]
    return found + _default(policies)


def find_arrows(manifests: list[Manifest]) -> set[Arrow]:
    """Every connection that both of its sides allow."""
    workloads, policies = find_workloads(manifests), of_kind(manifests, "NetworkPolicy")
    return _allowed(policies, workloads, "egress") & _allowed(policies, workloads, "ingress")


def _selections(policy: Manifest, workloads: list[Workload]) -> Iterator[str]:
    own = selected(workloads, labels_of(policy["spec"]["podSelector"]))
    if not own:
        yield "is for no pod"
    for direction, word in (("ingress", "from"), ("egress", "to")):
        for rule in policy["spec"].get(direction, ()):
            for peer in rule.get(word, ()):
                if "namespaceSelector" not in peer and not selected(
                    workloads, labels_of(peer["podSelector"])
                ):
                    yield f"allows {direction} {word} no pod"
            if direction == "ingress":
                yield from _ports(rule, own)


def _ports(rule: Manifest, own: list[Workload]) -> Iterator[str]:
    for port in rule.get("ports", ()):
        for workload in own:
            if port["port"] not in workload.ports().values():
                yield f"opens the port {port['port']}, which {workload} has not"


def _allowed(policies: list[Manifest], workloads: list[Workload], direction: str) -> set[Arrow]:
    """Arrows between workloads that one direction's rules allow; other namespaces are left out."""
    word, found = ("to" if direction == "egress" else "from"), set()
    for policy in policies:
        own = selected(workloads, labels_of(policy["spec"]["podSelector"]))
        for rule in policy["spec"].get(direction, ()):
            inside = [peer for peer in rule.get(word, ()) if "namespaceSelector" not in peer]
            peers = [
                one
                for peer in inside
                for one in selected(workloads, labels_of(peer["podSelector"]))
            ]
            pairs = [(mine, other) for mine in own for other in peers]
            for mine, other in pairs:
                start, end = (mine, other) if direction == "egress" else (other, mine)
                found |= {Arrow(start.name, end.name, port["port"]) for port in rule["ports"]}
    return found


def _default(policies: list[Manifest]) -> list[str]:
    denied = [
        one
        for one in policies
        if not one["spec"].get("podSelector")
        and set(one["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not {"ingress", "egress"} & one["spec"].keys()
    ]
    return [] if len(denied) == 1 else ["no policy denies everything that no other allows"]
