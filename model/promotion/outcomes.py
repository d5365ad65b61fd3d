"""Labelled outcomes of one champion and one challenger, out of what a Prometheus has kept.

The counters of a worker go on when another model is loaded. So an increase belongs to a pair only
between two successive steps at both of which that worker shows exactly this pair. A worker that was
just restarted shows the earlier models, too, for five minutes: what comes in these is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from model.promotion.prometheus import Prometheus
from model.promotion.sequential_test import PairedOutcomes
from prometheus.client.query import Series, Span

Cell = tuple[str, str, str]
Pair = tuple[str, str]
# Decision of the champion, of the challenger, true class (label `truth`): field of PairedOutcomes.
_KINDS: Mapping[Cell, str] = {
    ("legitimate", "fraud", "fraud"): "frauds_better",
    ("fraud", "legitimate", "fraud"): "frauds_worse",
    ("fraud", "legitimate", "legitimate"): "alarms_better",
    ("legitimate", "fraud", "legitimate"): "alarms_worse",
}
_Loaded = Mapping[str, Mapping[int, frozenset[Pair]]]


def fetch_outcomes(prometheus: Prometheus, job: str, pair: Pair, span: Span) -> PairedOutcomes:
    """Labelled outcomes of `pair`, champion and challenger, from while both were loaded."""
    chosen = f'{{job="{_quote(job)}"}}'
    loaded = _find_loaded(prometheus.series(f"model_version{chosen}", span))
    outcomes = prometheus.series(f"paired_outcomes_total{chosen}", span)
    return count_outcomes(outcomes, loaded, pair)


def count_outcomes(outcomes: Iterable[Series], loaded: _Loaded, pair: Pair) -> PairedOutcomes:
    """The increases that belong to `pair`, over all workers; a counter that fell began anew."""
    exactly = frozenset({("champion", pair[0]), ("challenger", pair[1])})
    kinds: dict[str, float] = defaultdict(float)
    for series in outcomes:
        shown = loaded.get(series.labels.get("instance", ""), {})
        ours = frozenset(step for step, models in shown.items() if models == exactly)
        kinds[_classify(series.labels)] += _sum_increases(series.points, ours)
    return PairedOutcomes(**kinds)


def _classify(labels: Mapping[str, str]) -> str:
    cell = labels.get("champion", ""), labels.get("challenger", ""), labels.get("truth", "")
    return _KINDS.get(cell, "alike")


def _sum_increases(points: Mapping[int, float], ours: frozenset[int]) -> float:
    total = 0.0
    for step, value in points.items():
        before = points.get(step - 1)
        if before is not None and step in ours and step - 1 in ours:
            total += value - before if value >= before else value
    return total


def _find_loaded(series: Iterable[Series]) -> _Loaded:
    """By worker and step: role and version of each model that it shows."""
    found: dict[str, dict[int, set[Pair]]] = defaultdict(lambda: defaultdict(set))
    for one in series:
        model = one.labels.get("role", ""), one.labels.get("version", "")
        for step in one.points:
            found[one.labels.get("instance", "")][step].add(model)
    return {
        instance: {step: frozenset(models) for step, models in steps.items()}
        for instance, steps in found.items()
    }


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
