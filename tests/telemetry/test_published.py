"""What `/metrics` and OTLP publish: every name of the contract, with its labels, from the start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from opentelemetry.sdk.metrics.export import HistogramDataPoint, NumberDataPoint
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from handler import create_app
from service.model_metadata import describe_models
from service.receipts import Receipts
from service.settings import read_settings
from telemetry.lifecycle import Telemetry, start
from telemetry.metrics import METRICS, Kind, Metric
from telemetry.store.slots import Cells
from telemetry.store.sources import AllSlots, OneSlot
from tests.conftest import FACTS, LocationRiskScorer, total

SILENT = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}

CONTRACT = {
    "predictions_total": {"class_name", "user_type", "endpoint", "risk_level"},
    "prediction_latency_seconds": set(),
    "fraud_detection_score": set(),
    "model_accuracy": {"evaluation", "version_slot"},
    "model_precision": {"evaluation", "version_slot"},
    "model_recall": {"evaluation", "version_slot"},
    "model_f1_score": {"evaluation", "version_slot"},
    "model_version": {"version", "role", "version_slot"},
    "model_last_training_timestamp": set(),
    "feature_importance": {"feature", "source"},
    "system_cpu_usage_percent": set(),
    "system_memory_usage_percent": set(),
    "system_disk_usage_percent": set(),
    "http_requests_total": {"method", "endpoint", "status"},
    "http_request_duration_seconds": {"method", "endpoint"},
    "transaction_value_euros": {"value_band"},
    "throughput_requests_per_second": set(),
    "queue_size": set(),
    "errors_total": {"type", "endpoint"},
}
# Beside the contract: what later questions need.
MORE = {
    "feature_attribution_total": {"feature", "direction", "version_slot"},
    "explanations_total": {"version_slot"},
    "feature_holdout_contribution": {"feature", "version_slot"},
    "served_total": {"role"},
    "expected_served_total": {"role"},
    "split_transactions_total": {"role", "bucket"},
    "challenger_requests_total": {"result"},
    "challenger_decisions_total": {"champion", "challenger"},
    "challenger_score_difference": set(),
    "challenger_share_target": set(),
    "paired_outcomes_total": {"champion", "challenger", "truth"},
    "paired_predictions_total": {"champion", "challenger", "cohort"},
    "paired_cohort_outcomes_total": {"champion", "challenger", "truth", "cohort"},
    "feature_values_total": {"feature", "bin", "version_slot"},
    "feature_baseline_share": {"feature", "bin", "range", "version_slot"},
    "score_values_total": {"bin", "version_slot"},
    "score_baseline_share": {"bin", "range", "version_slot"},
    "baseline_rows": {"version_slot"},
    "data_quality_total": {"feature", "problem"},
    "prediction_probability_total": {"class_name", "version_slot"},
    "prediction_uncertainty_total": {"class_name", "version_slot"},
    "model_decision_threshold": set(),
    "model_holdout_rows": {"version_slot"},
    "model_holdout_frauds": {"version_slot"},
    "model_holdout_alert_rate": {"version_slot"},
    "model_holdout_mean_score": {"version_slot"},
    "outcomes_total": {"role", "class_name", "truth", "user_type", "value_band", "version_slot"},
    "outcome_scores_total": {"truth", "bin", "version_slot"},
    "outcome_probability_total": {"bin", "version_slot"},
    "outcome_squared_error_total": {"version_slot"},
    "outcome_delay_seconds": set(),
    "feedback_total": {"result"},
    "telemetry_deliveries_total": set(),
    "request_traces_total": {"result"},
    "champion_decisions_total": {"class_name", "version_slot"},
    "champion_answers_total": {"class_name", "version_slot"},
    "outcome_ages_total": {"class_name", "truth", "age", "version_slot"},
    "followed_rows_total": {"window"},
    "feature_calendar": {"feature", "version_slot"},
    "followed_row_pairs_total": {"window", "source"},
}


# These names and labels are what people query: they are added to, and never changed.
PUBLISHED = CONTRACT | MORE


def test_table_is_the_contract() -> None:
    assert {metric.exposed: set(metric.labels) for metric in METRICS} == PUBLISHED


ALWAYS = [metric for metric in METRICS if metric.exposed != "challenger_share_target"]


@pytest.mark.parametrize("metric", ALWAYS, ids=lambda metric: metric.exposed)
def test_metric_is_exposed_with_its_labels_before_anything_happened(
    client: FlaskClient, counted: Callable[..., float], metric: Metric
) -> None:
    name = metric.exposed + ("_count" if metric.kind is Kind.HISTOGRAM else "")
    text = client.get("/metrics").text
    [typed] = [line for line in text.splitlines() if line.startswith(f"# TYPE {metric.exposed} ")]
    assert typed.split()[-1] == metric.kind.value
    samples = [line for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name]
    assert samples
    for label in metric.labels:
        assert f'{label}="' in samples[0]


def test_share_of_a_challenger_is_published_where_there_is_one(tmp_path: Path) -> None:
    facts = describe_models(LocationRiskScorer(), LocationRiskScorer(), 0.2)
    telemetry = start(tmp_path / "other", facts, 5000, SILENT)
    assert total(render(telemetry), "challenger_share_target") == 0.2
    telemetry.close(1)


def test_series_are_exposed_once(client: FlaskClient, valid: dict[str, object]) -> None:
    """Neither repeated scrapes nor a push may list a series twice."""
    client.post("/predict", json=valid)
    for _ in range(3):
        lines = [line.rsplit(" ", 1)[0] for line in client.get("/metrics").text.splitlines()]
    assert len(lines) == len(set(lines))


def test_buckets_spread_what_is_measured(client: FlaskClient, valid: dict[str, object]) -> None:
    """A score of 0.2 is in the bucket up to 0.2 and not in the one up to 0.1."""
    client.post("/predict", json=valid)
    text = client.get("/metrics").text
    assert 'fraud_detection_score_bucket{le="0.1"} 0.0' in text
    assert 'fraud_detection_score_bucket{le="0.2"} 1.0' in text


def test_request_is_counted_before_it_is_answered(
    client: FlaskClient, counted: Callable[..., float], valid: dict[str, object]
) -> None:
    """After N answers the sum is N, at every N."""
    for answered in range(1, 6):
        client.post("/predict", json=valid)
        assert counted("http_requests_total", endpoint="/predict") == answered
        assert counted("http_request_duration_seconds_count", endpoint="/predict") == answered


def test_unknown_paths_are_one_endpoint(client: FlaskClient, counted: Callable[..., float]) -> None:
    for path in ("/a", "/b/c", "/predict/7"):
        client.get(path)
    assert counted("http_requests_total", endpoint="other", status="404") == 3


def test_who_watches_the_queue_does_not_stand_in_it(counted: Callable[..., float]) -> None:
    assert counted("queue_size") == 0


def find_points(recorded: Telemetry, name: str) -> list[NumberDataPoint | HistogramDataPoint]:
    """The data points that this worker's push would send under an instrument's name."""
    [scope] = recorded.collect().resource_metrics[0].scope_metrics
    [metric] = [metric for metric in scope.metrics if metric.name == name]
    return [
        point
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint | HistogramDataPoint)
    ]


def find_histogram(recorded: Telemetry, name: str) -> HistogramDataPoint:
    """The one data point of a histogram without labels."""
    [point] = find_points(recorded, name)
    assert isinstance(point, HistogramDataPoint)
    return point


def sum_values(recorded: Telemetry, name: str) -> float:
    """The sum over a counter's data points."""
    points = find_points(recorded, name)
    return sum(point.value for point in points if isinstance(point, NumberDataPoint))


