"""Faults that people put into manifests, one by one; a check or an API server must see each.

Each function changes the rendered manifests of the overlay `prometheus` with the component `keda`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.kubernetes.workloads import Manifest, environment

Fault = Callable[[list[Manifest]], None]


def pick(manifests: list[Manifest], kind: str, name: str) -> Manifest:
    """The manifest of that kind and name; what a hash adds to a name is left out."""
    pattern = re.compile(rf"{name}(-[a-z0-9]{{10}})?")
    named = [one for one in manifests if pattern.fullmatch(one["metadata"]["name"])]
    [found] = [one for one in named if one["kind"] == kind]
    return found


def pod(manifests: list[Manifest], name: str = "handler", kind: str = "StatefulSet") -> Manifest:
    """The specification of its pods."""
    found: Manifest = pick(manifests, kind, name)["spec"]["template"]["spec"]
    return found


def container(manifests: list[Manifest], name: str = "handler") -> Manifest:
    """The first container of its pods."""
    found: Manifest = pod(manifests, name)["containers"][0]
    return found


def change(kind: str, name: str, *path: str | int, to: Any) -> Fault:
    """Sets what is at the path; a list's number past its end adds to it."""

    def apply(manifests: list[Manifest]) -> None:
        at: Any = pick(manifests, kind, name)
        for step in path[:-1]:
            at = at[step]
        if isinstance(at, list) and path[-1] == len(at):
            at.append(to)
        else:
            at[path[-1]] = to

    return apply


def change_container(name: str, *path: str | int, to: Any) -> Fault:
    """The same, from the first container of a StatefulSet on."""
    whole = ("spec", "template", "spec", "containers", 0, *path)
    return change("StatefulSet", name, *whole, to=to)


def change_variable(name: str, variable: str, *path: str, to: Any) -> Fault:
    """The same, from a variable of that container on."""

    def apply(manifests: list[Manifest]) -> None:
        at = environment(container(manifests, name))[variable]
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = to

    return apply


def misspell_field(manifests: list[Manifest]) -> None:
    handler = container(manifests)
    handler["readinesProbe"] = handler.pop("readinessProbe")


def mount_without_volume(manifests: list[Manifest]) -> None:
    container(manifests)["volumeMounts"].append({"name": "nowhere", "mountPath": "/x"})


def drop_port_names(manifests: list[Manifest]) -> None:
    ports = pick(manifests, "Service", "collector")["spec"]["ports"]
    ports[0].pop("name")
    ports.append({"port": 8888})


def give_both_bounds(manifests: list[Manifest]) -> None:
    pick(manifests, "PodDisruptionBudget", "handler")["spec"]["minAvailable"] = 1


def drop_config_map(manifests: list[Manifest]) -> None:
    manifests.remove(pick(manifests, "ConfigMap", "rules"))


def drop_policy(manifests: list[Manifest]) -> None:
    manifests.remove(pick(manifests, "NetworkPolicy", "collector-from-handler"))


def drop_default_deny(manifests: list[Manifest]) -> None:
    manifests.remove(pick(manifests, "NetworkPolicy", "default-deny"))


def drop_headless_service(manifests: list[Manifest]) -> None:
    manifests.remove(pick(manifests, "Service", "handler-pods"))


def forget_token_above(manifests: list[Manifest]) -> None:
    env = container(manifests)["env"]
    env.remove(next(one for one in env if one["name"] == "OTLP_TOKEN"))


def forget_seccomp(manifests: list[Manifest]) -> None:
    del pod(manifests)["securityContext"]["seccompProfile"]


