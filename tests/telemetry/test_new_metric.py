"""A new metric is complete: each place that was forgotten is named in a sentence.

The places are those of the recipe 'add a metric' in CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, generate_latest

from telemetry import metrics
from telemetry.docs import PAGE
from telemetry.metrics import METRICS, Kind, Metric
from telemetry.recorder import Recorder
from tests.telemetry.test_published import PUBLISHED

ROOT = Path(__file__).parents[2]
DECLARED = {name: value for name, value in vars(metrics).items() if isinstance(value, Metric)}
# The labels whose values come from the model card, so that the table cannot list them.
OF_THE_CARD = {"feature", "bin", "range", "version"}


def names_in(*patterns: str) -> set[str]:
    """Every name and attribute that the code of these files uses."""
    files = [file for pattern in patterns for file in (ROOT / "telemetry").rglob(pattern)]
    nodes = [node for file in files for node in ast.walk(ast.parse(file.read_text()))]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in nodes if isinstance(node, ast.Name)}


COUNTED = names_in("recorder.py", "*_counts.py", "repeats.py", "export_numbers.py")
OBSERVED = names_in("gauges.py")


def find_forgotten(name: str, metric: Metric) -> list[str]:
    """A sentence for each place that lacks the metric; `name` is its constant."""
    return [
        *_find_forgotten_values(name, metric),
        *_find_forgotten_declarations(metric),
        *_find_forgotten_pages(metric),
    ]


def _find_forgotten_values(name: str, metric: Metric) -> list[str]:
    if metric.kind is Kind.GAUGE:
        if name not in OBSERVED:
            return [f"{name} has no value: observe it in telemetry/export/gauges.py"]
    elif name not in COUNTED:
        return [f"{name} is counted nowhere: count it in telemetry/recorder.py"]
    return []


def _find_forgotten_declarations(metric: Metric) -> list[str]:
    said = [
        f"label {label} of {metric.name} has no closed set: list its values in telemetry/metrics.py"
        for label, values in metric.labels.items()
        if not values and label not in OF_THE_CARD
    ]
    if metric.kind is Kind.HISTOGRAM and not metric.bounds:
        said.append(f"{metric.name} has no buckets: give it bounds in telemetry/metrics.py")
    if (shown := expose(metric)) != metric.exposed:
        said.append(
            f"{metric.name} is shown as {shown}:"
            " write that in telemetry/metrics.py, or another unit"
        )
    return said


def _find_forgotten_pages(metric: Metric) -> list[str]:
    said = []
    if f"| `{metric.exposed}` |" not in PAGE.read_text():
        said.append(f"{metric.exposed} is not in docs/telemetry.md: run 'make generate'")
    if PUBLISHED.get(metric.exposed) != set(metric.labels):
        said.append(
            f"{metric.exposed} with its labels is not among the published names of"
            " tests/telemetry/test_published.py: add it there, and a test that counts one"
        )
    return said


def expose(metric: Metric) -> str:
    """The name that Prometheus shows for an instrument with this name, kind and unit."""
    registry = CollectorRegistry()
    reader = PrometheusMetricReader(
        disable_target_info=True, scope_info_enabled=False, registry=registry
    )
    provider = MeterProvider([reader], Resource({}), shutdown_on_exit=False)
    meter = provider.get_meter("test")
    if metric.kind is Kind.COUNTER:
        meter.create_counter(metric.name, metric.unit).add(1)
    elif metric.kind is Kind.HISTOGRAM:
        meter.create_histogram(metric.name, metric.unit).record(1)
    else:
        meter.create_gauge(metric.name, metric.unit).set(1)
    [found] = re.findall(r"^# TYPE (\S+) ", generate_latest(registry).decode(), re.MULTILINE)
    provider.shutdown()
    return str(found)


@pytest.mark.parametrize("name", DECLARED)
def test_nothing_is_forgotten(name: str) -> None:
    forgotten = find_forgotten(name, DECLARED[name])
    assert not forgotten, "\n".join(forgotten)


def test_table_is_collected_from_the_declarations_in_their_order() -> None:
    assert tuple(DECLARED.values()) == METRICS
    assert len({metric.name for metric in METRICS}) == len(METRICS)


METHODS = [name for name, _ in inspect.getmembers(Recorder, inspect.isfunction)]


@pytest.mark.parametrize("method", [name for name in METHODS if not name.startswith("_")])
def test_everything_that_the_recorder_counts_is_counted_by_the_service(method: str) -> None:
    rooms = [*(ROOT / "service").rglob("*.py"), *(ROOT / "telemetry").rglob("*.py")]
    files = [ROOT / "handler.py", *(file for file in rooms if file.name != "recorder.py")]
    called = any(re.search(rf"\.{method}\b", file.read_text()) for file in files)
    assert called, f"Recorder.{method} is called nowhere: call it in service/"


COUNTER = Metric("new.events", "new_events_total", Kind.COUNTER, "{event}", "What is new.")


@pytest.mark.parametrize(
    ("metric", "says"),
    [
        (COUNTER, "NEW is counted nowhere: count it in telemetry/recorder.py"),
        (
            replace(COUNTER, kind=Kind.GAUGE, exposed="new_events"),
            "NEW has no value: observe it in telemetry/export/gauges.py",
        ),
        (
            replace(COUNTER, kind=Kind.HISTOGRAM, exposed="new_events"),
            "new.events has no buckets: give it bounds in telemetry/metrics.py",
        ),
        (
            replace(COUNTER, labels={"customer": ()}),
            "label customer of new.events has no closed set:"
            " list its values in telemetry/metrics.py",
        ),
        (
            replace(COUNTER, unit="s"),
            "new.events is shown as new_events_seconds_total:"
            " write that in telemetry/metrics.py, or another unit",
        ),
        (COUNTER, "new_events_total is not in docs/telemetry.md: run 'make generate'"),
        (
            replace(metrics.FEEDBACK, labels={"result": ("counted",), "reason": ("none",)}),
            "feedback_total with its labels is not among the published names of"
            " tests/telemetry/test_published.py: add it there, and a test that counts one",
        ),
    ],
    ids=["counter", "gauge", "buckets", "label", "name", "docs", "published"],
)
def test_forgotten_place_is_named(metric: Metric, says: str) -> None:
    assert says in find_forgotten("NEW", metric)
