"""What moved the score: the change of the mean score, divided among the features.

A prediction's Shapley values add up to its score less the background's mean score, so the mean
contribution of each feature live less its mean on the holdout adds up, over the features, to the
mean score live less the holdout's (Lundberg et al. 2020, 'From local explanations to global
understanding with explainable AI for trees', 2.7.4: supervised monitoring by contributions).
Live contributions are those of the sampled predictions (EXPLAIN_PERCENT), so the sum is the change
of these: with n of them it has a standard error of some 0.15 / sqrt(n). The true change is known,
by all predictions: people are told of changes that add up to it within half of it, else what the
sample shows is chance.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import VERSION, sum_increase
from prometheus.generator.recordings.baseline import unless_two_models
from prometheus.generator.rule import Group, Record
from prometheus.generator.thresholds import Thresholds
from telemetry.metrics import DIRECTIONS

# Windows of the drift that hold enough explained predictions, and how often they are evaluated.
WINDOWS = {"1h": "1m", "24h": "4m"}
RAISES, LOWERS = DIRECTIONS
_USUAL = "job:model_holdout_mean_score"


def change(window: str) -> str:
    """Name of the recorded change of the mean score by feature."""
    return f"feature:score_change:mean{window}"


def change_that_adds_up(window: str, chosen: str = "") -> str:
    """The changes by feature where their sum is within half of the mean score's own change."""
    changes = f"{change(window)}{chosen}"
    moved = f"job:predictions:mean_score{window} - on ({VERSION}) {_USUAL}:last{window}"
    error = f"abs(sum by ({VERSION}) ({changes}) - on ({VERSION}) ({moved}))"
    return f"({changes} and on ({VERSION}) ({error} < on ({VERSION}) 0.5 * abs({moved})))"


def record_score_change(durations: Durations, limits: Thresholds) -> Iterator[Group]:
    """The change by feature, a group for each window."""
    for window, every in WINDOWS.items():
        rules = tuple(_record_window(window, durations, limits))
        yield Group(f"score_change_{window}", durations(every), rules)


def describe_movers(count: int = 3) -> str:
    """Template of an alert's text: the features that moved the job's mean score most, with how
    far; of the shortest window whose explained predictions show the change, else nothing."""
    # The template's function printf takes the labels' values, quoted, by their place.
    chosen = "{job=%[1]q, version_slot=%[2]q}"
    changes = " or ".join(change_that_adds_up(window, chosen) for window in WINDOWS)
    most = f"sort_desc(({changes}) and topk({count}, abs({changes})))"
    return (
        f"{{{{ with printf `{most}` $labels.job $labels.version_slot | query }}}}"
        " The mean score moved most by{{ range $n, $one := . }}{{ if $n }},{{ end }}"
        ' {{ $one.Labels.feature }} {{ $one.Value | printf "%+.3f" }}{{ end }}.{{ end }}'
    )


def _record_window(window: str, durations: Durations, limits: Thresholds) -> Iterator[Record]:
    span, count = durations(window), f"job:explanations:enough{window}"
    # Explained predictions, where they are enough.
    explained = sum_increase("explanations_total", span, VERSION)
    enough = f"{explained} >= {limits.rates.minimum_explained:g}"
    yield Record(count, f"{enough} {unless_two_models(window)}")
    raised, lowered = (
        sum_increase(f'feature_attribution_total{{direction="{way}"}}', span, f"{VERSION}, feature")
        for way in (RAISES, LOWERS)
    )
    gauge = f"last_over_time(feature_holdout_contribution[{span}])"
    usual = f"max by ({VERSION}, feature) ({gauge})"
    # The mean contribution of each feature, less that on the holdout.
    yield Record(
        change(window),
        f"({raised} - {lowered}) / on ({VERSION}) group_left () {count}\n"
        f"- on ({VERSION}, feature) {usual}",
    )
