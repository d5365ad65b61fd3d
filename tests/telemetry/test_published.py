"""What `/metrics` and OTLP publish: every name of the contract, with its labels, from the start."""

from __future__ import annotations

import os

import pytest

from handler import create_app
from service.model_facts import collect_facts
from service.receipts import Receipts
from service.settings import read_settings
from telemetry.metrics import METRICS, Kind
from telemetry.providers import TelemetryError, check_variables, start
from telemetry.store.sources import AllSlots, OneSlot
from tests.conftest import FACTS, LocationRiskScorer, total

SILENT = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}

CONTRACT = {
    "predictions_total": {"class_name", "user_type", "endpoint", "risk_level"},
    "prediction_latency_seconds": set(),
    "fraud_detection_score": set(),
    "model_accuracy": {"evaluation"},
    "model_precision": {"evaluation"},
    "model_recall": {"evaluation"},
    "model_f1_score": {"evaluation"},
    "model_version": {"version", "role"},
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
    "feature_attribution_total": {"feature"},
    "served_total": {"role"},
    "challenger_requests_total": {"result"},
    "challenger_decisions_total": {"champion", "challenger"},
    "challenger_score_difference": set(),
    "challenger_share_target": set(),
    "paired_outcomes_total": {"champion", "challenger", "truth"},
    "feature_values_total": {"feature", "bin"},
    "feature_baseline_share": {"feature", "bin"},
    "score_values_total": {"bin"},
    "score_baseline_share": {"bin"},
    "baseline_rows": set(),
    "data_quality_total": {"feature", "problem"},
    "prediction_probability_total": {"class_name"},
    "prediction_uncertainty_total": {"class_name"},
    "model_decision_threshold": set(),
    "model_holdout_rows": set(),
    "model_holdout_frauds": set(),
    "model_holdout_alert_rate": set(),
    "model_holdout_mean_score": set(),
    "outcomes_total": {"role", "class_name", "truth", "user_type", "value_band"},
    "outcome_scores_total": {"truth", "bin"},
    "outcome_probability_total": {"bin"},
    "outcome_squared_error_total": set(),
    "outcome_delay_seconds": set(),
    "feedback_total": {"result"},
    "telemetry_deliveries_total": set(),
}


def test_table_is_the_contract():
    assert {metric.exposed: set(metric.labels) for metric in METRICS} == CONTRACT | MORE


ALWAYS = [metric for metric in METRICS if metric.exposed != "challenger_share_target"]


@pytest.mark.parametrize("metric", ALWAYS, ids=lambda metric: metric.exposed)
def test_metric_is_exposed_with_its_labels_before_anything_happened(client, counted, metric):
    name = metric.exposed + ("_count" if metric.kind is Kind.HISTOGRAM else "")
    text = client.get("/metrics").text
    [typed] = [line for line in text.splitlines() if line.startswith(f"# TYPE {metric.exposed} ")]
    assert typed.split()[-1] == metric.kind.value
    samples = [line for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name]
    assert samples
    for label in metric.labels:
        assert f'{label}="' in samples[0]


def test_share_of_a_challenger_is_published_where_there_is_one(tmp_path):
    facts = collect_facts(LocationRiskScorer(), LocationRiskScorer(), 0.2)
    telemetry = start(tmp_path / "other", facts, 5000, SILENT)
    assert total(telemetry.exposition.render("")[0].decode(), "challenger_share_target") == 0.2
    telemetry.close(1)


def test_series_are_exposed_once(client, valid):
    """Neither repeated scrapes nor a push may list a series twice."""
    client.post("/predict", json=valid)
    for _ in range(3):
        lines = [line.rsplit(" ", 1)[0] for line in client.get("/metrics").text.splitlines()]
    assert len(lines) == len(set(lines))


def test_buckets_spread_what_is_measured(client, valid):
    """A score of 0.2 is in the bucket up to 0.2 and not in the one up to 0.1."""
    client.post("/predict", json=valid)
    text = client.get("/metrics").text
    assert 'fraud_detection_score_bucket{le="0.1"} 0.0' in text
    assert 'fraud_detection_score_bucket{le="0.2"} 1.0' in text


