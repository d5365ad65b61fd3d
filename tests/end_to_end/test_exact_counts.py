"""Counts stay exact over many workers, while workers die, and all the way to Prometheus."""

from __future__ import annotations

import threading
import time
from typing import Self

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import total
from tests.lab.collector import Collector
from tests.lab.fixtures import StartHandler
from tests.lab.handler import Handler
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.traffic import Responses, make_requests, send

pytestmark = pytest.mark.stack

EXPORT_SECONDS = 2
SeriesLabels = tuple[str, frozenset[tuple[str, str]]]
"""A name, and the labels beside it."""


def read_sums(exposition: str) -> dict[str, float]:
    """The three sums that a client can check, of `/predict` alone."""
    return {
        "predictions": total(exposition, "predictions_total", endpoint="/predict"),
        "requests": total(exposition, "http_requests_total", endpoint="/predict"),
        "errors": total(exposition, "errors_total", endpoint="/predict"),
    }


def query_sums(prometheus: Prometheus) -> dict[str, float | None]:
    """The same three in Prometheus."""
    return {
        "predictions": prometheus.number('sum(predictions_total{endpoint="/predict"})'),
        "requests": prometheus.number('sum(http_requests_total{endpoint="/predict"})'),
        "errors": prometheus.number('sum(errors_total{endpoint="/predict"})'),
    }


def agree(responses: Responses, sums: dict[str, float]) -> bool:
    """True if the sums are the answered ones, plus at most those that never got their answer."""
    lost_good = sum(request.error is None for request in responses.unanswered)
    lost_bad = len(responses.unanswered) - lost_good
    answered = {
        "predictions": (responses.statuses[200], lost_good),
        "requests": (responses.answered, lost_good + lost_bad),
        "errors": (sum(responses.errors.values()), lost_bad),
    }
    return all(known <= sums[name] <= known + lost for name, (known, lost) in answered.items())


class Scraper(threading.Thread):
    """Scrapes without a pause and remembers if a sum ever fell or lagged behind the answers."""

    def __init__(self, handler: Handler, responses: Responses) -> None:
        super().__init__(daemon=True)
        self._handler = handler
        self._responses = responses
        self._stopped = threading.Event()
        self.scrapes = 0
        self.faults: list[str] = []

    def run(self) -> None:
        before = {"predictions": 0.0, "requests": 0.0, "errors": 0.0}
        while not self._stopped.is_set():
            answered = self._responses.answered
            try:
                sums = read_sums(self._handler.exposition())
            except OSError:
                continue  # the scrape's own worker was killed
            self.scrapes += 1
            if sums["requests"] < answered:
                self.faults.append(f"{answered} answered, {sums['requests']} counted")
            if any(sums[name] < before[name] for name in sums):
                self.faults.append(f"fell from {before} to {sums}")
            before = sums

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self.join(30)


def send_while_workers_end(handler: Handler, responses: Responses) -> None:
    """2,000 requests, 40 of them faulty, while one worker is killed and another recycled."""
    batch = make_requests(1960, 40, seed=11)
    for part, end_worker in (
        (batch[:700], handler.kill_worker),
        (batch[700:1400], handler.recycle_worker),
    ):
        ending = threading.Timer(0.3, end_worker)
        ending.start()
        send(handler.port, part, responses, threads=8)
        ending.join()
    send(handler.port, batch[1400:], responses, threads=8)


def test_counts_are_exact_with_four_workers_of_which_one_is_killed_and_one_recycled(
    start_handler: StartHandler, collector: Collector, prometheus: Prometheus
) -> None:
    """Every sum is the client's, on `/metrics` at every moment and in Prometheus after two export
    intervals. Only requests that a killed worker never answered may be counted or not."""
    every_ms = EXPORT_SECONDS * 1000
    handler = start_handler(WEB_CONCURRENCY="4", **collector.exporter_settings(every_ms))
    until(lambda: len(handler.workers()) == 4, 30, "four workers run")
    responses = Responses()
    with Scraper(handler, responses) as scraper:
        send_while_workers_end(handler, responses)

    sums = read_sums(handler.exposition())
    lost = len(responses.unanswered)
    print(f"answered {dict(responses.statuses)}, unanswered {lost}, {sums}")
    assert responses.answered + lost == 2000
    assert responses.statuses[500] == 0
    assert agree(responses, sums)
    assert scraper.scrapes > 5
    assert scraper.faults == []

    # Two intervals, and the second that the Collector's queue waits for more.
    seconds = 2 * EXPORT_SECONDS + 3
    until(lambda: query_sums(prometheus) == sums, seconds, "Prometheus has the same sums")
    assert prometheus.number("count(count by (instance) (predictions_total))") == 4
    for kind, count in responses.errors.items():
        stored = prometheus.number(f'sum(errors_total{{type="{kind}", endpoint="/predict"}})')
        assert stored is not None
        assert count <= stored <= count + lost


def test_recycling_piles_up_no_series(start_handler: StartHandler) -> None:
    """Workers that are replaced every 20 requests take their slots over: two slots, no more."""
    handler = start_handler(WEB_CONCURRENCY="2", WORKER_MAX_REQUESTS="20")
    responses = Responses()
    first = set(handler.workers())
    for _ in range(6):
        send(handler.port, make_requests(40, 0, seed=3), responses, threads=4)
        time.sleep(0.5)
    until(lambda: not first & set(handler.workers()), 20, "the first workers are gone")
    send(handler.port, make_requests(20, 0, seed=3), responses, threads=4)
    assert agree(responses, read_sums(handler.exposition()))
    slots = list(handler.state.glob("counts-*"))
    assert len(slots) <= 3, slots


def test_restart_of_the_service_counts_on(start_handler: StartHandler) -> None:
    """The state folder outlives the service, and so do its counts."""
    handler = start_handler()
    responses = Responses()
    send(handler.port, make_requests(50, 5, seed=1), responses, threads=4)
    handler.terminate()
    handler.start()
    assert read_sums(handler.exposition())["requests"] == responses.answered == 55


def test_series_are_the_same_on_both_ways(
    start_handler: StartHandler, collector: Collector, prometheus: Prometheus
) -> None:
    """Every series of `/metrics` is in Prometheus under the same name and labels, and no other of
    the handler's is."""
    handler = start_handler(WEB_CONCURRENCY="1", **collector.exporter_settings())
    send(handler.port, make_requests(50, 5, seed=1), Responses(), threads=2)
    handler.exposition()

    def in_exposition() -> set[SeriesLabels]:
        return parse_series(handler.exposition())

    def in_prometheus() -> set[SeriesLabels]:
        return {
            (dict(labels)["__name__"], frozenset(pair for pair in labels if pair[0] not in OWN))
            for labels in prometheus.series()
        }

    until(lambda: len(in_prometheus()) >= len(in_exposition()), 15, "Prometheus has as many series")
    assert in_exposition() ^ in_prometheus() == set()


OWN = {"__name__", "job", "instance"}


def parse_series(exposition: str) -> set[SeriesLabels]:
    """Names and labels of an exposition."""
    return {
        (sample.name, frozenset(sample.labels.items()))
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }
