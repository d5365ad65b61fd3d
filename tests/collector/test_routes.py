"""The same series with the same labels, whichever route is taken."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.lab.fixtures import MakeCollector
from tests.lab.grafana_cloud import both_settings, cloud_settings
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus, Series
from tests.lab.sdk_worker import SdkWorker, sdk_worker

pytestmark = pytest.mark.stack

NAMESPACE, ENVIRONMENT = "service.namespace", "deployment.environment.name"

# The contract's names, and the labels that each has beside job and instance (and le).
CONTRACT = {
    "predictions_total": {"class_name", "user_type", "endpoint", "risk_level"},
    "errors_total": {"type", "endpoint"},
    "http_request_duration_seconds_bucket": {"method", "endpoint"},
    "http_request_duration_seconds_count": {"method", "endpoint"},
    "http_request_duration_seconds_sum": {"method", "endpoint"},
    "fraud_detection_score_bucket": set(),
    "fraud_detection_score_count": set(),
    "fraud_detection_score_sum": set(),
    "transaction_value_euros_bucket": {"value_band"},
    "transaction_value_euros_count": {"value_band"},
    "transaction_value_euros_sum": {"value_band"},
    "model_accuracy": {"evaluation"},
    "system_cpu_usage_percent": set(),
    "throughput_requests_per_second": set(),
}  # fmt: skip


def count_one_of_each(worker: SdkWorker) -> None:
    """One measurement with each instrument, within a sampled span."""
    with worker.tracer.start_as_current_span("POST /predict"):
        worker.predict(7)
        worker.predict(2, "fraud")
        worker.errors.add(3, {"type": "missing_field", "endpoint": "/predict"})
        worker.duration.record(0.02, {"method": "POST", "endpoint": "/predict"})
        worker.score.record(0.7)
        worker.value.record(120.0, {"value_band": "low"})
    assert worker.push()


def names_and_labels(series: set[Series]) -> dict[str, set[str]]:
    """Each name with its labels, without those that every series of a handler has."""
    found: dict[str, set[str]] = {}
    for each in series:
        labels = dict(each)
        found.setdefault(labels.pop("__name__"), set()).update(
            set(labels) - {"job", "instance", "le"}
        )
    return found


def wait_for_counts(target: Prometheus) -> None:
    """Returns when the worker's last measurement is stored."""
    until(lambda: target.number("sum(predictions_total)") == 9, 20, "the counts are stored")


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
def test_routes_store_the_same_series(
    make_collector: MakeCollector, prometheus: Prometheus, cloud: Prometheus, metrics: str
) -> None:
    """On `both`, names, labels, values and times are equal in both targets."""
    running = make_collector(**both_settings(prometheus.url, cloud.url, metrics)).start()
    with sdk_worker(running.endpoint) as worker:
        count_one_of_each(worker)
        wait_for_counts(prometheus)
        wait_for_counts(cloud)
    everything = '{job="fraud-handler"}'
    assert names_and_labels(prometheus.series()) == CONTRACT
    assert prometheus.series() == cloud.series()
    assert prometheus.samples(everything) == cloud.samples(everything)
    assert prometheus.series('{__name__=~"target_info|otel_scope.*"}') == set()
    assert cloud.series('{__name__=~"target_info|otel_scope.*"}') == set()


@pytest.mark.parametrize(
    ("attributes", "job"),
    [
        ({ENVIRONMENT: "staging"}, "staging/fraud-handler"),
        ({NAMESPACE: "bank"}, "bank/fraud-handler"),
        ({NAMESPACE: "bank", ENVIRONMENT: "staging"}, "bank/staging/fraud-handler"),
    ],
    ids=["environment", "namespace", "both"],
)
def test_environments_are_other_jobs_on_every_route(
    make_collector: MakeCollector,
    prometheus: Prometheus,
    cloud: Prometheus,
    attributes: dict[str, str],
    job: str,
) -> None:
    """The environment is in `job`, beside a namespace, and nowhere else; others are as before."""
    running = make_collector(**both_settings(prometheus.url, cloud.url, "remote-write")).start()
    staging = SdkWorker(running.endpoint, "pod-0", attributes=attributes)
    staging.predict(5)
    assert staging.push()
    staging.close()
    with sdk_worker(running.endpoint) as worker:
        worker.predict(4)
        assert worker.push()
        wait_for_counts(prometheus)
        wait_for_counts(cloud)
    for target in (prometheus, cloud):
        found = {dict(each)["job"] for each in target.series('{__name__="predictions_total"}')}
        assert found == {"fraud-handler", job}
    everything = '{job=~".*fraud-handler"}'
    assert prometheus.series(everything) == cloud.series(everything)