def test_request_is_counted_before_it_is_answered(client, counted, valid):
    """After N answers the sum is N, at every N."""
    for answered in range(1, 6):
        client.post("/predict", json=valid)
        assert counted("http_requests_total", endpoint="/predict") == answered
        assert counted("http_request_duration_seconds_count", endpoint="/predict") == answered


def test_unknown_paths_are_one_endpoint(client, counted):
    for path in ("/a", "/b/c", "/predict/7"):
        client.get(path)
    assert counted("http_requests_total", endpoint="other", status="404") == 3


def test_who_watches_the_queue_does_not_stand_in_it(counted):
    assert counted("queue_size") == 0


def points(recorded, name):
    """The data points that this worker's push would send under an instrument's name."""
    [scope] = recorded.collect().resource_metrics[0].scope_metrics
    [metric] = [metric for metric in scope.metrics if metric.name == name]
    return metric.data.data_points


def test_push_has_every_instrument(recorded):
    [scope] = recorded.collect().resource_metrics[0].scope_metrics
    assert sorted(metric.name for metric in scope.metrics) == sorted(m.name for m in ALWAYS)


@pytest.mark.parametrize("source", [OneSlot, AllSlots], ids=["push", "/metrics"])
def test_a_collection_looks_at_the_counts_once(recorded, monkeypatch, source):
    """So that all its series are of one moment."""
    looks = []
    cells = source.cells
    monkeypatch.setattr(source, "cells", lambda self: looks.append(self) or cells(self))
    if source is OneSlot:
        recorded.collect()
    else:
        recorded.exposition.render("")
    assert len(looks) == 1


def test_push_and_exposition_agree(client, recorded, counted, valid):
    client.post("/predict", json=valid)
    pushed = sum(point.value for point in points(recorded, "predictions"))
    assert pushed == counted("predictions_total") == 1
    [latency] = points(recorded, "prediction.latency")
    assert latency.count == counted("prediction_latency_seconds_count") == 1


@pytest.mark.parametrize("name", ["prediction.latency", "fraud.detection.score"])
def test_exemplar_leads_to_the_span_that_scored(client, recorded, spans, valid, name):
    client.post("/predict", json=valid)
    [score] = [span for span in spans.get_finished_spans() if span.name == "score"]
    [exemplar] = points(recorded, name)[0].exemplars
    assert exemplar.trace_id == score.context.trace_id
    assert exemplar.span_id == score.context.span_id


def test_exemplar_is_told_once(client, recorded, spans, valid):
    client.post("/predict", json=valid)
    points(recorded, "prediction.latency")
    assert points(recorded, "prediction.latency")[0].exemplars == []


def test_instance_is_the_place_of_the_worker(recorded):
    resource = recorded.collect().resource_metrics[0].resource.attributes
    assert resource["service.name"] == "fraud-handler"
    assert resource["service.instance.id"].endswith("-0")


def test_instance_of_the_environment_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.instance.id=pod-7")
    telemetry = start(tmp_path, FACTS, 5000, {**SILENT, **os.environ})
    resource = telemetry.collect().resource_metrics[0].resource.attributes
    telemetry.close(1)
    assert resource["service.instance.id"] == "pod-7-0"


def test_disabled_sdk_exposes_nothing_and_still_answers(scorer, tmp_path, valid):
    telemetry = start(tmp_path, FACTS, 5000, {"OTEL_SDK_DISABLED": "true"})
    client = create_app(scorer, telemetry, Receipts(["key"]), read_settings({})).test_client()
    assert client.post("/predict", json=valid).status_code == 200
    assert client.get("/metrics").text.startswith("# telemetry is off")
    assert client.get("/health").json["total_predictions"] == 1
    telemetry.close(1)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "must be http/protobuf, got 'grpc'"),
        ("OTEL_METRICS_EXPORTER", "console", "must be otlp or none, got 'console'"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "must be otlp or none, got 'zipkin'"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "15s", "whole number of milliseconds"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1", "at least 100"),
    ],
)
def test_variable_that_cannot_be_used_is_named(name, value, says):
    with pytest.raises(TelemetryError, match=f"{name}.*{says}"):
        check_variables({name: value})
