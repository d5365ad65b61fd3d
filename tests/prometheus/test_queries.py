"""The example queries of prometheus/queries.yml give the number that was really there.

A handler's worker of known counts is pushed through the real Collector; each query's answer is
computed from those counts and the stored times, without PromQL.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from tests.lab.fixtures import MakeCollector
from tests.lab.paths import ROOT
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.sdk_worker import SdkWorker, sdk_worker

pytestmark = pytest.mark.stack

QUERIES: dict[str, str] = {
    each["name"]: each["query"]
    for each in yaml.safe_load((ROOT / "prometheus/queries.yml").read_text())
}
WINDOW = 300.0
PER_PUSH = {"legitimate": 18, "fraud": 2, "errors": 3}
# Seconds that the requests of one push took: 19 quick ones and one slow.
DURATIONS = [0.005] * 19 + [0.5]


def known_from_the_start(worker: SdkWorker) -> None:
    """Every series exists at 0 before anything happens, as the handler does it."""
    worker.predict(0)
    worker.predict(0, "fraud")
    worker.errors.add(0, {"type": "missing_field", "endpoint": "/predict"})


def one_interval(worker: SdkWorker) -> None:
    """What happens between two pushes."""
    worker.predict(PER_PUSH["legitimate"])
    worker.predict(PER_PUSH["fraud"], "fraud")
    worker.errors.add(PER_PUSH["errors"], {"type": "missing_field", "endpoint": "/predict"})
    for seconds in DURATIONS:
        worker.duration.record(seconds, {"method": "POST", "endpoint": "/predict"})


def stored_times(target: Prometheus) -> list[float]:
    """The times of the samples of the predictions' counter."""
    samples = target.samples('predictions_total{class_name="fraud"}')
    return [moment for moment, _ in next(iter(samples.values()))] if samples else []


def per_second(increase: float, times: list[float], now: float) -> float:
    """The rate that Prometheus documents: the increase, extrapolated to the window's ends.

    To each end by half a mean interval at most, unless the samples reach nearly to it; a counter
    that began within the window is not extrapolated below 0.
    """
    span = times[-1] - times[0]
    mean = span / (len(times) - 1)
    before, after = times[0] - (now - WINDOW), now - times[-1]
    # It began at 0 with its first sample.
    before = min(before if before < 1.1 * mean else mean / 2, 0.0 if increase > 0 else mean)
    after = after if after < 1.1 * mean else mean / 2
    return increase * (span + before + after) / span / WINDOW


def ask(target: Prometheus, name: str, at: float) -> float | None:
    return target.number(QUERIES[name], at)


def test_answers_are_the_numbers_that_were_sent(
    make_collector: MakeCollector, prometheus: Prometheus
) -> None:
    """Throughput, P95, fraud share and errors per minute of eight pushes, a second apart."""
    running = make_collector(PROMETHEUS_URL=prometheus.url).start()
    with sdk_worker(running.endpoint) as worker:
        known_from_the_start(worker)
        assert worker.push()
        for _ in range(8):
            time.sleep(1)
            one_interval(worker)
            assert worker.push()
        until(lambda: len(stored_times(prometheus)) == 9, 30, "all pushes are stored")
        now = time.time()
        times = stored_times(prometheus)
        predictions, frauds, errors = 8 * 20, 8 * 2, 8 * 3
        throughput, wanted = ask(prometheus, "Throughput", now), per_second(predictions, times, now)
        assert throughput == pytest.approx(wanted, rel=1e-3)
        share = ask(prometheus, "Fraud share", now)
        assert share == pytest.approx(100 * frauds / predictions)
        per_minute = ask(prometheus, "Errors per minute", now)
        assert per_minute == pytest.approx(60 * per_second(errors, times, now), rel=1e-3)
        # 95 % of 20 is the 19th, at the end of the bucket (1 ms, 10 ms].
        assert ask(prometheus, "P95", now) == pytest.approx(0.01)


def test_answers_are_right_when_nothing_happened_yet(
    make_collector: MakeCollector, prometheus: Prometheus
) -> None:
    """Errors and throughput are 0, not empty; what has no value has none."""
    assert ask(prometheus, "Errors per minute", time.time()) == 0
    assert ask(prometheus, "Throughput", time.time()) == 0
    running = make_collector(PROMETHEUS_URL=prometheus.url).start()
    with sdk_worker(running.endpoint) as worker:
        known_from_the_start(worker)
        for _ in range(3):
            assert worker.push()
            time.sleep(0.5)
        until(lambda: len(stored_times(prometheus)) == 3, 30, "all pushes are stored")
        now = time.time()
        assert ask(prometheus, "Errors per minute", now) == 0
        assert ask(prometheus, "Throughput", now) == 0
        assert ask(prometheus, "Fraud share", now) is None
        assert ask(prometheus, "P95", now) is None


def test_share_of_no_fraud_is_zero(make_collector: MakeCollector, prometheus: Prometheus) -> None:
    """Transactions without any fraud among them give 0 %, not nothing."""
    running = make_collector(PROMETHEUS_URL=prometheus.url).start()
    with sdk_worker(running.endpoint) as worker:
        known_from_the_start(worker)
        assert worker.push()
        worker.predict(10)
        assert worker.push()
        until(lambda: len(stored_times(prometheus)) == 2, 30, "both pushes are stored")
        assert ask(prometheus, "Fraud share", time.time()) == 0


def test_each_query_says_what_it_answers() -> None:
    """README.md's table is made of these fields."""
    listed = yaml.safe_load((ROOT / "prometheus/queries.yml").read_text())
    assert [set(each) for each in listed] == [{"name", "what", "unit", "query"}] * len(listed)
    assert Path(ROOT / "prometheus/queries.yml").read_text().startswith("#")
