"""Every query of every panel after a start, in silence, and with probes alone."""

from __future__ import annotations

import pytest

from grafana.cloud.verify import verify
from grafana.promql import EVERYTHING
from prometheus.client.http import Client
from prometheus.client.query import Prometheus
from tests.grafana.scenario import (
    DASHBOARD,
    NEW,
    OLD,
    QUERIES,
    faults,
    figures,
    now,
    run_for_a_minute,
)
from tests.grafana.service import PUSH_SECONDS, Request, Service, Worker, traffic

pytestmark = pytest.mark.stack


@pytest.mark.parametrize("seed", range(5))
def test_no_query_is_empty_or_nan_a_minute_after_a_start_from_nothing(
    empty: Client, seed: int
) -> None:
    """Four workers, 0.3 requests/s, 60 s: every panel shows a figure."""
    end = now()
    run_for_a_minute(empty, seed, end)

    findings = verify(DASHBOARD, Prometheus(empty), end)
    assert len(findings) == len(QUERIES)
    assert faults(findings) == {}


def test_silence_shows_gaps_or_zeros_and_never_nan(empty: Client) -> None:
    """A service that is idle pushes nothing; a quarter of an hour later nothing is NaN, and a
    minute after it has woken up every panel shows a figure again."""
    end = now()
    woken = end - 60
    service = Service(empty, [Worker("shop-0", OLD)])
    before = traffic(1, woken - 1200, woken - 900, rate=0.3, workers=1)
    service.push(woken - 1200)
    service.count(before)
    service.push(woken - 900)
    asleep = verify(DASHBOARD, Prometheus(empty), woken - 60)
    service.push(woken - PUSH_SECONDS)  # the last values, stamped with the last quiet moment
    for index in range(4):
        since = woken + index * PUSH_SECONDS
        service.count(traffic(index, since, since + PUSH_SECONDS, rate=0.6, workers=1))
        service.push(since + PUSH_SECONDS)

    assert "NaN" not in faults(asleep).values()
    assert faults(verify(DASHBOARD, Prometheus(empty), end)) == {}


def test_requests_that_score_nothing_give_zeros(empty: Client) -> None:
    """Only health probes come: no division by zero, and no response time of /predict."""
    end = now()
    service = Service(empty, [Worker("shop-0", OLD)])
    for tick in range(21):
        service.count([Request(end, 0, "/health", "200", 0.001)])
        service.push(end - 300 + tick * PUSH_SECONDS)

    findings = verify(DASHBOARD, Prometheus(empty), end)
    assert faults(findings) == {}
    shown = figures(findings)
    assert not {"P50", "P95", "P99"} & set(shown)
    assert (shown["predictions"], shown["called fraud"], shown["refused (4xx)"]) == (0, 0, 0)


def test_change_of_the_model_in_a_worker_breaks_no_query(empty: Client) -> None:
    """A worker slot that comes back with another model shows both versions for some minutes."""
    end = now()
    service = Service(empty, [Worker("shop-0", OLD, {"model_recall": 0.6})], already=1000)
    requests = traffic(3, end - 300, end, rate=2, workers=1)
    for tick in range(21):
        until = end - 300 + tick * PUSH_SECONDS
        if tick == 18:
            service.upgrade(0, NEW, model_recall=0.9)
        service.count(r for r in requests if until - PUSH_SECONDS < r.at <= until)
        service.push(until)

    store = Prometheus(empty)
    for version in (EVERYTHING, OLD, NEW):
        assert faults(verify(DASHBOARD, store, end, version=version)) == {}
    assert figures(verify(DASHBOARD, store, end))["recall (card)"] == 0.9
