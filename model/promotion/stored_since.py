"""Does the store still have the beginning? Where it forgets, the outcomes are a window that moves.

A window that moves is another test at each look: asked every day, a challenger without a gain was
promoted in 9.6 % of 180 days and 19.7 % of a year, at an alpha of 5 % and 15 days of retention.
"""

from __future__ import annotations

import math
import time
from typing import Final, Protocol

from model.promotion.increases import Samples
from model.serving.errors import ModelError
from prometheus.client.query import Sample, select_job, split_time

_DAY: Final = 86_400.0
# A service that was first started this long after the training has lost nothing.
TOLERANCE_SECONDS: Final = _DAY
# How long a service may have been idle before the start; Grafana Cloud takes 32 days a query.
_LOOK_BACK_SECONDS: Final = 30 * _DAY


class Store(Samples, Protocol):
    """Where samples are had, and expressions evaluated."""

    def query(self, expression: str, at: float) -> list[Sample]:
        """The expression's value at a moment."""
        ...


def refuse_moving_window(store: Store, job: str, start: float, now: float) -> None:
    """Raises ModelError if the first sample that the store has of the job is later than `start` by
    more than TOLERANCE_SECONDS."""
    latest = min(start + TOLERANCE_SECONDS, now)
    if _has_samples(store, job, start - _LOOK_BACK_SECONDS, latest):
        return
    first = _find_first(store, job, latest, now)
    if first is None:
        return
    raise ModelError(
        f"the first stored sample of {job} is of {_format(first)} UTC, later than the start of the"
        f" comparison, {_format(start)} UTC. A window that moves with the store's retention would"
        " promote too often: keep samples for as long as the comparison lasts,"
        f" {math.ceil((now - start) / _DAY) + 1} days by now (storage.tsdb.retention of"
        " prometheus/prometheus.yml), or begin anew with --since"
        f" {time.strftime('%Y-%m-%dT%H:%M', time.gmtime(first))}, the same at every look"
    )


def _has_samples(store: Store, job: str, since: float, until: float) -> bool:
    seconds = max(1, math.ceil(until - since))
    expression = f"count(last_over_time(model_version{select_job(job)}[{seconds}s]))"
    return bool(store.query(expression, until))


def _find_first(store: Store, job: str, since: float, until: float) -> float | None:
    for begin, end in split_time(since, until, _DAY):
        if _has_samples(store, job, begin, end):
            found = store.samples(f"model_version{select_job(job)}", begin, end)
            return min((one.samples[0][0] for one in found if one.samples), default=end)
    return None


def _format(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(moment))
