"""Neither a secret nor what a caller sent is found in a log, a metric, a span or an error.

The real stack, asked in every way that is refused or fails; then all that left it is searched.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.lab.fixtures import MakeCollector, StartHandler
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.span_sink import SpanSink, span_sink
from tests.lab.traffic import TRANSACTION

pytestmark = pytest.mark.stack

SECRETS = {
    "ACCESS_TOKEN": "access-5ecret-kqzx",
    "FEEDBACK_TOKEN": "feedback-5ecret-kqzx",
    "METRICS_TOKEN": "metrics-5ecret-kqzx",
    "PREDICT_TOKEN": "predict-5ecret-kqzx",
    "RECEIPT_KEYS": "receipt-5ecret-kqzx",
    "OTLP_TOKEN": "otlp-5ecret-kqzx",
    "REDIS_URL": "redis://:redis-5ecret-kqzx@127.0.0.1:9/0",
}
SECRET = "5ecret-kqzx"
# In the callers' headers, fields and paths; and amounts that no bound of a bucket is.
MARKS = ("wqvj-caller", "31337.4242", "98765.4321")
VALUE = {**TRANSACTION, "amount": 31337.4242}


@pytest.fixture
def sink() -> Iterator[SpanSink]:
    with span_sink() as sink:
        yield sink


def ask(url: str, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
    data = body if isinstance(body, str) else json.dumps(body)
    usual = {
        "Authorization": f"Bearer {SECRETS['ACCESS_TOKEN']}",
        "Content-Type": "application/json",
        "X-Routing-Key": "wqvj-caller",
        "X-Request-ID": "request-1",
        "User-Agent": "wqvj-caller",
        "Cookie": "session=wqvj-caller",
    }
    return requests.request(method, url + path, data=data, headers=usual | headers, timeout=20)


def ask_everything(url: str) -> list[requests.Response]:
    """Successes, and every kind of refusal with the caller's own words in it."""
    scored = ask(url, "POST", "/predict?explain=true&x=wqvj-caller", VALUE)
    receipt = scored.json()["receipt"]
    wrong = [
        VALUE | {"amount": "wqvj-caller"},
        VALUE | {"amount": -98765.4321},
        VALUE | {"wqvj-caller": 1},
        VALUE | {"user_type": "wqvj-caller"},
        {"transactions": [VALUE, VALUE | {"age": 98765.4321}]},
        '{"amount": "wqvj-caller"',
    ]
    return [
        scored,
        # A sum of one observation is that one.
        ask(url, "POST", "/predict", VALUE | {"amount": 20_000.5}),
        *(ask(url, "POST", "/predict", body) for body in wrong),
        ask(url, "POST", "/predict", VALUE, Authorization="Bearer wqvj-caller"),
        ask(url, "POST", "/predict", VALUE, **{"Content-Type": "wqvj/caller"}),
        # The store of used receipts cannot be reached: its address has a password in it.
        ask(url, "POST", "/feedback", {"receipt": receipt, "label": "fraud"}),
        ask(url, "POST", "/feedback", {"receipt": "wqvj-caller", "label": "fraud"}),
        ask(url, "POST", "/feedback", {"receipt": receipt, "label": "wqvj-caller"}),
        ask(url, "POST", "/wqvj-caller", VALUE),
        ask(url, "DELETE", "/predict?amount=31337.4242", VALUE),
        ask(url, "POST", "/simulate_traffic", {"num_requests": 5}),
    ]


@pytest.fixture
def asked(
    make_collector: MakeCollector,
    prometheus: Prometheus,
    sink: SpanSink,
    start_handler: StartHandler,
    tmp_path: Path,
) -> dict[str, str]:
    """Everything that left the stack, by where it was found."""
    collector = make_collector(
        PROMETHEUS_URL=prometheus.url, TEMPO_URL=sink.url, OTLP_TOKEN=SECRETS["OTLP_TOKEN"],
        TRACES_DECISION_WAIT="1s", TRACES_SHARE_PERCENT="100",
    ).start()  # fmt: skip
    token = {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{SECRETS['OTLP_TOKEN']}"}
    settings = {name: value for name, value in SECRETS.items() if name != "OTLP_TOKEN"}
    handler = start_handler(LOG_LEVEL="debug", **settings, **token, **collector.exporter_settings())
    answers = ask_everything(handler.url)
    until(lambda: len(sink.spans) > len(answers), 30, "the spans have arrived")
    selector = '{job="fraud-handler"}'
    until(lambda: len(prometheus.series(selector)) > 100, 30, "the metrics have arrived")
    metrics = ask(handler.url, "GET", "/metrics").text
    handler.terminate()
    spans = [str(span) for span in sink.spans] + [str(one) for one in sink.resources]
    exemplars = prometheus.exemplars("fraud_detection_score_bucket")
    return {
        "handler's log": handler.output(),
        "Collector's log": collector.output(),
        "Prometheus' log": prometheus.output(),
        "/metrics": metrics,
        "series": str(prometheus.series(selector)) + str(exemplars),
        "spans": "\n".join(spans),
        "answers": "\n".join(str(dict(one.headers)) + one.text for one in answers),
        "statuses": str(sorted({one.status_code for one in answers})),
    }


def test_nothing_of_secrets_and_callers_leaves_the_stack(asked: dict[str, str]) -> None:
    """What a caller sent is echoed to himself alone, in a refusal."""
    assert asked["statuses"] == "[200, 400, 401, 404, 405, 415, 422, 503]"
    assert "request answered" in asked["handler's log"] and "predict" in asked["spans"]
    found = [place for place, text in asked.items() if SECRET in text]
    assert found == []
    leaked = [
        (place, mark)
        for place, text in asked.items()
        for mark in MARKS
        if mark in text and place != "answers"
    ]
    assert leaked == []
