"""Recorded values are what the same query says afterwards, when every push has come."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.lab.collector import Collector
from tests.lab.paths import ROOT
from tests.lab.polling import until
from tests.lab.prometheus import OFFSET, Prometheus
from tests.lab.sdk_worker import sdk_worker

pytestmark = pytest.mark.stack

EXPRESSION = "sum(increase(predictions_total[10s]))"
RECORDED = "predictions:increase10s"
SETTLED_SECONDS = 6


def count_differing(tools: Path, folder: Path, offset: str) -> tuple[int, int]:
    """Recorded values that are not what was found for their moment later, and all of them.

    A rule each second, over counts that are pushed each second.
    """
    rule = {"record": RECORDED, "expr": EXPRESSION}
    prometheus = Prometheus(tools, folder / "prometheus", rule_offset=offset)
    (folder / "prometheus" / "rules").mkdir()
    groups = {"groups": [{"name": "one", "interval": "1s", "rules": [rule]}]}
    (folder / "prometheus" / "rules" / "one.yml").write_text(yaml.safe_dump(groups))
    collector = Collector(tools, folder / "collector", PROMETHEUS_URL=prometheus.url)
    with prometheus, collector, sdk_worker(collector.endpoint, every_ms=1000) as worker:

        def count() -> bool:
            worker.predictions.add(1)
            return len(recorded(prometheus)) >= 25

        until(count, 90, "enough recorded values", 0.05)
        values = recorded(prometheus)[5:]
        settled = values[-1][0] + SETTLED_SECONDS
        until(lambda: recorded(prometheus)[-1][0] > settled, 60, "what was pushed has come")
        later = [prometheus.number(EXPRESSION, at) for at, _ in values]
    return sum(a != b for (_, a), b in zip(values, later, strict=True)), len(values)


def recorded(prometheus: Prometheus) -> list[tuple[float, float]]:
    return next(iter(prometheus.samples(RECORDED, 300).values()), [])


def test_values_of_now_are_not_what_is_found_later(tools: Path, tmp_path: Path) -> None:
    """Without an offset rules see moments whose pushes have not come: this is why there is one."""
    differing, total = count_differing(tools, tmp_path, "0s")
    assert differing > total / 10, f"{differing} of {total}"


def test_values_beyond_the_offset_are_exact(tools: Path, tmp_path: Path) -> None:
    """A few push intervals suffice, to the last bit."""
    differing, total = count_differing(tools, tmp_path, "5s")
    assert (differing, total >= 15) == (0, True), f"{differing} of {total}"


def test_offset_is_two_push_intervals_of_a_handler() -> None:
    """Native, compose and cluster read one file."""
    assert OFFSET in (ROOT / "prometheus" / "prometheus.yml").read_text()
