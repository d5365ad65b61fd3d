"""Share of predicted fraud, mean score and refused inputs, against what the holdout had.

A share's standard error under the holdout's share r is sqrt(r (1 - r) (1/n + 1/m)), n live and m
holdout rows. The mean score's is the same with the holdout's mean score as r: a score lies between
0 and 1, so with the mean r its variance is r (1 - r) at most. The live scores' own variance would
not do: a window that by chance has no fraud in it has hardly any.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Clock
from prometheus.generator.recordings.drift import WINDOWS, last
from prometheus.generator.rule import Group, Record, RuleFile
from prometheus.generator.thresholds import Thresholds
from prometheus.generator.wilson import low

INPUTS = "15m"  # the window of refused inputs


def rates_file(clock: Clock, limits: Thresholds) -> RuleFile:
    """rules/rates.yml"""
    groups = [
        Group(f"rates_{window}", clock(every), tuple(_rates(window, clock, limits)))
        for window, every in WINDOWS.items()
    ]
    inputs = Group("inputs", clock("1m"), tuple(_inputs(clock, limits)))
    about = (
        "Predicted-fraud share, mean score, refused inputs; formulas: generator/recordings/rates.py"
    )
    return RuleFile("rates.yml", about, (*groups, inputs))


def _rates(window: str, clock: Clock, limits: Thresholds) -> Iterator[Record]:
    def increase(counter: str, chosen: str = "") -> str:
        return f"sum by (job) (increase({counter}_total{chosen}[{clock(window)}]))"

    count, models = f"job:predictions:enough{window}", f"job:model_versions:count{window}"
    enough = f"{increase('predictions')} >= {limits.rates.minimum_count:g}"
    # A window with decisions of two models is compared with neither's holdout.
    yield Record(count, f"{enough} unless on (job) ({models} > 1)")
    per_row = f"(1 / {count} + 1 / {last('model_holdout_rows', window)})"
    frauds = increase("predictions", '{class_name="fraud"}')
    yield Record(f"job:predictions:fraud_share{window}", f"({frauds} or 0 * {count}) / {count}")
    usual = last("model_holdout_alert_rate", window)
    yield Record(
        f"job:predictions:fraud_share_deviation{window}",
        f"sqrt({usual} * (1 - {usual}) * {per_row})",
    )
    mean = f"job:predictions:mean_score{window}"
    yield Record(mean, f"{increase('prediction_probability')} / {count}")
    usual = last("model_holdout_mean_score", window)
    yield Record(
        f"job:predictions:mean_score_deviation{window}",
        f"sqrt({usual} * (1 - {usual}) * {per_row})",
    )


def _inputs(clock: Clock, limits: Thresholds) -> Iterator[Record]:
    span = clock(INPUTS)
    refused, seen = f"feature:data_quality:increase{INPUTS}", f"job:inputs:increase{INPUTS}"
    yield Record(refused, f"sum by (job, feature, problem) (increase(data_quality_total[{span}]))")
    all_refused = f"sum by (job) ({refused})"
    scored = f"sum by (job) (increase(predictions_total[{span}]))"
    yield Record(seen, f"({scored} or 0 * {all_refused}) + {all_refused}")
    many = f"(({refused} * 0) + on (job) group_left () ({seen} > 0))"
    yield Record(
        f"feature:data_quality:share{INPUTS}",
        f"{refused} / on (job) group_left () ({seen} > 0)",
    )
    yield Record(
        f"feature:data_quality:share_low{INPUTS}", low(refused, many, limits.data_quality.sigmas)
    )
    whole, refused_of_all = f"({seen} > 0)", f"job:data_quality:share{INPUTS}"
    yield Record(refused_of_all, f"{all_refused} / {whole}")
    yield Record(
        f"job:data_quality:share_low{INPUTS}",
        low(all_refused, whole, limits.data_quality.sigmas),
    )
