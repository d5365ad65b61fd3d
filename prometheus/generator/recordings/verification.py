"""Recall corrected for what is not labelled (verification bias), by window.

Who labels looks at alarms first: of the predicted frauds many are verified, of the others few. So
among the labelled there are too many alarms, and the plain recall is too high. C. B. Begg and
R. A. Greenes (Assessment of diagnostic tests when disease verification is subject to selection
bias, Biometrics 39, 1983) weigh the labelled of each decision by how often that decision was made.
With N decisions, L of them labelled and k of these fraud, the index 1 for predicted fraud,

    recall = N1 k1/L1 / (N1 k1/L1 + N0 k0/L0)

    var(logit recall) = 1/N1 + 1/N0 + (1 - p1) / (L1 p1) + (1 - p0) / (L0 p0),   p = k/L

so that the 95 % interval stays within 0 and 1. The interval takes (k + 1/2) / (L + 1) for p: it
exists where no missed fraud is known. It grows with the weight of the few that were verified.

Precision needs no correction: it speaks of alarms alone. All of it holds where among the
transactions of one decision it does not depend on the truth which are labelled. Where it does
(only complaints of customers come back), the missed frauds are over-represented among the labelled
ones and the corrected recall is too low; what is labelled late is a matter of maturity.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import (
    LABELLED_FRAUD,
    OF_CHAMPION,
    PREDICTED_FRAUD,
    PREDICTED_LEGITIMATE,
    VERSION,
    sum_increase,
)
from prometheus.generator.recordings.wilson import Z95
from prometheus.generator.rule import Record

_CLASS = f"{VERSION}, class_name"


def record_verification(window: str, durations: Durations) -> Iterator[Record]:
    """Coverage by decision, and the corrected recall with its interval."""
    answers, labelled = f"class:champion_answers:increase{window}", f"class:outcomes:count{window}"
    frauds, coverage = f"class:outcomes:frauds{window}", f"class:outcomes:coverage{window}"
    # Decisions that the champion answered; labels by decision, the frauds among them, and the
    # labels for each answer.
    yield Record(answers, sum_increase("champion_answers_total", durations(window), _CLASS))
    outcomes = f'segment:outcomes:increase{window}{{{OF_CHAMPION}, segment="all"}}'
    yield Record(labelled, f"sum by ({_CLASS}) ({outcomes})")
    of_fraud = outcomes.replace("}", f", {LABELLED_FRAUD}}}")
    yield Record(frauds, f"sum by ({_CLASS}) ({of_fraud}) or 0 * {labelled}")
    yield Record(coverage, f"{labelled} / ({answers} > 0)")

    def add(expression: str, decision: str) -> str:
        return f"sum by ({VERSION}) ({expression.format(f'{{{decision}}}')})"

    # Frauds among all decisions, as those that are labelled say: found, and missed.
    share = f"{answers}{{0}} * {frauds}{{0}} / ({labelled}{{0}} > 0)"
    found, missed = add(share, PREDICTED_FRAUD), add(share, PREDICTED_LEGITIMATE)
    yield Record(f"job:outcomes:corrected_recall{window}", f"{found} / ({found} + {missed} > 0)")
    # Its logit with the half of an outcome added, and that one's standard error.
    half = f"{answers}{{0}} * ({frauds}{{0}} + 0.5) / ({labelled}{{0}} + 1)"
    found, missed = add(half, PREDICTED_FRAUD), add(half, PREDICTED_LEGITIMATE)
    logit = f"job:outcomes:corrected_logit{window}"
    yield Record(logit, f"ln({found} > 0) - ln({missed} > 0)")
    rest = f"({labelled}{{0}} - {frauds}{{0}} + 0.5)"
    part = f"1 / {answers}{{0}} + {rest} / (({labelled}{{0}} + 1) * ({frauds}{{0}} + 0.5))"
    both = " + ".join(add(part, decision) for decision in (PREDICTED_FRAUD, PREDICTED_LEGITIMATE))
    deviation = f"job:outcomes:corrected_logit_deviation{window}"
    yield Record(deviation, f"sqrt({both})")
    # The 95 % interval.
    for bound, sign in (("low", "-"), ("high", "+")):
        value = f"1 / (1 + exp(-({logit} {sign} {Z95} * {deviation})))"
        yield Record(f"job:outcomes:corrected_recall_{bound}{window}", value)
