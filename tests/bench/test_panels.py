"""When a panel left green: of made-up answers, with the limits that the dashboards have."""

from __future__ import annotations

from typing import Any

import pytest

from bench.detection.panels import (
    Stretch,
    alert_panels,
    compress,
    find_stretches,
    is_green,
    join,
    left_green,
)
from grafana.dashboard import falling, rising
from tests.lab.prometheus import Prometheus
from tests.lab.rules import read_alerts, severity_of


def test_every_alert_that_is_sent_has_its_panel() -> None:
    sent = {name for name, rules in read_alerts().items() if severity_of(rules[0]) != "none"}
    assert alert_panels().keys() == sent


@pytest.mark.parametrize(
    ("value", "green"), [(0.49, True), (0.5, False), (1.0, False), (float("nan"), True)]
)
def test_green_ends_where_a_limit_begins(value: float, green: bool) -> None:
    assert is_green(value, rising(watch=0.5, act=1)) is green


def test_less_may_be_worse() -> None:
    assert not is_green(0, falling(act=1e-6)) and is_green(0.2, falling(act=1e-6))


class Answers(Prometheus):
    """Gives the same series for every query."""

    def __init__(self, *values: tuple[int, float]) -> None:
        self.values = [[at, str(value)] for at, value in values]

    def get(self, path: str, **parameters: str | float) -> Any:
        return {"result": [{"metric": {}, "values": self.values}] if self.values else []}


def test_nothing_is_not_green_where_there_is_always_something() -> None:
    """Predictions a second end with the service; a drift of too few transactions is no drift."""
    gone = Answers((100, 2.0), (101, 2.0))
    panels = alert_panels()
    assert find_stretches(gone, panels["ServiceDown"], 99.5, 104, 60) == [Stretch(102, 104)]
    assert find_stretches(Answers(), panels["FeatureDrift"], 99.5, 104, 60) == []


def test_value_beyond_a_limit_is_a_stretch() -> None:
    moved = Answers((100, 0.1), (101, 0.7), (102, 1.2), (103, 0.2))
    found = find_stretches(moved, alert_panels()["FeatureDrift"], 100, 103, 60)
    assert found == [Stretch(101, 102)]


def test_moments_become_stretches() -> None:
    found = join([3, 4, 5, 9, 11, 12], step=1)
    assert found == [Stretch(3, 5), Stretch(9, 9), Stretch(11, 12)]
    assert join([], step=1) == []


@pytest.mark.parametrize(("sent", "since"), [(2, None), (3, 3), (5, 3), (7, None), (12, 9)])
def test_a_panel_has_left_green_when_it_is_not_green_at_the_message(
    sent: float, since: float | None
) -> None:
    """One that was red and is green again shows nothing."""
    assert left_green([Stretch(3, 5), Stretch(9, 12)], sent) == since


def test_literal_windows_are_compressed_and_names_are_not() -> None:
    """What stands for a variable has the length of the compressed clock already."""
    written = "sum(rate(a[1h] offset 5m)) / b:c:d15m + rate(e[4s])"
    assert compress(written, 60) == "sum(rate(a[60s] offset 5s)) / b:c:d15m + rate(e[4s])"
