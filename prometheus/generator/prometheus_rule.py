"""The rules as an object of the Prometheus operator: what a cluster with an operator is given."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prometheus.generator.rule import HEADER, RuleFile, to_yaml

PATH = Path("deploy/kubernetes/overlays/operator/prometheus-rule.yaml")


def render(files: Iterable[RuleFile]) -> str:
    """A PrometheusRule with every group of the files, in their order."""
    manifest: dict[str, Any] = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "fraud-monitoring"},
        "spec": {"groups": [group.to_dict() for file in files for group in file.groups]},
    }
    about = "The rules of prometheus/rules/, for the Prometheus operator."
    return HEADER.format(about=about) + to_yaml(manifest)
