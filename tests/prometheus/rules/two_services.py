"""Every series of two services that share a store, and as much of their labels as can be the same.

Both call their instance, their version and one of their features alike: only the job tells them
apart. One has a challenger, and they differ in features, rates, holdout and thresholds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from telemetry.metrics import METRICS, Kind, Metric
from tests.prometheus.rules.series import (
    COLLECTOR,
    SLOT,
    VERSION,
    alertmanager,
    collector,
    constant,
    probe,
    rising,
    up,
)

BINS = ("01", "02", "03", "04")
SHARED_FEATURE = "amount"
CHALLENGER = "challenger"
# Most labels come soon, so that versions are judged.
_LATE = {"1d", "7d", "30d", "older"}
_SMALL = {"feature_importance", "model_holdout_alert_rate", "model_holdout_mean_score"}


@dataclass(frozen=True)
class Service:
    """A service with a model of its own; `rate` is about how often anything happens in a step."""

    job: str
    features: tuple[str, ...]
    rate: float
    with_challenger: bool

    def series(self, steps: int) -> dict[str, str]:
        """Every metric of telemetry/metrics.py in promtool's notation; values follow from labels
        and job, and are the same each time."""
        found = {}
        for metric in METRICS:
            for labels in self._labels(metric):
                for name, shown, values in _samples(metric, labels, self, steps):
                    found[f"{name}{{{_write(self.job, shown)}}}"] = values
        return found

    def _labels(self, metric: Metric) -> Iterator[dict[str, str]]:
        """The combinations that this service has of the metric's labels."""
        if not self.with_challenger and metric.exposed.startswith(("challenger_", "paired_")):
            return
        own = {"feature": self.features, "bin": BINS, "version_slot": (SLOT,), "range": ("",)}
        own["version"] = (VERSION,)
        sets = [own.get(name, ()) or given for name, given in metric.labels.items()]
        if metric.labels.get("bin"):
            sets[list(metric.labels).index("bin")] = metric.labels["bin"]
        for values in product(*sets):
            if metric.is_known(values):
                labels = dict(zip(metric.labels, values, strict=True))
                if self.with_challenger or labels.get("role") != CHALLENGER:
                    yield {k: labels["bin"] if k == "range" else v for k, v in labels.items()}


A = Service("fraud-handler", (SHARED_FEATURE, "age", "country"), 40.0, with_challenger=True)
B = Service("loans/scoring", (SHARED_FEATURE, "income", "term", "rating"), 9.0, False)


def _samples(
    metric: Metric, labels: dict[str, str], service: Service, steps: int
) -> Iterator[tuple[str, dict[str, str], str]]:
    dice = random.Random(f"{service.job} {metric.exposed} {sorted(labels.items())}")
    if metric.kind is Kind.HISTOGRAM:
        yield from _histogram(metric, labels, dice, service, steps)
    elif metric.kind is Kind.COUNTER:
        yield metric.exposed, labels, rising(_speed(metric, labels, dice, service), steps)
    else:
        yield metric.exposed, labels, constant(_gauge(metric.exposed, labels, dice), steps)


def _speed(metric: Metric, labels: dict[str, str], dice: random.Random, service: Service) -> float:
    """So much more in each step; whole where it is a count."""
    speed = service.rate * dice.uniform(0.2, 3)
    if metric.exposed.startswith(("prediction_", "outcome_probability", "outcome_squared")):
        return speed / 8
    if metric.exposed == "telemetry_deliveries_total" or labels.get("age") in _LATE:
        return 1.0
    if metric.exposed.startswith("feature_attribution"):
        return speed / 20
    return float(max(1, round(speed)))


def _gauge(name: str, labels: dict[str, str], dice: random.Random) -> float:
    if name == "feature_calendar":
        return float(labels["feature"] == SHARED_FEATURE)
    if name.endswith("baseline_share"):
        return 1 / len(BINS)
    if name.endswith(("_rows", "_frauds")):
        return dice.choice([2000, 4000]) if name.endswith("_rows") else 120
    if name == "model_version":
        return 1
    return dice.uniform(0.01, 0.1) if name in _SMALL else dice.uniform(0.4, 0.95)


def _histogram(
    metric: Metric, labels: dict[str, str], dice: random.Random, service: Service, steps: int
) -> Iterator[tuple[str, dict[str, str], str]]:
    count = 0.0
    for bound in (*metric.bounds, float("inf")):
        count += max(1, round(service.rate * dice.uniform(0, 0.5)))
        le = "+Inf" if bound == float("inf") else f"{bound:g}"
        yield f"{metric.exposed}_bucket", {**labels, "le": le}, rising(count, steps)
    yield f"{metric.exposed}_count", labels, rising(count, steps)
    yield f"{metric.exposed}_sum", labels, rising(count * dice.uniform(0.01, 0.2), steps)


def _write(job: str, labels: dict[str, str]) -> str:
    given = {"job": job, "instance": "host-0", **labels}
    return ", ".join(f'{name}="{value}"' for name, value in given.items())


def of_the_stack(steps: int) -> dict[str, str]:
    """The Collector and Alertmanager, which both services share."""
    found = up(constant(1, steps)) | alertmanager("up", constant(1, steps))
    found |= collector("otelcol_exporter_queue_size", f"1+1x{steps}")
    found |= collector("otelcol_exporter_queue_capacity", constant(1000, steps))
    found |= {
        f"otelcol_receiver_accepted_metric_points_total{{{COLLECTOR}}}": rising(900, steps),
    }
    return found | probe(constant(1, steps))