LABEL = "app.kubernetes.io/name"
TEMPLATE = ("spec", "template", "spec")
CRON_POD = ("spec", "jobTemplate", "spec", "template", "spec")
FAULTS: dict[str, Fault] = {
    # Against the schema, or against each other within one object.
    "misspelt field": misspell_field,
    "wrong type": change("StatefulSet", "collector", "spec", "replicas", to="two"),
    "API version that is gone": change("CronJob", "simulator", "apiVersion", to="batch/v1beta1"),
    "selector and labels differ": change(
        "StatefulSet", "handler", "spec", "selector", "matchLabels", LABEL, to="handle"
    ),
    "request above limit": change_container("handler", "resources", "requests", "memory", to="2Gi"),
    "bad quantity": change_container("handler", "resources", "limits", "memory", to="512MB!"),
    "budget with both bounds": give_both_bounds,
    "mount without volume": mount_without_volume,
    "bad schedule": change("CronJob", "simulator", "spec", "schedule", to="*/15 * * *"),
    "unknown time zone": change("CronJob", "simulator", "spec", "timeZone", to="Europe/Nowhere"),
    "job that restarts always": change(
        "CronJob", "simulator", *CRON_POD, "restartPolicy", to="Always"
    ),
    "port above 65535": change(
        "NetworkPolicy", "dns", "spec", "egress", 0, "ports", 0, "port", to=70000
    ),
    "name in capitals": change("Service", "collector", "metadata", "name", to="Collector"),
    "two ports without names": drop_port_names,
    "privileged container": change_container("handler", "securityContext", to={"privileged": True}),
    "root": change("StatefulSet", "redis", *TEMPLATE, "securityContext", "runAsUser", to=0),
    "no seccomp profile": forget_seccomp,
    "unknown access mode": change(
        "StatefulSet",
        "collector",
        "spec",
        "volumeClaimTemplates",
        0,
        "spec",
        "accessModes",
        to=["ReadWriteTwice"],
    ),
    "unknown word for spreading": change(
        "StatefulSet",
        "handler",
        *TEMPLATE,
        "topologySpreadConstraints",
        0,
        "whenUnsatisfiable",
        to="Sometimes",
    ),
    "negative group": change(
        "StatefulSet", "handler", *TEMPLATE, "securityContext", "fsGroup", to=-1
    ),
    "trigger that is no list": change(
        "ScaledObject", "handler", "spec", "triggers", to={"type": "prometheus"}
    ),
    "replicas that are no number": change(
        "ScaledObject", "handler", "spec", "maxReplicaCount", to="many"
    ),
    # Right for itself, wrong with the others: no API server sees them.
    "probe of an unknown port": change_container(
        "handler", "readinessProbe", "httpGet", "port", to="htp"
    ),
    "ConfigMap that is missing": drop_config_map,
    "key that is missing": change_variable(
        "prometheus",
        "PROMETHEUS_EXTERNAL_URL",
        "valueFrom",
        "configMapKeyRef",
        "key",
        to="EXTERNAL_URL",
    ),
    "Secret that nobody makes": change_variable(
        "handler", "ACCESS_TOKEN", "valueFrom", "secretKeyRef", "name", to="handler-secret"
    ),
    "variable that is not set above": forget_token_above,
    "variable set twice": change_variable("handler", "STATE_DIR", "name", to="PORT"),
    "service that selects nothing": change(
        "Service", "collector", "spec", "selector", LABEL, to="colector"
    ),
    "service to a port that is not there": change(
        "Service", "handler", "spec", "ports", 0, "targetPort", to="web"
    ),
    "budget that selects nothing": change(
        "PodDisruptionBudget", "collector", "spec", "selector", "matchLabels", LABEL, to="gateway"
    ),
    "policy for no pod": change(
        "NetworkPolicy",
        "collector-to-handler",
        "spec",
        "podSelector",
        "matchLabels",
        LABEL,
        to="otelcol",
    ),
    "arrow with one end": drop_policy,
    "arrow to another port": change(
        "NetworkPolicy", "redis-from-handler", "spec", "ingress", 0, "ports", 0, "port", to=6380
    ),
    "nothing denied": drop_default_deny,
    "spread by another's labels": change(
        "StatefulSet",
        "collector",
        *TEMPLATE,
        "topologySpreadConstraints",
        0,
        "labelSelector",
        "matchLabels",
        LABEL,
        to="handler",
    ),
    "pods without a service for their names": drop_headless_service,
    "address of no service": change_variable(
        "handler", "OTEL_EXPORTER_OTLP_ENDPOINT", "value", to="http://colector:4318"
    ),
    "address with another port": change_variable(
        "handler", "OTEL_EXPORTER_OTLP_ENDPOINT", "value", to="http://collector:4317"
    ),
    "fewer Collectors than are scraped": change(
        "StatefulSet", "collector", "spec", "replicas", to=1
    ),
    "file system that can be written": change_container(
        "collector", "securityContext", "readOnlyRootFilesystem", to=False
    ),
    "too little time to end": change(
        "StatefulSet", "handler", *TEMPLATE, "terminationGracePeriodSeconds", to=10
    ),
    "image by a tag that moves": change_container("redis", "image", to="redis:latest"),
    "autoscaler of nothing": change(
        "ScaledObject", "handler", "spec", "scaleTargetRef", "name", to="handlers"
    ),
}
"""By what they are called."""
