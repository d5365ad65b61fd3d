"""Counts stay exact over many workers, while workers die, and on the whole way to Prometheus."""

from __future__ import annotations

import threading
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import total
from tests.lab.programs import until
from tests.lab.service import Account, requests_of, send_from_threads

pytestmark = pytest.mark.stack

EXPORT_SECONDS = 2


def counted(exposition: str) -> dict[str, float]:
    """The three sums that a client can check, of `/predict` alone."""
    return {
        "predictions": total(exposition, "predictions_total", endpoint="/predict"),
        "requests": total(exposition, "http_requests_total", endpoint="/predict"),
        "errors": total(exposition, "errors_total", endpoint="/predict"),
    }


def in_bounds(account: Account, sums: dict[str, float]) -> bool:
    """True if the sums are the answered ones, plus at most those that never got their answer."""
    lost_good = sum(request.error is None for request in account.unanswered)
    lost_bad = len(account.unanswered) - lost_good
    answered = {
        "predictions": (account.answered[200], lost_good),
        "requests": (account.answers, lost_good + lost_bad),
        "errors": (sum(account.errors.values()), lost_bad),
    }
    return all(known <= sums[name] <= known + lost for name, (known, lost) in answered.items())


class Watcher(threading.Thread):
    """Scrapes without a pause and remembers if a sum ever fell or lagged behind the answers."""

    def __init__(self, handler, account: Account) -> None:
        super().__init__(daemon=True)
        self._handler = handler
        self._account = account
        self._stopped = threading.Event()
        self.scrapes = 0
        self.faults: list[str] = []

    def run(self) -> None:
        before = {"predictions": 0.0, "requests": 0.0, "errors": 0.0}
        while not self._stopped.is_set():
            answered = self._account.answers
            try:
                sums = counted(self._handler.exposition())
            except OSError:
                continue  # the scrape's own worker was killed
            self.scrapes += 1
            if sums["requests"] < answered:
                self.faults.append(f"{answered} answered, {sums['requests']} counted")
            if any(sums[name] < before[name] for name in sums):
                self.faults.append(f"fell from {before} to {sums}")
            before = sums

    def stop(self) -> None:
        self._stopped.set()
        self.join(30)


def test_counts_are_exact_with_four_workers_of_which_one_is_killed_and_one_recycled(
    handler, collector, prometheus, model_dir
):
    """2,000 requests, 40 of them faulty; every sum is the client's, on `/metrics` at every moment
    and in Prometheus after two export intervals. Only requests that a killed worker never
    answered may be counted or not."""
    service = handler(
        WEB_CONCURRENCY="4",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
        OTEL_METRIC_EXPORT_INTERVAL=str(EXPORT_SECONDS * 1000),
    )
    until(lambda: len(service.workers()) == 4, 30, "four workers run")
    account = Account()
    watcher = Watcher(service, account)
    watcher.start()
    batch = requests_of(1960, 40, seed=11)
    for part, between in (
        (batch[:700], service.kill_worker),
        (batch[700:1400], service.recycle_worker),
    ):
        breaking = threading.Timer(0.3, between)
        breaking.start()
        send_from_threads(service.port, part, 8, account)
        breaking.join()
    send_from_threads(service.port, batch[1400:], 8, account)
    watcher.stop()

    sums = counted(service.exposition())
    print(f"answered {dict(account.answered)}, unanswered {len(account.unanswered)}, {sums}")
    assert account.answers + len(account.unanswered) == 2000
    assert account.answered[500] == 0
    assert in_bounds(account, sums)
    assert watcher.scrapes > 5
    assert watcher.faults == []

    def in_prometheus() -> dict[str, float | None]:
        return {
            "predictions": prometheus.number('sum(predictions_total{endpoint="/predict"})'),
            "requests": prometheus.number('sum(http_requests_total{endpoint="/predict"})'),
            "errors": prometheus.number('sum(errors_total{endpoint="/predict"})'),
        }

    # Two intervals, and the second that the Collector's queue waits for more.
    until(lambda: in_prometheus() == sums, 2 * EXPORT_SECONDS + 3, "Prometheus has the same sums")
    assert prometheus.number("count(count by (instance) (predictions_total))") == 4
    for kind, count in account.errors.items():
        told = prometheus.number(f'sum(errors_total{{type="{kind}", endpoint="/predict"}})')
        assert told is not None
        assert count <= told <= count + len(account.unanswered)


def test_recycling_piles_up_no_series(handler):
    """Workers that are replaced every 20 requests take their slots over: two slots, no more."""
    service = handler(WEB_CONCURRENCY="2", WORKER_MAX_REQUESTS="20")
    account = Account()
    first = set(service.workers())
    for _ in range(6):
        send_from_threads(service.port, requests_of(40, 0, seed=3), 4, account)
        time.sleep(0.5)
    until(lambda: not first & set(service.workers()), 20, "the first workers are gone")
    send_from_threads(service.port, requests_of(20, 0, seed=3), 4, account)
    assert in_bounds(account, counted(service.exposition()))
    slots = list((service.log.parent / "state").glob("counts-*"))
    assert len(slots) <= 3, slots


def test_restart_of_the_service_counts_on(handler):
    """The state folder outlives the service, and so do its counts."""
    service = handler()
    account = Account()
    send_from_threads(service.port, requests_of(50, 5, seed=1), 4, account)
    service.terminate()
    service.start()
    assert counted(service.exposition())["requests"] == account.answers == 55


def test_series_are_the_same_on_both_ways(handler, collector, prometheus):
    """Every series of `/metrics` is in Prometheus under the same name and labels, and no other of
    the handler's is."""
    service = handler(
        WEB_CONCURRENCY="1",
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
        OTEL_METRIC_EXPORT_INTERVAL="1000",
    )
    send_from_threads(service.port, requests_of(50, 5, seed=1), 2, Account())
    service.exposition()

    def here() -> set[tuple[str, frozenset[tuple[str, str]]]]:
        return exposed_series(service.exposition())

    def there() -> set[tuple[str, frozenset[tuple[str, str]]]]:
        return {
            (dict(labels)["__name__"], frozenset(pair for pair in labels if pair[0] not in OWN))
            for labels in prometheus.series()
        }

    until(lambda: len(there()) >= len(here()), 15, "Prometheus has as many series")
    assert here() ^ there() == set()


OWN = {"__name__", "job", "instance"}


def exposed_series(exposition: str) -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Names and labels of an exposition."""
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }
