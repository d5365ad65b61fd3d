"""`python -m bench.panels`: what is asked, and what counts as a fault."""

from __future__ import annotations

from bench.panels import Asked, ask_all, report
from grafana.panels import dashboards
from prometheus.client.http import Client
from prometheus.client.query import Prometheus, Sample, Series, Span

NOW = 1_764_276_643.0
QUERIES = sum(len(panel.queries) for d in dashboards().values() for panel in d.panels)


class Store(Prometheus):
    """Answers each query with so many series, and offers two values of each variable."""

    def __init__(self, series: int) -> None:
        super().__init__(Client("http://127.0.0.1:1"))
        self.series = series
        self.asked: list[str] = []

    def query(self, expression: str, at: float | None = None) -> list[Sample]:
        self.asked.append(expression)
        return [Sample({}, 1.0)] * self.series

    def query_range(self, expression: str, span: Span) -> list[Series]:
        self.asked.append(expression)
        return [Series({}, {})] * self.series

    def label_values(self, label: str, matcher: str, start: float, end: float) -> list[str]:
        return [f"{label}-1", f"{label}-2"] if self.series else []


def test_every_query_is_asked_with_every_value_of_every_variable() -> None:
    store = Store(1)
    asked = list(ask_all(store, NOW))
    assert not [one for one in asked if one.is_fault]
    assert len(store.asked) > 5 * QUERIES
    assert not [text for text in store.asked if "$" in text]
    for value in ("job-1", "job-2", "version-2", "instance-2", "feature-1", "feature-2", "[15m]"):
        assert [text for text in store.asked if value in text], value


def test_empty_queries_are_faults_unless_they_say_why() -> None:
    asked = list(ask_all(Store(0), NOW))
    silent = [one for one in asked if one.is_fault]
    assert 0 < len(silent) < len(asked)
    printed = "\n".join(report(asked, 60.0))
    assert printed.startswith("60 s after the start")
    assert printed.count("EMPTY OR NAN: ") == len(silent)


def test_what_is_no_number_is_a_fault() -> None:
    assert Asked("overview", "P95", 1.0, 1, False, "nobody asked").is_fault
