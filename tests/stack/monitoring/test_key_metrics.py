"""The live line's metrics, from either source."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import pytest

from stack.monitoring.key_metrics import KeyMetrics, MetricsPageSource, PrometheusSource, quantile

PAGE = """\
# TYPE predictions_total counter
predictions_total{class_name="fraud",endpoint="/predict",risk_level="high"} %d.0
predictions_total{class_name="legitimate",endpoint="/predict",risk_level="low"} %d.0
http_request_duration_seconds_bucket{method="POST",endpoint="/predict",le="0.01"} 90.0
http_request_duration_seconds_bucket{method="POST",endpoint="/predict",le="0.02"} 100.0
http_request_duration_seconds_bucket{method="POST",endpoint="/predict",le="+Inf"} 100.0
http_request_duration_seconds_bucket{method="GET",endpoint="/health",le="+Inf"} 7000.0
"""


def test_the_page_gives_total_share_and_p95(serve: Callable[[Callable[[], str]], str]) -> None:
    metrics = MetricsPageSource(serve(lambda: PAGE % (3, 97))).read()
    assert metrics.total == 100
    assert metrics.fraud_share == pytest.approx(0.03)
    # 90 of 100 are below 10 ms: the 95th lies halfway through the next bucket.
    assert metrics.p95_seconds == pytest.approx(0.015)


def test_the_page_gives_a_rate_from_the_second_look_on(
    serve: Callable[[Callable[[], str]], str],
) -> None:
    counts = iter([(1, 9), (2, 18)])
    source = MetricsPageSource(serve(lambda: PAGE % next(counts)))
    assert source.read().rate is None
    assert (source.read().rate or 0) > 0


def vector(result: object) -> dict[str, object]:
    """What Prometheus answers to an instant query."""
    return {"data": {"resultType": "vector", "result": result}}


def test_prometheus_gives_every_figure(serve: Callable[[Callable[[], str]], str]) -> None:
    answer = vector([{"metric": {}, "value": [0, "0.25"]}])
    metrics = PrometheusSource(serve(lambda: json.dumps(answer))).read()
    assert metrics == KeyMetrics(0.25, 0.25, 0.25, 0.25)


@pytest.mark.parametrize(
    "result", [[], [{"metric": {}, "value": [0, "NaN"]}]], ids=["no series", "NaN"]
)
def test_what_prometheus_does_not_know_is_none(
    serve: Callable[[Callable[[], str]], str], result: object
) -> None:
    answer = vector(result)
    assert PrometheusSource(serve(lambda: json.dumps(answer))).read() == KeyMetrics()


def test_no_answer_gives_no_metrics() -> None:
    assert PrometheusSource("http://127.0.0.1:1").read() == KeyMetrics()
    assert MetricsPageSource("http://127.0.0.1:1").read() == KeyMetrics()


def test_the_line_says_what_is_not_known_yet() -> None:
    assert KeyMetrics(total=1234, rate=0.5, fraud_share=0.031, p95_seconds=0.0123).line() == (
        "0.50 predictions/s · fraud 3.1% · p95 12.3 ms · 1,234 in all"
    )
    assert KeyMetrics().line() == "? predictions/s · fraud ? · p95 ? · ? in all"


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({}, None),
        ({1.0: 0.0, math.inf: 0.0}, None),
        ({1.0: 10.0, math.inf: 10.0}, 0.5),
        ({1.0: 0.0, 3.0: 10.0, math.inf: 10.0}, 2.0),
        ({1.0: 1.0, math.inf: 10.0}, 1.0),
    ],
    ids=["no buckets", "no observation", "first bucket", "second bucket", "beyond the last bound"],
)
def test_quantile_agrees_with_histogram_quantile(
    buckets: dict[float, float], expected: float | None
) -> None:
    """The median, computed by hand as Prometheus documents histogram_quantile."""
    assert quantile(0.5, buckets) == expected
