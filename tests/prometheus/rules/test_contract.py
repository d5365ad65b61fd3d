"""The rules read what the handler declares: names and labels of telemetry/metrics.py."""

from __future__ import annotations

import re

import pytest
import yaml

from prometheus.generator.generate import FOLDER
from telemetry.metrics import METRICS, Kind

OF_THE_STACK = re.compile(r"up|(otelcol|alertmanager|prometheus)_\w+")
SELECTOR = re.compile(r"(?<![\w:\"])([a-z][a-z0-9_]*)(\{[^}]*\})?(?:\[|(?<=\}))")
EXPRESSIONS = [
    rule["expr"]
    for path in sorted(FOLDER.glob("*.yml"))
    for group in yaml.safe_load(path.read_text())["groups"]
    for rule in group["rules"]
]
READ = sorted({found for expr in EXPRESSIONS for found in SELECTOR.findall(expr)})
DECLARED = {
    metric.exposed + suffix: metric
    for metric in METRICS
    for suffix in (("_bucket", "_count", "_sum") if metric.kind is Kind.HISTOGRAM else ("",))
}


@pytest.mark.parametrize(("name", "chosen"), READ)
def test_series_that_rules_read_are_declared(name: str, chosen: str) -> None:
    """A metric that is renamed, or a label value that cannot be, would make a rule silent."""
    if OF_THE_STACK.fullmatch(name):
        return
    assert name in DECLARED
    labels = dict(re.findall(r'(\w+)="([^"]*)"', chosen))
    declared = DECLARED[name].labels
    for label, value in labels.items():
        if label == "le":
            bounds = [f"{bound:g}" for bound in DECLARED[name].bounds]
            assert value in bounds
        else:
            assert value in declared[label], f"{label} of {name} is one of {declared[label]}"


def test_what_is_read_is_found() -> None:
    """The search for selectors finds what is known to be there."""
    names = {name for name, _ in READ}
    assert {
        "feature_values_total",
        "outcomes_total",
        "http_request_duration_seconds_bucket",
    } <= names