@pytest.mark.parametrize("route", ["local", "grafana-cloud"])
def test_single_route_reaches_its_target_alone(
    make_collector: MakeCollector, prometheus: Prometheus, cloud: Prometheus, route: str
) -> None:
    """`local` stores nothing in the cloud and `grafana-cloud` nothing locally."""
    running = make_collector(
        OTEL_COLLECTOR_ROUTE=route,
        PROMETHEUS_URL=prometheus.url,
        **cloud_settings(cloud.url, "remote-write"),
    ).start()
    target, other = (prometheus, cloud) if route == "local" else (cloud, prometheus)
    with sdk_worker(running.endpoint) as worker:
        count_one_of_each(worker)
        wait_for_counts(target)
    assert names_and_labels(target.series()) == CONTRACT
    assert other.series() == set()
    instance = {("instance", "laptop-0"), ("job", "fraud-handler")}
    assert all(instance <= set(each) for each in target.series())


@pytest.mark.parametrize("metrics", ["remote-write", "otlp"])
def test_exemplars_arrive_with_their_trace(
    make_collector: MakeCollector, prometheus: Prometheus, cloud: Prometheus, metrics: str
) -> None:
    """A histogram's exemplar carries the id of the trace that was active, in both targets."""
    running = make_collector(**both_settings(prometheus.url, cloud.url, metrics)).start()
    with sdk_worker(running.endpoint) as worker:
        with worker.tracer.start_as_current_span("POST /predict") as span:
            worker.score.record(0.7)
        worker.predict(9)
        assert worker.push()
        wait_for_counts(prometheus)
        wait_for_counts(cloud)
    trace_id = format(span.get_span_context().trace_id, "032x")
    for target in (prometheus, cloud):
        found = target.exemplars("fraud_detection_score_bucket")
        assert [each["labels"]["trace_id"] for each in found] == [trace_id]


def test_delta_metric_does_not_take_the_others_with_it(
    make_collector: MakeCollector, prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prometheus refuses a whole request for one delta metric; it is dropped before, alone."""
    running = make_collector(PROMETHEUS_URL=prometheus.url).start()
    with monkeypatch.context() as patched:
        preference = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
        patched.setenv(preference, "DELTA")
        wrong = SdkWorker(running.endpoint, "wrong-0")
    with sdk_worker(running.endpoint) as worker:
        wrong.predict(5)
        worker.predict(9)
        assert wrong.push()
        assert worker.push()
        wait_for_counts(prometheus)
        wrong.close()
    assert prometheus.series('predictions_total{instance="wrong-0"}') == set()
    assert prometheus.series('model_accuracy{instance="wrong-0"}')


def foreign_request(name: str, key: str = "kind", metric_type: str = "gauge") -> dict[str, Any]:
    """OTLP/JSON of some other sender: an ordinary metric of now, and one with these words in it."""
    point = {"timeUnixNano": str(time.time_ns()), "asDouble": 1.0}
    point |= {"attributes": [{"key": key, "value": {"stringValue": "x"}}]}
    metrics = [
        {"name": "ordinary", "gauge": {"dataPoints": [point | {"attributes": []}]}},
        {"name": name, metric_type: {"dataPoints": [point]}},
    ]
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}


@pytest.mark.parametrize(
    "words",
    [
        {"name": ""},
        {"name": "%%"},
        {"name": "foreign", "key": ""},
        {"name": "foreign", "key": "%%"},
        {"name": "foreign", "metric_type": "unheard_of"},
    ],
    ids=["no name", "unusable name", "no label name", "unusable label name", "no type"],
)
def test_metric_that_cannot_be_stored_does_not_take_the_others_with_it(
    make_collector: MakeCollector, prometheus: Prometheus, words: dict[str, str]
) -> None:
    """Prometheus answers 500 to all that is sent with it, for ever: it is left out before."""
    running = make_collector(PROMETHEUS_URL=prometheus.url).start()
    with sdk_worker(running.endpoint) as worker:
        url = f"{running.endpoint}/v1/metrics"
        assert requests.post(url, json=foreign_request(**words), timeout=30).status_code == 200
        worker.predict(9)
        assert worker.push()
        wait_for_counts(prometheus)
    assert prometheus.number("ordinary") == 1
    assert running.logged_errors() == []