def render(telemetry: Telemetry) -> str:
    """What `/metrics` shows."""
    assert telemetry.exposition is not None
    return telemetry.exposition.render("")[0].decode()


def test_push_has_every_instrument(recorded: Telemetry) -> None:
    [scope] = recorded.collect().resource_metrics[0].scope_metrics
    assert sorted(metric.name for metric in scope.metrics) == sorted(m.name for m in ALWAYS)


@pytest.mark.parametrize("source", [OneSlot, AllSlots], ids=["push", "/metrics"])
def test_a_collection_takes_one_snapshot_of_the_counts(
    recorded: Telemetry, monkeypatch: pytest.MonkeyPatch, source: type[OneSlot] | type[AllSlots]
) -> None:
    """So that all its series are of one moment."""
    snapshots = []
    cells = source.cells

    def count(self: Any) -> Cells:
        snapshots.append(self)
        return cells(self)

    monkeypatch.setattr(source, "cells", count)
    if source is OneSlot:
        recorded.collect()
    else:
        render(recorded)
    assert len(snapshots) == 1


def test_push_and_exposition_agree(
    client: FlaskClient,
    recorded: Telemetry,
    counted: Callable[..., float],
    valid: dict[str, object],
) -> None:
    client.post("/predict", json=valid)
    assert sum_values(recorded, "predictions") == counted("predictions_total") == 1
    latency = find_histogram(recorded, "prediction.latency")
    assert latency.count == counted("prediction_latency_seconds_count") == 1


@pytest.mark.parametrize("name", ["prediction.latency", "fraud.detection.score"])
def test_exemplar_leads_to_the_span_that_scored(
    client: FlaskClient,
    recorded: Telemetry,
    spans: InMemorySpanExporter,
    valid: dict[str, object],
    name: str,
) -> None:
    client.post("/predict", json=valid)
    [score] = [span for span in spans.get_finished_spans() if span.name == "score"]
    [exemplar] = find_histogram(recorded, name).exemplars
    assert score.context is not None
    assert exemplar.trace_id == score.context.trace_id
    assert exemplar.span_id == score.context.span_id


def test_exemplar_is_exported_once(
    client: FlaskClient, recorded: Telemetry, spans: InMemorySpanExporter, valid: dict[str, object]
) -> None:
    client.post("/predict", json=valid)
    find_histogram(recorded, "prediction.latency")
    assert find_histogram(recorded, "prediction.latency").exemplars == []


def test_disabled_sdk_exposes_nothing_and_still_answers(
    scorer: LocationRiskScorer, tmp_path: Path, valid: dict[str, object]
) -> None:
    telemetry = start(tmp_path, FACTS, 5000, {"OTEL_SDK_DISABLED": "true"})
    client = create_app(scorer, telemetry, Receipts(["key"]), read_settings({})).test_client()
    assert client.post("/predict", json=valid).status_code == 200
    assert client.get("/metrics").text.startswith("# telemetry is off")
    assert client.get("/health").get_json()["total_predictions"] == 1
    telemetry.close(1)
