"""The limits of the alerts, as the panels show them: read from where the alerts have them.

A panel leaves green no later than its alert fires, because both read prometheus/thresholds.yml and
prometheus/slo.yml.
"""

from __future__ import annotations

import re
from functools import cache

from grafana.dashboard import falling, rising
from prometheus.generator.durations import parse_duration
from prometheus.generator.slo import Objective, Slo, read_slo
from prometheus.generator.thresholds import Thresholds, read_thresholds

# Limits that follow from what is shown and are no one's choice; all others are read, never typed.
# A part of what the alert allows: half of it, all of it.
OF_LIMIT = rising(watch=0.5, act=1)
# One is one too many; so is the least of a rate.
NOT_ONE = rising(act=1)
NONE_AT_ALL = rising(act=1e-6)
# The least of a rate is enough.
SOME = falling(act=1e-6)
# Of an error budget.
NOT_SPENT = falling(act=0)


@cache
def thresholds() -> Thresholds:
    """prometheus/thresholds.yml."""
    return read_thresholds()


@cache
def slo() -> Slo:
    """prometheus/slo.yml."""
    return read_slo()


def objective(name: str) -> Objective:
    """The objective of that name."""
    (found,) = (each for each in slo().objectives if each.name == name)
    return found


def promised_seconds() -> float:
    """Within which /predict promises to answer: the bucket that counts as good."""
    return _number(r'le="([\d.]+)"', objective("latency").good)


def promised_age_seconds() -> float:
    """How old the newest sample may be."""
    return _number(r"timestamp\(model_version\)\) > bool (\d+)", objective("freshness").bad_now)


def burn_factors(severity: str) -> list[float]:
    """Burn rates at which alerts of that severity fire, from the highest."""
    return sorted((burn.factor for burn in slo().burn if burn.severity == severity), reverse=True)


def stale_after_seconds() -> int:
    """Age of the training at which a model is stale."""
    return parse_duration(thresholds().model.stale_after)


def _number(pattern: str, expression: str) -> float:
    found = re.search(pattern, expression)
    if found is None:
        raise ValueError(f"slo.yml: expected {pattern} in {expression!r}")
    return float(found[1])
