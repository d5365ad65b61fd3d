"""Errors of a time in which the store was down, whose samples arrive when it is back."""

from __future__ import annotations

import time

import pytest

from tests.lab.backfill import History, backfill, labels
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.rules import read_rules

pytestmark = pytest.mark.stack

MINUTE, HOUR = 60, 3600
RATE = 10  # requests a minute


def tell(begin: float, end: float, origin: float, failing: tuple[float, float]) -> list[History]:
    """Requests by status from `begin` to `end`, counted from `origin` on; all fail for a while."""
    points: dict[str, list[tuple[float, float]]] = {"200": [], "500": []}
    moment = begin
    while moment < end:
        failed = max(0.0, min(moment, failing[1]) - failing[0]) / MINUTE * RATE
        all_of = (moment - origin) / MINUTE * RATE
        points["200"].append((moment, all_of - failed))
        points["500"].append((moment, failed))
        moment += MINUTE
    return [
        History(
            "http_requests_total", labels(endpoint="/predict", status=status), tuple(points[status])
        )
        for status in points
    ]


def test_two_hours_of_failure_while_the_store_was_down_are_seen(
    prometheus: Prometheus,
) -> None:
    """Of six hours two failed, told only after later ones: a third of the events, and all of the
    month's budget. Sums of what was recorded at the time would know of none."""
    now = time.time()
    origin, down, back = now - 7 * HOUR, now - 4 * HOUR, now - 2 * HOUR
    for begin, end in ((origin, down), (back, now), (down, back)):
        backfill(prometheus.url, tell(begin, end, origin, (down, back)))

    ratio = find_rule("slo:error_ratio:6h")
    until(lambda: bool(prometheus.query(ratio, now)), 30, "what was written can be read")
    seen = {found["slo"]: value for found, value in prometheus.query(ratio, now)}
    assert seen["availability"] == pytest.approx(1 / 3, abs=0.01)
    budget = 'label_replace(vector(0.005), "slo", "availability", "", "")'
    left = find_rule("slo:budget_left:30d").replace("slo:budget:ratio", budget)
    assert {found["slo"]: value for found, value in prometheus.query(left, now)}["availability"] < 0


def find_rule(name: str) -> str:
    """Its expression."""
    return str(next(rule["expr"] for rule in read_rules() if rule.get("record") == name))
