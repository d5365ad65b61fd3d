"""What the decisions are worth before any label: confidence-based performance estimation (CBPE).

A calibrated probability p is the chance that the transaction is fraud. So of the predicted frauds
the sum of p is expected to be fraud, of the predicted legitimate ones too: all four cells of the
confusion matrix follow, and with them accuracy, precision, recall and F1 (NannyML's CBPE).
Recorded as model_*{evaluation="expected"} over the last day.

The gap is realised - expected. Its standard error has two parts. The labels: precision, recall
and accuracy are shares of labelled outcomes, r (1 - r) / trials at the expected share r. The
scores: the expected share is a mean over the window's predictions, another sample than the
labelled ones. The sum of p squared is (sum of p) - (sum of p (1 - p)), hence
prediction_uncertainty_total; recall, a ratio of two sums, by the delta method. Where both samples
are the same transactions the error is overstated.

It holds while the scores are calibrated and the labelled are a fair sample; the gap tells if not.
"""

from __future__ import annotations

from collections.abc import Iterator

from model.serving.vocabulary import FRAUD, LEGITIMATE
from prometheus.generator.durations import Durations
from prometheus.generator.promql import VERSION, select_live, sum_increase
from prometheus.generator.recordings import quality
from prometheus.generator.recordings.baseline import unless_two_models
from prometheus.generator.recordings.design_effect import widen
from prometheus.generator.recordings.quality import MEASURES, f1_of_champion, of_champion
from prometheus.generator.rule import Group, Record

WINDOWS = {"1h": "1m", **quality.WINDOWS}
SHOWN = quality.LIVE  # the window of model_*{evaluation="expected"}
COMPARED = tuple(quality.WINDOWS)  # the windows in which there are labels
_SUMS = ("predictions", "prediction_probability", "prediction_uncertainty")


def record_estimates(durations: Durations) -> Iterator[Group]:
    """Expected performance by window, and where there are labels the gap to the realised."""
    for window, every in WINDOWS.items():
        rules = [*_record_sums(window, durations), *_record_measures(window)]
        if window == SHOWN:
            rules += _record_shown(window)
        if window in COMPARED:
            rules += _record_gaps(window)
        yield Group(f"expected_{window}", durations(every), tuple(rules))


def _record_sums(window: str, durations: Durations) -> Iterator[Record]:
    # Live predictions, and their sums of p and of p (1 - p), by decision.
    for counter in _SUMS:
        series = select_live() if counter == "predictions" else f"{counter}_total"
        increase = sum_increase(series, durations(window), f"{VERSION}, class_name")
        yield Record(f"class:{counter}:increase{window}", increase)


def _sums(window: str, class_name: str = "") -> tuple[str, ...]:
    """The recorded sums in the order of _SUMS, of one decision or of both."""
    chosen = f'{{class_name="{class_name}"}}' if class_name else ""
    return tuple(
        f"sum by ({VERSION}) (class:{counter}:increase{window}{chosen})" for counter in _SUMS
    )


def _share(window: str) -> str:
    return f"job:expected:share{window}"


def _share_of(measure: str, window: str) -> str:
    return f'sum by ({VERSION}) ({_share(window)}{{measure="{measure}"}})'


def _record_measures(window: str) -> Iterator[Record]:
    name = _share(window)
    predictions, frauds, _ = _sums(window)
    alarms, hits, _ = _sums(window, FRAUD)
    quiet, missed, _ = _sums(window, LEGITIMATE)
    # The right decisions, of all; the frauds among the alarms; the alarms among the frauds.
    accuracy = f"({hits} + {quiet} - {missed}) / ({predictions} > 0)"
    yield Record(name, accuracy, {"measure": "accuracy"})
    yield Record(name, f"{hits} / ({alarms} > 0)", {"measure": "precision"})
    yield Record(name, f"{hits} / ({frauds} > 0)", {"measure": "recall"})
    # The harmonic mean of precision and recall.
    yield Record(f"job:expected:f1_score{window}", f"2 * {hits} / ({alarms} + {frauds} > 0)")


def _record_shown(window: str) -> Iterator[Record]:
    # The last day's estimates under the names of the card's figures.
    label = {"evaluation": "expected"}
    for measure in MEASURES:
        yield Record(f"model_{measure}", _share_of(measure, window), label)
    yield Record("model_f1_score", f"job:expected:f1_score{window}", label)


def _record_gaps(window: str) -> Iterator[Record]:
    expected = _share(window)
    # Realised less expected, of the three shares and of F1, of each version by itself.
    for realised, estimated, labels in (
        (of_champion("share", window), expected, {}),
        (f1_of_champion(window), f"job:expected:f1_score{window}", {"measure": "f1_score"}),
    ):
        gap = f"{realised} - {estimated} {unless_two_models(window)}"
        yield Record(f"job:expected:gap{window}", gap, labels)
    # The variance of the expected shares, and with that of the labels the gap's standard error.
    yield from _record_score_variances(window)
    sampling = f"{expected} * (1 - {expected}) / ({of_champion('trials', window)} > 0)"
    deviation = f"sqrt(clamp_min({sampling} + job:expected:score_variance{window}, 0))"
    yield Record(f"job:expected:gap_deviation{window}", widen(deviation))


def _record_score_variances(window: str) -> Iterator[Record]:
    """Variance of each expected share as a mean over the window's predictions."""
    name = f"job:expected:score_variance{window}"
    predictions, frauds, unsure = _sums(window)
    alarms, _, unsure_alarms = _sums(window, FRAUD)
    for measure, trials, uncertainty in (
        ("accuracy", predictions, unsure),
        ("precision", alarms, unsure_alarms),
    ):
        mean = _share_of(measure, window)
        spread = f"({mean} - {uncertainty} / ({trials} > 0) - {mean} ^ 2) / {trials}"
        yield Record(name, spread, {"measure": measure})
    recall = _share_of("recall", window)
    missed, hits = (
        f"({scores} - {uncertainty})"
        for _, scores, uncertainty in (_sums(window, each) for each in (LEGITIMATE, FRAUD))
    )
    yield Record(
        name,
        f"((1 - {recall}) ^ 2 * {hits} + {recall} ^ 2 * {missed})\n/ ({frauds} > 0) ^ 2",
        {"measure": "recall"},
    )
