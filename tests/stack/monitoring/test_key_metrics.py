"""The live line's metrics, from either source."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from stack.monitoring.key_metrics import (
    KeyMetrics,
    PrometheusSource,
    StatsSource,
    ask_handler,
    quantile,
)
from tests.lab.http_server import QuietHandler
from tests.lab.http_server import serve as serve_http

# Does not say which service it is.
SILENT = StatsSource("http://127.0.0.1:1")


def counts(seconds: float, fraud: int, legitimate: int, slow: int = 10) -> str:
    """What /stats answers at that time, with `slow` of the answers within 10 to 20 ms."""
    scored = fraud + legitimate
    return json.dumps(
        {
            "time": seconds,
            "model_version": "1-abcd1234",
            "predictions": {"fraud": fraud, "legitimate": legitimate},
            "predict_seconds": {"0.01": scored - slow, "0.02": scored, "+Inf": scored},
        }
    )


def test_first_look_gives_total_share_and_p95_of_all_time(
    serve: Callable[[Callable[[], str]], str],
) -> None:
    metrics = StatsSource(serve(lambda: counts(100, 3, 97))).read()
    assert metrics.total == 100
    assert metrics.rate is None
    assert metrics.fraud_share == pytest.approx(0.03)
    # 90 of 100 are below 10 ms: the 95th lies halfway through the next bucket.
    assert metrics.p95_seconds == pytest.approx(0.015)


def test_later_looks_are_of_what_came_since(serve: Callable[[Callable[[], str]], str]) -> None:
    answers = iter([counts(100, 0, 100, slow=100), counts(150, 25, 175, slow=100)])
    source = StatsSource(serve(lambda: next(answers)))
    source.read()
    metrics = source.read()
    assert metrics.rate == pytest.approx(2)
    assert metrics.fraud_share == pytest.approx(0.25)
    assert metrics.p95_seconds == pytest.approx(0.0095)


def test_counts_that_began_anew_are_not_taken_for_less_than_nothing(
    serve: Callable[[Callable[[], str]], str],
) -> None:
    answers = iter([counts(100, 50, 50), counts(130, 1, 9), counts(140, 1, 19)])
    source = StatsSource(serve(lambda: next(answers)))
    assert [source.read().rate for _ in range(3)] == [None, None, pytest.approx(1)]


def test_token_is_the_one_that_opens_the_metrics() -> None:
    given = {"ACCESS_TOKEN": "every, older", "METRICS_TOKEN": ""}
    assert ask_handler("http://127.0.0.1:1", given).token == "every"
    assert ask_handler("http://127.0.0.1:1", {**given, "METRICS_TOKEN": "one"}).token == "one"


def vector(result: object) -> dict[str, object]:
    """What Prometheus answers to an instant query."""
    return {"data": {"resultType": "vector", "result": result}}


def test_prometheus_gives_the_total(serve: Callable[[Callable[[], str]], str]) -> None:
    answer = vector([{"metric": {}, "value": [0, "25"]}])
    assert PrometheusSource(serve(lambda: json.dumps(answer)), SILENT).read() == KeyMetrics(25)


def test_prometheus_is_asked_for_the_service_that_the_handler_says_it_is(
    serve: Callable[[Callable[[], str]], str],
) -> None:
    asked: list[str] = []

    class Api(QuietHandler):
        def do_POST(self) -> None:
            asked.extend(parse_qs(self.body().decode())["query"])
            self.answer(200, json.dumps({"status": "success", **vector([])}).encode())

    handler = StatsSource(serve(lambda: json.dumps({"time": 1.0, "job": "staging/loans"})))
    with serve_http(Api) as server:
        PrometheusSource(server.url, handler).read()
    assert asked == ['sum(predictions_total{job="staging/loans"})']


@pytest.mark.parametrize(
    "result", [[], [{"metric": {}, "value": [0, "NaN"]}]], ids=["no series", "NaN"]
)
def test_what_prometheus_does_not_know_is_none(
    serve: Callable[[Callable[[], str]], str], result: object
) -> None:
    answer = vector(result)
    assert PrometheusSource(serve(lambda: json.dumps(answer)), SILENT).read() == KeyMetrics()


def test_no_answer_gives_no_metrics() -> None:
    assert PrometheusSource("http://127.0.0.1:1", SILENT).read() == KeyMetrics()
    assert StatsSource("http://127.0.0.1:1").read() == KeyMetrics()


def test_other_service_on_the_port_gives_no_metrics(
    serve: Callable[[Callable[[], str]], str],
) -> None:
    assert StatsSource(serve(lambda: "<html>")).read() == KeyMetrics()
    assert StatsSource(serve(lambda: '{"predictions": 7}')).read() == KeyMetrics()


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
