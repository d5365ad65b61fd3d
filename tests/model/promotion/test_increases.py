"""Outcomes are counted from every stored sample: none is lost where the service idles."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.promotion.outcomes import fetch_outcomes
from model.promotion.prometheus import Prometheus
from tests.lab.prometheus import Prometheus as PrometheusServer
from tests.model.promotion.stored_samples import StoredSamples

PAIR = ("1-aaaaaaaa", "2-bbbbbbbb")
CELL = {"champion": "legitimate", "challenger": "fraud", "truth": "fraud"}
START = 1_790_000_000 // 86_400 * 86_400
DAY = 86_400
BURST_EVERY, BURST_SECONDS, PUSH_SECONDS = 6 * 3600, 240, 60
PER_PUSH = 3
Sample = tuple[float, str, dict[str, str], float]


def list_samples(days: int) -> Iterator[Sample]:
    """Two workers that push each minute of a burst of four minutes, once in six hours."""
    counted = 0
    for burst in range(days * DAY // BURST_EVERY):
        began = START + 1 + burst * BURST_EVERY
        for seconds in range(0, BURST_SECONDS + 1, PUSH_SECONDS):
            counted += PER_PUSH
            for instance in ("a", "b"):
                common = {"job": "fraud-handler", "instance": instance}
                for role, version in zip(("champion", "challenger"), PAIR, strict=True):
                    labels = common | {"role": role, "version": version}
                    yield began + seconds, "model_version", labels, 1
                yield began + seconds, "paired_outcomes_total", common | CELL, counted


def true_count(days: int) -> int:
    """What two workers counted after their first push."""
    pushes = days * DAY // BURST_EVERY * (BURST_SECONDS // PUSH_SECONDS + 1)
    return 2 * PER_PUSH * (pushes - 1)


@pytest.mark.parametrize("days", [1, 30, 60])
def test_outcomes_of_bursts_are_counted_exactly(days: int) -> None:
    """Read at the steps of a range query, 53 % were found in 30 days and 7 % in 60."""
    store = StoredSamples()
    for moment, name, labels, value in list_samples(days):
        store.push(moment, name, value, **labels)

    paired = fetch_outcomes(store, "fraud-handler", PAIR, START, START + days * DAY)

    assert paired.frauds_better == paired.outcomes == true_count(days)


def test_outcomes_of_another_service_are_not_counted() -> None:
    """Whose workers, versions and labels are called alike, and which counts five times as much."""
    store = StoredSamples()
    for moment, name, labels, value in list_samples(1):
        store.push(moment, name, value, **labels)
        other = 5 * value if name == "paired_outcomes_total" else value
        store.push(moment, name, other, **labels | {"job": "loans"})

    own, others = (
        fetch_outcomes(store, job, PAIR, START, START + DAY) for job in ("fraud-handler", "loans")
    )

    assert (own.outcomes, others.outcomes) == (true_count(1), 5 * true_count(1))


def test_series_that_appears_began_at_zero() -> None:
    """A counter that is published only once it counts; what was counted before is not known where
    its worker was not seen before."""
    store = StoredSamples()
    store.push_pair(START + 1, *PAIR)
    for moment, value in ((START + 2, 4), (START + 2 + 2 * DAY, 6)):
        store.push_pair(moment, *PAIR)
        store.push(moment, "paired_outcomes_total", value, **CELL)
        store.push_pair(moment, *PAIR, instance="b")
        store.push(moment, "paired_outcomes_total", value, **CELL, instance="b")

    paired = fetch_outcomes(store, "fraud-handler", PAIR, START, START + 3 * DAY)

    assert paired.frauds_better == 6 + 2


class LongPrometheus(PrometheusServer):
    """With blocks of 60 days that are there before it starts, and are kept."""

    def _command(self, tools: Path, folder: Path, cloud: bool) -> list[str]:
        text = folder / "samples"
        text.write_text(format_openmetrics(list_samples(60)))
        data = folder / "data"
        blocks = [str(tools / "promtool"), "tsdb", "create-blocks-from", "openmetrics"]
        subprocess.run([*blocks, str(text), str(data)], check=True, capture_output=True)
        command = super()._command(tools, folder, cloud)
        config = folder / "prometheus.yml"
        config.write_text(config.read_text().replace("time: 180d", "time: 10y"))
        return command


def format_openmetrics(samples: Iterator[Sample]) -> str:
    """In the text format that promtool reads."""
    by_name: dict[str, list[str]] = {}
    for moment, name, labels, value in samples:
        text = ",".join(f'{key}="{one}"' for key, one in labels.items())
        by_name.setdefault(name, []).append(f"{name}{{{text}}} {value} {moment}")
    lines = []
    for name, own in by_name.items():
        lines += [f"# TYPE {name.removesuffix('_total')} unknown", *own]
    return "\n".join([*lines, "# EOF", ""])


@pytest.mark.stack
def test_prometheus_gives_all_that_it_stores(tools: Path, tmp_path: Path) -> None:
    server = LongPrometheus(tools, tmp_path / "prometheus")
    server.start()
    try:
        prometheus = Prometheus(server.url)
        paired = fetch_outcomes(prometheus, "fraud-handler", PAIR, START, START + 60 * DAY)
    finally:
        server.terminate()

    assert paired.frauds_better == paired.outcomes == true_count(60)
