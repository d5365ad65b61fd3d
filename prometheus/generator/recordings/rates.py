"""Share of predicted fraud, mean score and refused inputs, against what the holdout had.

Predicted frauds, and the sum of the scores, are counts among n live rows (as many as are
independent, design_effect.py), compared with the same among the m rows of the holdout by the test
of two counts (two_counts.py): alarms are rare, and of rare events the normal approximation would
see too much in two or three.

The standard errors are for looking at: a share's under the holdout's share r is
sqrt(r (1 - r) (1/n + 1/m)). The mean score's is the same with the holdout's mean score as r: a
score lies between 0 and 1, so with the mean r its variance is r (1 - r) at most. The live scores'
own variance would not do: a window that by chance has no fraud in it has hardly any.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import PREDICTED_FRAUD, VERSION, select_live, sum_increase
from prometheus.generator.recordings.baseline import last, unless_two_models
from prometheus.generator.recordings.design_effect import effective
from prometheus.generator.recordings.drift import WINDOWS
from prometheus.generator.recordings.two_counts import excess_deviation
from prometheus.generator.recordings.wilson import wilson_low
from prometheus.generator.rule import Group, Record
from prometheus.generator.thresholds import Thresholds

INPUTS = "15m"  # the window of refused inputs
# What is recorded live: the holdout's gauge that it is compared with.
HOLDOUT_OF = {
    "fraud_share": "model_holdout_alert_rate",
    "mean_score": "model_holdout_mean_score",
}


def record_rates(durations: Durations, limits: Thresholds) -> Iterator[Group]:
    """Fraud share and mean score by window, and the refused inputs."""
    for window, every in WINDOWS.items():
        rates = tuple(_record_rates(window, durations, limits))
        yield Group(f"rates_{window}", durations(every), rates)
    yield Group("inputs", durations("1m"), tuple(_record_inputs(durations, limits)))


def _record_rates(window: str, durations: Durations, limits: Thresholds) -> Iterator[Record]:
    span, count = durations(window), f"job:predictions:enough{window}"
    # Live transactions, where they are enough to judge; of each version, if no other has its slot.
    enough = f"{sum_increase(select_live(), span, VERSION)} >= {limits.rates.minimum_count:g}"
    yield Record(count, f"{enough} {unless_two_models(window)}")
    # The independent transactions that these are worth.
    independent = f"job:predictions:independent{window}"
    yield Record(independent, effective(count, window))
    # The share of them that was predicted to be fraud; 0 where none was.
    frauds = sum_increase(select_live(PREDICTED_FRAUD), span, VERSION)
    yield Record(f"job:predictions:fraud_share{window}", f"({frauds} or 0 * {count}) / {count}")
    yield from _compare_with_holdout("fraud_share", window, independent)
    # The mean of their fraud probabilities.
    scores = sum_increase("prediction_probability_total", span, VERSION)
    yield Record(f"job:predictions:mean_score{window}", f"{scores} / {count}")
    yield from _compare_with_holdout("mean_score", window, independent)


def _compare_with_holdout(what: str, window: str, count: str) -> Iterator[Record]:
    name = f"job:predictions:{what}"
    usual, rows = last(HOLDOUT_OF[what], window), last("model_holdout_rows", window)
    # The standard error of the share or mean under the holdout's.
    per_row = f"(1 / {count} + 1 / {rows})"
    yield Record(f"{name}_deviation{window}", f"sqrt({usual} * (1 - {usual}) * {per_row})")
    # How far above, and below, the holdout's it is, in standard deviations.
    live, reference = f"({name}{window} * {count})", f"({usual} * {rows})"
    rise = excess_deviation(live, count, reference, rows)
    yield Record(f"{name}_rise{window}", rise)
    fall = excess_deviation(reference, rows, live, count)
    yield Record(f"{name}_fall{window}", fall)


def _record_inputs(durations: Durations, limits: Thresholds) -> Iterator[Record]:
    span, sigmas = durations(INPUTS), limits.data_quality.sigmas
    refused, seen = f"feature:data_quality:increase{INPUTS}", f"job:inputs:increase{INPUTS}"
    # Refused transactions by the field and its problem.
    yield Record(refused, sum_increase("data_quality_total", span, "job, feature, problem"))
    # All live transactions that came: scored and refused.
    all_refused = f"sum by (job) ({refused})"
    scored = sum_increase(select_live(), span)
    yield Record(seen, f"({scored} or 0 * {all_refused}) + {all_refused}")
    # The share of them that was refused for one field and problem, and its lower bound.
    yield Record(
        f"feature:data_quality:share{INPUTS}", f"{refused} / on (job) group_left () ({seen} > 0)"
    )
    seen_by_field = f"(({refused} * 0) + on (job) group_left () ({seen} > 0))"
    yield Record(
        f"feature:data_quality:share_low{INPUTS}", wilson_low(refused, seen_by_field, sigmas)
    )
    # The share that was refused for anything, and its lower bound.
    some = f"({seen} > 0)"
    yield Record(f"job:data_quality:share{INPUTS}", f"{all_refused} / {some}")
    yield Record(f"job:data_quality:share_low{INPUTS}", wilson_low(all_refused, some, sigmas))
