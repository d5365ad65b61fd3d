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

from prometheus.generator.durations import Clock
from prometheus.generator.rule import Group, Record, RuleFile

WINDOWS = {"1h": "1m", "1d": "4m", "7d": "4m"}
SHOWN = "1d"  # the window of model_*{evaluation="expected"}
COMPARED = ("1d", "7d")  # the windows in which there are labels, as in quality.py
MEASURES = ("accuracy", "precision", "recall")


def expected_file(clock: Clock) -> RuleFile:
    """rules/expected.yml"""
    groups = [_group(window, clock) for window in WINDOWS]
    about = (
        "Expected performance before labels, and its gap to the realised;"
        " generator/recordings/estimated_performance.py"
    )
    return RuleFile("expected.yml", about, tuple(groups))


def _group(window: str, clock: Clock) -> Group:
    rules = [*_sums(window, clock), *_measures(window)]
    if window == SHOWN:
        rules += _shown(window)
    if window in COMPARED:
        rules += _gaps(window)
    return Group(f"expected_{window}", clock(WINDOWS[window]), tuple(rules))


def _sums(window: str, clock: Clock) -> Iterator[Record]:
    for counter in ("predictions", "prediction_probability", "prediction_uncertainty"):
        increase = f"sum by (job, class_name) (increase({counter}_total[{clock(window)}]))"
        yield Record(f"class:{counter}:increase{window}", increase)


def _of(counter: str, window: str, class_name: str | None = None) -> str:
    """One of the recorded sums, of one decision or of both."""
    chosen = f'{{class_name="{class_name}"}}' if class_name else ""
    return f"sum by (job) (class:{counter}:increase{window}{chosen})"


def _measures(window: str) -> Iterator[Record]:
    name = f"job:expected:share{window}"
    alarms, all_of = _of("predictions", window, "fraud"), _of("predictions", window)
    hits, frauds = (
        _of("prediction_probability", window, "fraud"),
        _of("prediction_probability", window),
    )
    quiet = _of("predictions", window, "legitimate")
    missed = _of("prediction_probability", window, "legitimate")
    accuracy = f"({hits} + {quiet} - {missed}) / ({all_of} > 0)"
    yield Record(name, accuracy, {"measure": "accuracy"})
    yield Record(name, f"{hits} / ({alarms} > 0)", {"measure": "precision"})
    yield Record(name, f"{hits} / ({frauds} > 0)", {"measure": "recall"})
    yield Record(f"job:expected:f1_score{window}", f"2 * {hits} / ({alarms} + {frauds} > 0)")


def _shown(window: str) -> Iterator[Record]:
    label = {"evaluation": "expected"}
    for measure in MEASURES:
        share = f'job:expected:share{window}{{measure="{measure}"}}'
        yield Record(f"model_{measure}", f"sum by (job) ({share})", label)
    yield Record("model_f1_score", f"job:expected:f1_score{window}", label)


def _gaps(window: str) -> Iterator[Record]:
    expected, realised = f"job:expected:share{window}", _realised("share", window)
    yield Record(f"job:expected:gap{window}", f"{realised} - {expected}")
    yield Record(
        f"job:expected:gap{window}",
        f'max by (job) (segment:outcomes:f1_score{window}{{role="champion", segment="all"}})'
        f" - job:expected:f1_score{window}",
        {"measure": "f1_score"},
    )
    yield from _score_variances(window)
    labels = f"{expected} * (1 - {expected}) / ({_realised('trials', window)} > 0)"
    variance = f"job:expected:score_variance{window}"
    deviation = f"sqrt(clamp_min({labels} + {variance}, 0))"
    yield Record(f"job:expected:gap_deviation{window}", deviation)


def _realised(what: str, window: str) -> str:
    chosen = '{role="champion", segment="all"}'
    return f"max by (job, measure) (segment:outcomes:{what}{window}{chosen})"


def _score_variances(window: str) -> Iterator[Record]:
    """Variance of each expected share as a mean over the window's predictions."""
    name = f"job:expected:score_variance{window}"
    all_of, alarms = _of("predictions", window), _of("predictions", window, "fraud")
    share = {
        each: f'sum by (job) (job:expected:share{window}{{measure="{each}"}})' for each in MEASURES
    }
    for measure, trials, unsure in (
        ("accuracy", all_of, _of("prediction_uncertainty", window)),
        ("precision", alarms, _of("prediction_uncertainty", window, "fraud")),
    ):
        mean = share[measure]
        spread = f"({mean} - {unsure} / ({trials} > 0) - {mean} ^ 2) / {trials}"
        yield Record(name, spread, {"measure": measure})
    hits, missed = (
        f"({_of('prediction_probability', window, each)}"
        f" - {_of('prediction_uncertainty', window, each)})"
        for each in ("fraud", "legitimate")
    )
    frauds = _of("prediction_probability", window)
    yield Record(
        name,
        f"""
        ((1 - {share["recall"]}) ^ 2 * {hits} + {share["recall"]} ^ 2 * {missed})
        / ({frauds} > 0) ^ 2
        """,
        {"measure": "recall"},
    )
