"""How good the scores were, from labelled outcomes by the bin of their probability.

ROC AUC is binned: of pairs (fraud, legitimate) in different probability bins the higher is right,
in the same bin half: up to 0.004 below the card's, which is of the scores themselves. Brier = mean
squared error.

Calibration error (ECE) is the sum over bins of |sum of probabilities - frauds| / outcomes. The
part of it that chance gives to a calibrated model: the mean of |x| of a normal x is sqrt(2 / pi)
standard deviations, its variance 1 - 2 / pi; the bin's variance is n p (1 - p) at its mean
probability p, which is not less than the true one.

Where fraud is rare that error is small whatever happens: it is at most the share of fraud plus the
mean probability. So frauds are also compared with the sum of the probabilities of all labelled
outcomes (calibration in the large): as a ratio, and by the
test of a count (two_counts.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import pi, sqrt

from prometheus.generator.durations import Durations
from prometheus.generator.promql import LABELLED_FRAUD, LABELLED_LEGITIMATE, VERSION, sum_increase
from prometheus.generator.recordings.design_effect import widen
from prometheus.generator.recordings.two_counts import excess_over_expected, shortfall_of_expected
from prometheus.generator.rule import Record
from telemetry.metrics import OUTCOME_BINS


def record_scores(window: str, durations: Durations) -> Iterator[Record]:
    """The outcomes by bin, and what follows from them."""
    span, names = durations(window), Names(window)
    # Outcomes by bin and true class, the sum of their probabilities, and all outcomes.
    yield Record(names.by_bin, sum_increase("outcome_scores_total", span, f"{VERSION}, bin, truth"))
    yield Record(names.given, sum_increase("outcome_probability_total", span, f"{VERSION}, bin"))
    yield Record(names.total, f"sum by ({VERSION}, truth) ({names.by_bin})")
    # The share of pairs (fraud, legitimate) in which the fraud has the higher probability.
    yield Record(names.below, _legitimate_below(names.by_bin))
    auc = _roc_auc(names.by_bin, names.total, names.below)
    yield Record(f"job:outcome_scores:roc_auc{window}", auc)
    # How far the frauds of the bins are from those that their probabilities say.
    error = f"sum by ({VERSION}) (abs({names.given} - {_frauds(names.by_bin)}))"
    yield Record(f"job:outcome_scores:calibration_error{window}", f"{error} / {names.outcomes}")
    # The mean squared error of the probabilities.
    squared = sum_increase("outcome_squared_error_total", span, VERSION)
    yield Record(f"job:outcome_scores:brier{window}", f"{squared} / {names.outcomes}")
    yield from _compare_with_probabilities(window, names)
    yield from _record_chance(window, names)


@dataclass(frozen=True)
class Names:
    """Names of the series that the others are computed from, and two expressions of them."""

    window: str

    @property
    def by_bin(self) -> str:
        """Outcomes by bin and true class."""
        return f"bin:outcome_scores:increase{self.window}"

    @property
    def given(self) -> str:
        """Sum of the outcomes' probabilities, by bin."""
        return f"bin:outcome_probability:increase{self.window}"

    @property
    def total(self) -> str:
        """Outcomes by true class."""
        return f"job:outcome_scores:increase{self.window}"

    @property
    def below(self) -> str:
        """Legitimate outcomes with a lower probability, by bin."""
        return f"bin:outcome_scores:below{self.window}"

    @property
    def outcomes(self) -> str:
        """All outcomes, where there is one."""
        return f"(sum by ({VERSION}) ({self.total}) > 0)"

    @property
    def variance(self) -> str:
        """Variance of the frauds of a bin."""
        count = f"(sum by ({VERSION}, bin) ({self.by_bin}) > 0)"
        return f"clamp_min(({self.given} - {self.given} ^ 2 / {count}), 0)"


def _compare_with_probabilities(window: str, names: Names) -> Iterator[Record]:
    # Frauds against the sum of the probabilities: the latter, the ratio, and by how many standard
    # deviations they are more, and fewer.
    expected, fraud = f"sum by ({VERSION}) ({names.given})", f"{names.total}{{{LABELLED_FRAUD}}}"
    name = f"job:outcome_scores:expected_frauds{window}"
    observed, spread = f"(sum by ({VERSION}) ({fraud}) or 0 * {expected})", names.variance
    yield Record(name, expected)
    yield Record(f"job:outcome_scores:fraud_ratio{window}", f"{observed} / ({name} > 0)")
    some_spread = f"({widen(f'(sum by ({VERSION}) ({spread}) > 0)', power=1)})"
    rise = excess_over_expected(observed, name, some_spread)
    yield Record(f"job:outcome_scores:fraud_rise{window}", rise)
    fall = shortfall_of_expected(observed, name, some_spread)
    yield Record(f"job:outcome_scores:fraud_fall{window}", fall)


def _record_chance(window: str, names: Names) -> Iterator[Record]:
    # The calibration error that chance gives to a calibrated model: its mean, and its deviation.
    for name, value in (
        (
            "chance",
            f"{sqrt(2 / pi)} * sum by ({VERSION}) (sqrt({names.variance})) / {names.outcomes}",
        ),
        (
            "deviation",
            f"sqrt({1 - 2 / pi} * sum by ({VERSION}) ({names.variance})) / {names.outcomes}",
        ),
    ):
        yield Record(f"job:outcome_scores:calibration_{name}{window}", widen(value))


def _frauds(by_bin: str) -> str:
    return f"sum by ({VERSION}, bin) ({by_bin}{{{LABELLED_FRAUD}}})"


def _legitimate_below(by_bin: str) -> str:
    """Legitimate outcomes in lower bins and half of those in the same one, by bin."""
    terms = []
    for position, own in enumerate(OUTCOME_BINS):
        half = f'0.5 * sum by ({VERSION}) ({by_bin}{{{LABELLED_LEGITIMATE}, bin="{own}"}})'
        lower = f'{by_bin}{{{LABELLED_LEGITIMATE}, bin=~"{"|".join(OUTCOME_BINS[:position])}"}}'
        value = f"{half} + sum by ({VERSION}) ({lower})" if position else half
        terms.append(f'label_replace({value}, "bin", "{own}", "", "")')
    return "\nor ".join(terms)


def _roc_auc(by_bin: str, total: str, below: str) -> str:
    frauds, legitimate = (
        f"sum by ({VERSION}) ({total}{{{of_class}}})"
        for of_class in (LABELLED_FRAUD, LABELLED_LEGITIMATE)
    )
    return f"sum by ({VERSION}) ({_frauds(by_bin)} * {below}) / ({frauds} * {legitimate} > 0)"
