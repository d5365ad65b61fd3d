"""The measured and the computed figures in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.scale.sizing.cloud_cost import Prices, month_of
from bench.scale.sizing.measurement import Measured
from bench.scale.sizing.projection import Projection, project
from bench.scale.sizing.rule_table import RuleModel

_DAY = 86_400
QUEUE_MIB = 128
"""COLLECTOR_QUEUE_MIB unless it is set: otel-collector/distribution/settings.go."""
PUSH_SECONDS = 15


Read = Callable[[Measured], float]


def _series(one: Measured) -> float:
    return one.pushed_series


def _samples(one: Measured) -> float:
    return one.samples_per_second


@dataclass(frozen=True)
class Figure:
    """A row: what it is, how it is read and written; what it grows with, unless it does not."""

    name: str
    read: Read
    form: str
    over: Read | None = None


COLLECTOR_CPU = Figure("Collector: of one core", lambda one: one.collector_cpu, ".1%", _samples)
COLLECTOR_MEMORY = Figure("Collector: memory, MiB", lambda one: one.collector_pss, ",.0f", _samples)
STORE_CPU = Figure("Prometheus: of one core", lambda one: one.store_cpu, ".1%", _samples)
STORE_MEMORY = Figure("Prometheus: memory, MiB", lambda one: one.store_pss, ",.0f", _series)
FIGURES = (
    Figure(
        "series in the store, recorded ones too", lambda one: one.stored_series, ",.0f", _series
    ),
    Figure("Collector: of one core", lambda one: one.collector_cpu, ".1%", _samples),
    Figure("Collector: memory, MiB", lambda one: one.collector_pss, ",.0f", _samples),
    Figure("Prometheus: of one core", lambda one: one.store_cpu, ".1%", _samples),
    Figure("Prometheus: memory, MiB", lambda one: one.store_pss, ",.0f", _series),
    Figure("Prometheus: write-ahead log a day, GB", lambda one: _log_a_day(one), ",.1f", _samples),
)
CHECKS = (
    Figure("all rules once, young store, s by the clock", lambda one: one.rule_seconds, ",.1f"),
    Figure("slowest group of them, of its interval", lambda one: one.slowest_share, ".1%"),
    Figure("evaluations left out", lambda one: one.missed, ",.0f"),
    Figure("Collector's queue at most, KiB", lambda one: one.queue_kib, ",.0f"),
    Figure("pushes sent", lambda one: one.pushes, ",.0f"),
    Figure("push sent late, at most, s", lambda one: one.late_seconds, ",.1f"),
    Figure("pushes refused", lambda one: one.refused, ",.0f"),
    Figure("counts and samples lost", lambda one: one.lost, ",.0f"),
    Figure("sender: of one core", lambda one: one.sender_cpu, ".1%"),
)


def format_sizes(found: Mapping[int, Measured], size: int, prices: Prices, model: RuleModel) -> str:
    """The table: a column for each number of replicas, the last one computed."""
    sizes = sorted(found)
    known = [found[each] for each in sizes]
    head = [f"{each:,}" for each in sizes] + [f"{size:,}, computed", "error of the computation"]
    pushed = [f"{_series(one):,.0f}" for one in known] + [f"{_series_of(known, size):,.0f}"]
    samples = _project_samples(known, size)
    rates = [*map(_samples, known), samples.value]
    lines = [
        f"| replicas | {' | '.join(head)} |",
        f"| --- |{' ---: |' * len(head)}",
        f"| series pushed | {' | '.join(pushed)} | |",
        f"| samples a second into the store | {' | '.join(f'{one:,.0f}' for one in rates)}"
        f" | {samples.deviation:+.0%} |",
        *(_format_row(figure, known, size) for figure in FIGURES),
        _format_rules(model, [*sizes, size]),
        *(_format_check(figure, known) for figure in CHECKS),
        _format_queue(found, size),
        *(_format_cost(found, size, prices, interval) for interval in (60, 15)),
    ]
    return "\n".join(lines)


def largest_deviation(found: Mapping[int, Measured], size: int) -> tuple[str, float]:
    """The figure that the computation misses most for the largest size that was measured."""
    known = [found[each] for each in sorted(found)]
    deviations = {figure.name: project_figure(figure, known, size).deviation for figure in FIGURES}
    worst = max(deviations, key=lambda name: abs(deviations[name]))
    return worst, deviations[worst]


def _series_of(known: Sequence[Measured], size: int) -> float:
    return _series(known[-1]) / known[-1].replicas * size


def _project_samples(known: Sequence[Measured], size: int) -> Projection:
    """Those of the pushes, all in time, and what rules and scrapes add at the smallest size."""
    first, last = known[0], known[-1]
    constant = _samples(first) - _series(first) / PUSH_SECONDS
    last_computed = _series(last) / PUSH_SECONDS + constant
    value = _series_of(known, size) / PUSH_SECONDS + constant
    return Projection(value, last_computed / _samples(last) - 1)


def project_figure(figure: Figure, known: Sequence[Measured], size: int) -> Projection:
    """A figure of all sizes, from the smallest on, carried on to another size."""
    over = figure.over or _series
    target = _project_samples(known, size).value if over is _samples else _series_of(known, size)
    return project({over(one): figure.read(one) for one in known}, target)


def _format_row(figure: Figure, known: Sequence[Measured], size: int) -> str:
    computed = project_figure(figure, known, size)
    cells = [format(figure.read(one), figure.form) for one in known]
    cells += [format(computed.value, figure.form), f"{computed.deviation:+.0%}"]
    return f"| {figure.name} | {' | '.join(cells)} |"


def _format_check(figure: Figure, known: Sequence[Measured]) -> str:
    cells = [format(figure.read(one), figure.form) for one in known]
    return f"| {figure.name} | {' | '.join(cells)} | | |"


def _format_rules(model: RuleModel, sizes: Sequence[int]) -> str:
    cells = [f"{model.seconds(size, PUSH_SECONDS):,.0f}" for size in sizes]
    name = "all rules once, windows full: processor seconds (computed)"
    return f"| {name} | {' | '.join(cells)} | {model.error:+.0%} |"


def _format_cost(found: Mapping[int, Measured], size: int, prices: Prices, interval: int) -> str:
    known = [found[each] for each in sorted(found)]
    pushed = [float(one.pushed_series) for one in known]
    recorded = [float(one.recorded_series) for one in known]
    pushed.append(pushed[-1] / known[-1].replicas * size)
    # What the rules record does not grow with the replicas.
    recorded.append(max(recorded))
    cells = [
        f"{month_of(prices, each, rules, interval):,.0f}"
        for each, rules in zip(pushed, recorded, strict=True)
    ]
    name = f"Grafana Cloud, a push each {interval} s: $ a month"
    return f"| {name} | {' | '.join(cells)} | |"


def _format_queue(found: Mapping[int, Measured], size: int) -> str:
    largest = found[max(found)]
    sizes = [*sorted(found), size]
    minutes = [
        QUEUE_MIB * 2**20 / (largest.push_bytes * largest.workers * each) * PUSH_SECONDS / 60
        for each in sizes
    ]
    cells = " | ".join(f"{each:,.1f}" for each in minutes)
    name = f"outage of the store that {QUEUE_MIB} MiB of queue hold, minutes (computed)"
    return f"| {name} | {cells} | |"


def _log_a_day(one: Measured) -> float:
    return one.log_bytes_per_second * _DAY / 1e9
