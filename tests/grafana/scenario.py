"""A service with traffic behind it in a real Prometheus, and what the queries say of it."""

from __future__ import annotations

import time

from grafana.cloud.verify import Finding, verify
from grafana.panels import dashboards
from prometheus.client.http import Client
from prometheus.client.query import Prometheus
from tests.grafana.service import PUSH_SECONDS, Request, Service, Worker, traffic

DASHBOARDS = dashboards()
DASHBOARD = DASHBOARDS["overview"]
QUERIES = [query for panel in DASHBOARD.panels for query in panel.queries]
# Where no rule has run and no label came, these have something to show.
ALWAYS = {query.legend for query in QUERIES if not query.empty}
OLD, NEW = "1-0a1b2c3d", "2-4e5f6a7b"
WORKERS = (
    Worker("shop-0", OLD, {"queue_size": 3, "system_cpu_usage_percent": 70, "model_recall": 0.6}),
    Worker("shop-1", NEW, {"queue_size": 4, "system_cpu_usage_percent": 20, "model_recall": 0.9}),
)
MINUTES = 10


def now() -> float:
    return float(int(time.time()))


def figures(findings: list[Finding]) -> dict[str, float]:
    """Values by legend, for the queries that give one."""
    return {f.query.legend: f.samples[0].value for f in findings if len(f.samples) == 1}


def faults(findings: list[Finding]) -> dict[str, str]:
    """What is empty or NaN, by legend."""
    return {f.query.legend: f.fault for f in findings if f.fault}


class Running:
    """A service of two workers with different models, ten minutes of traffic behind it."""

    def __init__(self, client: Client, service: Service, end: float) -> None:
        self.address = client.address
        self.store = Prometheus(client)
        self.service = service
        self.end = end
        self.start = end - MINUTES * 60
        self.requests = traffic(seed=4, start=self.start, end=end, rate=5, workers=len(WORKERS))
        service.push(self.start)
        for tick in range(1, MINUTES * 60 // PUSH_SECONDS + 1):
            until = self.start + tick * PUSH_SECONDS
            service.count(r for r in self.requests if until - PUSH_SECONDS < r.at <= until)
            service.push(until)

    def ask(self, **chosen: str) -> dict[str, float]:
        findings = verify(DASHBOARD, self.store, self.end, **chosen)
        assert faults(findings) == {}
        return figures(findings)

    def within(self, seconds: float, worker: int | None = None) -> list[Request]:
        """Requests between the oldest and the newest push of a window."""
        since = self.end - seconds + PUSH_SECONDS
        return [
            one
            for one in self.requests
            if since < one.at <= self.end and worker in (None, one.worker)
        ]


def run_for_a_minute(client: Client, seed: int, end: float) -> None:
    """A service of four workers that began 60 s before `end`, asked 0.3 times a second."""
    start = end - 60
    service = Service(client, [Worker(f"shop-{n}", OLD) for n in range(4)])
    requests = traffic(seed, start, end, rate=0.3, workers=4)
    service.push(start)
    for until in range(int(start) + PUSH_SECONDS, int(end) + 1, PUSH_SECONDS):
        service.count(r for r in requests if until - PUSH_SECONDS < r.at <= until)
        service.push(until)
