"""Whether the decisions and the probabilities are as good as the model card says, by labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import OF_CHAMPION, VERSION, any_of, any_window, sum_increase
from prometheus.generator.recordings.baseline import with_version
from prometheus.generator.recordings.design_effect import LABELLED, effective
from prometheus.generator.recordings.maturity import judged
from prometheus.generator.recordings.quality import WINDOWS, of_champion
from prometheus.generator.rule import Alert
from prometheus.generator.thresholds import Thresholds

# Frauds of another kind, or another share of them: precision and recall move with the mix.
_OTHER_FRAUD = ("drift", "fraud-burst")


def alert_on_quality(durations: Durations, limits: Thresholds) -> Iterator[Alert]:
    """Live quality, calibration, expected performance, and the labels themselves."""
    # The live share is below the card's by the limit, and by more than both samples' chance.
    yield Alert(
        "LiveQualityLow",
        "ticket",
        _any_window(_is_low, limits),
        durations("15m"),
        "Live {{ $labels.measure }} of model {{ $labels.version }} is significantly below"
        " its card's (labels of the last {{ $labels.window }}).",
        "It is {{ $value | humanizePercentage }} below the card.",
        scenarios=("concept",),
        may_follow=_OTHER_FRAUD,
    )
    # The calibration error is above what chance gives by the limit, and by more than it varies; or
    # frauds are fewer or more than the probabilities say, by a factor and by more than chance.
    yield Alert(
        "CalibrationBroken",
        "ticket",
        _any_window(_is_miscalibrated, limits),
        durations("15m"),
        "The fraud probabilities of model {{ $labels.version }} no longer are probabilities"
        " (labels of the last {{ $labels.window }}).",
        '{{ if eq $labels.measure "fraud_ratio" }}For each fraud that they say there are'
        ' {{ $value | printf "%.2f" }}.{{ else }}The calibration error is'
        " {{ $value | humanizePercentage }} above what chance gives.{{ end }}",
        may_follow=("concept", *_OTHER_FRAUD),
    )
    # Realised and expected performance differ by the limit, and by more than their standard error.
    yield Alert(
        "ExpectedPerformanceGap",
        "ticket",
        _any_window(_is_unexpected, limits),
        durations("15m"),
        "Realised {{ $labels.measure }} of model {{ $labels.version }} is not what its scores"
        " promised (last {{ $labels.window }}).",
        "The gap is {{ $value | humanizePercentage }}.",
        may_follow=("concept", *_OTHER_FRAUD),
    )
    yield _alert_on_labels(durations, limits)


def _alert_on_labels(durations: Durations, limits: Thresholds) -> Alert:
    counter = f"outcomes_total{{{OF_CHAMPION}}}"
    # The same day of one of the last two weeks promises labels, and none came in the last day.
    return Alert(
        "LabelsStalled",
        "ticket",
        f"""
        {_expect_labels(counter, durations)}
          >= {limits.labels.expected_in_window:g}
        unless on (job) ({sum_increase(counter, durations("1d"))} > 0)
        """,
        durations("1h"),
        "No label came in a day: live quality is blind.",
        '{{ $value | printf "%.0f" }} were to be expected.',
        caused_by=("ServiceDown", "TelemetrySilent"),
        scenarios=("late-labels",),
    )


def _any_window(condition: Callable[[str, Thresholds], str], limits: Thresholds) -> str:
    """The condition in one of the windows, for the versions whose labels are judged."""
    return any_window(
        {each: with_version(condition(each, limits), judged(each)) for each in WINDOWS}
    )


def _expect_labels(counter: str, durations: Durations) -> str:
    """Labels of the same 24 hours a week or two ago, whichever are more; without samples that old,
    a seventh of the week before the last day."""
    day = durations("1d")
    same_day = any_window(
        {
            ago: f"sum by (job) (increase({counter}[{day}] offset {durations(ago)}))"
            for ago in ("7d", "14d")
        }
    )
    pace = f"sum by (job) (increase({counter}[{durations('7d')}] offset {day})) / 7"
    week = f"[{durations('7d')}] offset {durations('7d')}"
    older = f"count by (job) (last_over_time({counter}{week}))"
    return f"(max by (job) (\n{same_day}\n)\nor\n({pace} unless on (job) {older}))"


def _is_low(window: str, limits: Thresholds) -> str:
    loss, quality = f"job:outcomes:loss{window}", limits.quality
    accuracy = effective(of_champion("trials", window, 'measure="accuracy"'), LABELLED)
    return (
        f"  ({loss} > {quality.loss:g}"
        f" and {loss} > {quality.sigmas:g} * job:outcomes:loss_deviation{window}\n"
        f"  and ({_trials(window)}) >= {quality.minimum_trials:g}\n"
        f"  and on ({VERSION}) ({accuracy})"
        f" >= {quality.minimum_outcomes:g})"
    )


def _trials(window: str) -> str:
    """The independent trials of each measure."""
    return effective(of_champion("trials", window), LABELLED)


def _is_miscalibrated(window: str, limits: Thresholds) -> str:
    return any_of(
        f'label_replace(\n{condition}\n, "measure", "{measure}", "", "")'
        for measure, condition in (
            ("calibration_error", _has_error(window, limits)),
            ("fraud_ratio", _has_other_ratio(window, limits)),
        )
    )


def _has_error(window: str, limits: Thresholds) -> str:
    quality, name = limits.quality, f"job:outcome_scores:calibration_{{}}{window}"
    error, chance, deviation = (name.format(each) for each in ("error", "chance", "deviation"))
    outcomes = effective(f"sum by ({VERSION}) (job:outcome_scores:increase{window})", LABELLED)
    return (
        f"  ({error} - {chance} > {quality.calibration_error:g}"
        f" and {error} > {chance} + {quality.sigmas:g} * {deviation}"
        f" and ({outcomes}) >= {quality.minimum_outcomes:g})"
    )


def _has_other_ratio(window: str, limits: Thresholds) -> str:
    quality, name = limits.quality, f"job:outcome_scores:{{}}{window}"
    ratio, expected = name.format("fraud_ratio"), name.format("expected_frauds")
    factor, sigmas = f"{quality.calibration_factor:g}", f"{quality.sigmas:g}"
    least = f"{quality.minimum_trials:g}"
    return (
        f"  (({ratio} > {factor} and {name.format('fraud_rise')} > {sigmas}"
        f" and ({effective(f'{ratio} * {expected}', LABELLED)}) >= {least})\n"
        f"  or ({ratio} < 1 / {factor} and {name.format('fraud_fall')} > {sigmas}"
        f" and ({effective(expected, LABELLED)}) >= {least}))"
    )


def _is_unexpected(window: str, limits: Thresholds) -> str:
    gap, expected = f"job:expected:gap{window}", limits.expected
    return (
        f"  ({gap}\n"
        f"  and abs({gap}) > {expected.gap:g}\n"
        f"  and abs({gap}) > {expected.sigmas:g} * job:expected:gap_deviation{window}\n"
        f"  and on ({VERSION}, measure) ({_trials(window)})"
        f" >= {limits.quality.minimum_trials:g})"
    )
