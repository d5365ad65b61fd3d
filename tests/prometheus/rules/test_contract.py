"""The rules read what the handler declares: names and labels of telemetry/metrics.py.

A metric that is renamed, a label that is gone or a value that cannot be would make a rule silent.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

import pytest

from prometheus.generator.alerts.telemetry import OF_THE_STACK
from prometheus.generator.recordings.quality import MEASURES
from telemetry.metrics import METRICS, Kind
from tests.lab.rules import read_rules, recorded_names

# Of the programs of the stack, not of the handler.
FOREIGN = re.compile(r"up|probe_success|(otelcol|alertmanager|prometheus)_\w+")
FOREIGN_LABELS = {"job", "instance", "exporter", "integration", "receiver"}
FOREIGN_JOBS = set(OF_THE_STACK.split("|"))
WORDS = {
    "abs", "and", "bool", "by", "changes", "clamp", "clamp_max", "clamp_min", "count",
    "count_over_time", "exp", "group_left", "histogram_quantile", "increase", "label_replace",
    "last_over_time", "ln", "log2", "max", "max_over_time", "min_over_time", "offset", "on", "or",
    "predict_linear", "rate", "resets", "sqrt", "sum", "sum_over_time", "time", "timestamp",
    "unless", "vector",
}  # fmt: skip
DECLARED = {
    metric.exposed + suffix: metric
    for metric in METRICS
    for suffix in (("_bucket", "_count", "_sum") if metric.kind is Kind.HISTOGRAM else ("",))
}


TOKEN = re.compile(r'"[^"]*"|{[^}]*}|\[[^]]*]|[a-z_][\w:]*|\d[\w.]*(?:[+-]\d+)?|\S')


@dataclass(frozen=True)
class Read:
    """What an expression reads: series with their matchers, and the names of labels."""

    series: list[tuple[str, str]] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)


def parse(expression: str) -> Read:
    """As far as the few forms of PromQL go that the rules have."""
    read, tokens = Read(), TOKEN.findall(expression)
    # Strings outside of matchers belong to label_replace: target, replacement, source, pattern.
    strings = [token.strip('"') for token in tokens if token.startswith('"')]
    read.labels.update({*strings[0::4], *strings[2::4]} - {""})
    in_list = False
    for before, token, after in zip(["", *tokens], tokens, [*tokens[1:], ""], strict=False):
        if token == "(":
            in_list = before in ("by", "on", "group_left")
        elif token == ")":
            in_list = False
        elif in_list and token != ",":
            read.labels.add(token)
        elif token[0] == "{" and not before[:1].isalpha():
            read.series.append(("", token))
        elif (token[0].isalpha() or token[0] == "_") and token not in WORDS:
            read.series.append((token, after if after.startswith("{") else ""))
    return read


def matchers_of(chosen: str) -> list[tuple[str, str]]:
    """Label and value of each matcher; a choice of values one by one."""
    found = re.findall(r'(\w+)(=~|!~|!=|=)"([^"]*)"', chosen)
    return [
        (label, each)
        for label, operator, value in found
        for each in (value.split("|") if "~" in operator else [value])
    ]


RULES = read_rules()
READ = [parse(rule["expr"]) for rule in RULES]
SERIES = sorted({found for read in READ for found in read.series})
RECORDED = recorded_names()


def _known_values() -> dict[str, set[str]]:
    """The closed set of each label: as declared, and as the rules themselves set it."""
    found: dict[str, set[str]] = defaultdict(set)
    for metric in METRICS:
        for label, values in metric.labels.items():
            found[label] |= set(values)
        found["le"] |= {f"{bound:g}" for bound in metric.bounds}
    for rule in RULES:
        for label, value in rule.get("labels", {}).items():
            found[label].add(value)
    found["job"] = FOREIGN_JOBS
    return found


VALUES = _known_values()


@pytest.mark.parametrize(("name", "chosen"), SERIES)
def test_series_that_rules_read_are_declared_or_recorded(name: str, chosen: str) -> None:
    """And each of their matchers has a label and a value that can be."""
    matchers = matchers_of(chosen)
    if FOREIGN.fullmatch(name):
        assert {label for label, _ in matchers} <= FOREIGN_LABELS
        return
    if not name:
        assert ("__name__", ".+") in matchers
        return
    assert name in DECLARED or name in RECORDED, f"{name} is neither declared nor recorded"
    for label, value in matchers:
        if name in DECLARED and name not in RECORDED:
            assert label in (*DECLARED[name].labels, "le"), f"{name} has no label {label}"
        if re.fullmatch(r"\d\.\.", value):
            assert [each for each in VALUES[label] if re.fullmatch(value, each)]
        else:
            assert value in VALUES[label], f"{label} is one of {sorted(VALUES[label])}"


def test_labels_that_rules_name_exist() -> None:
    """In `by`, `on` and label_replace: of a metric, of the stack, or set by a rule."""
    set_by_rules = {"value", "window", "why"}
    named = set().union(*(read.labels for read in READ))
    assert named <= VALUES.keys() | FOREIGN_LABELS | set_by_rules


def test_bounds_of_a_histogram_are_declared() -> None:
    """A promise about a duration that is no bound of the histogram would count nothing."""
    for name, chosen in SERIES:
        for label, value in matchers_of(chosen):
            if label == "le":
                assert value in [f"{bound:g}" for bound in DECLARED[name].bounds]


def test_labels_that_rules_set_are_closed_sets() -> None:
    """A value that a rule adds is a new one of a label of its own, or one that is published."""
    own = {
        "measure": {*MEASURES, "f1_score"},
        "segment": {"all", "user_type", "value_band"},
        "value": {"all"},
        "evaluation": {"live", "expected"},
        "source": {"live"},
        "severity": {"page", "ticket", "none"},
    }
    for rule in RULES:
        for label, value in rule.get("labels", {}).items():
            assert label == "slo" or value in own[label], (label, value)


def test_what_is_read_is_found() -> None:
    """The search finds what is known to be there."""
    names = {name for name, _ in SERIES}
    assert {
        "feature_values_total",
        "outcomes_total",
        "http_request_duration_seconds_bucket",
        "model_version",
        "queue_size",
        "job:holdout:share",
    } <= names
    assert names - {"", *DECLARED, *RECORDED} == {n for n in names if FOREIGN.fullmatch(n)}
    read = parse('sum by (job, bin) (increase(a_total{truth="fraud", bin=~"01|02"}[5m])) > 1e-3')
    assert read == Read([("a_total", '{truth="fraud", bin=~"01|02"}')], {"job", "bin"})
