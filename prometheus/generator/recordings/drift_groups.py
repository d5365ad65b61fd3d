"""All that is recorded of drift, in groups: Grafana Cloud counts them, and the rules in each."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.recordings.baseline import record_baseline
from prometheus.generator.recordings.calendar import record_week_before
from prometheus.generator.recordings.design_effect import record_design_effect
from prometheus.generator.recordings.drift import WINDOWS, record_statistics
from prometheus.generator.recordings.lasting import BLOCK, record_lasting
from prometheus.generator.rule import Group, Record
from prometheus.generator.thresholds import Thresholds


def record_drift(durations: Durations, limits: Thresholds) -> Iterator[Group]:
    """What drift is compared with, the statistics of each window, and what stands beside them."""
    for every in dict.fromkeys(WINDOWS.values()):
        windows = [window for window, each in WINDOWS.items() if each == every]
        compared = tuple(
            rule for window in windows for rule in _record_compared(window, durations, limits)
        )
        yield Group(f"baseline_each_{every}", durations(every), compared)
    for window, every in WINDOWS.items():
        statistics = tuple(record_statistics(window, durations, limits))
        yield Group(f"drift_{window}", durations(every), statistics)
    beside = [rule for each in WINDOWS for rule in record_week_before(each, durations, limits)]
    beside += record_lasting(durations, limits)
    yield Group("drift_beside_windows", durations(BLOCK), tuple(beside))


def _record_compared(window: str, durations: Durations, limits: Thresholds) -> Iterator[Record]:
    yield from record_baseline(window, durations)
    yield record_design_effect(window, durations, limits.drift.most_repeats)
