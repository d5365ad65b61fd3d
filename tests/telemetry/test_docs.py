"""docs/telemetry.md agrees with the code: metrics, labels, spans, logs, variables."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from model.argument_groups import DEFAULT_ROWS, DEFAULT_SEED
from model.data.dataset import make_synthetic_dataset
from model.training.describe import count_deciles
from telemetry import metrics
from telemetry.docs import FEATURE_BINS, PAGE, regenerate, series_at_most, series_at_start
from telemetry.export import private_hosts
from telemetry.logs import FIELDS
from telemetry.metrics import METRICS, Kind, Metric

TEXT = PAGE.read_text()


def test_page_is_current() -> None:
    assert regenerate(TEXT) == TEXT, "docs/telemetry.md is not current: run 'make generate'"


def test_page_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="begin"):
        regenerate("# Telemetry")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.exposed)
def test_metric_is_listed_with_its_unit_and_meaning(metric: Metric) -> None:
    [row] = [line for line in TEXT.splitlines() if line.startswith(f"| `{metric.exposed}` | `")]
    assert f"`{metric.name}`" in row
    assert f"| {metric.meaning} |" in row
    assert not metric.unit or f"`{metric.unit}`" in row


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.exposed)
def test_series_at_start_are_those_that_metrics_shows(client: FlaskClient, metric: Metric) -> None:
    """The stated number is counted on a service that has done nothing."""
    suffixes = ("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",)
    names = {metric.exposed + suffix for suffix in suffixes}
    lines = client.get("/metrics").text.splitlines()
    shown = sum(line.split("{")[0].split(" ")[0] in names for line in lines)
    assert shown == series_at_start(metric)
    assert series_at_start(metric) <= series_at_most(metric)


def test_bins_are_those_of_the_default_models_data() -> None:
    data = make_synthetic_dataset(DEFAULT_ROWS, DEFAULT_SEED)
    known = data.features[data.split.known]
    bins = [len(count_deciles(column).shares) for column in known.T]
    names = [column.name for column in data.columns]
    assert dict(zip(names, bins, strict=True)) == FEATURE_BINS


def test_label_whose_values_differ_by_metric_has_a_row_for_each() -> None:
    """`result` is one thing in feedback_total and another in challenger_requests_total."""
    rows = re.findall(r"^\| `result` \| (.*) \| `(\w+)` \|$", TEXT, re.MULTILINE)
    assert {name: tuple(values.split(", ")) for values, name in rows} == {
        "feedback_total": metrics.FEEDBACK_RESULTS,
        "request_traces_total": metrics.TRACE_RESULTS,
        "challenger_requests_total": metrics.CHALLENGER_RESULTS,
    }


@pytest.mark.parametrize("name", [name for name in vars(metrics) if name.startswith("ATTRIBUTE_")])
def test_span_attribute_is_listed(name: str) -> None:
    assert f"`{getattr(metrics, name)}`" in section("Spans")


@pytest.mark.parametrize("span", [metrics.SPAN_SCORE, metrics.SPAN_VALIDATE])
def test_span_is_listed(span: str) -> None:
    assert f"| `{span}` |" in section("Spans")


@pytest.mark.parametrize("field", FIELDS)
def test_log_field_is_listed(field: str) -> None:
    assert f"`{field}`" in section("Logs")


def test_private_names_are_listed() -> None:
    documented = set(re.findall(r"`(\.[a-z.]+)`", section("How it is exported")))
    assert documented == set(private_hosts.PRIVATE_DOMAINS)


def section(title: str) -> str:
    """What stands under the heading, up to the next of its kind."""
    [found] = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    return str(found)
