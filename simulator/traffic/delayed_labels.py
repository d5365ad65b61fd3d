"""Delayed labels (feedback): a transaction's true class, known some time after its prediction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from simulator.contract.vocabulary import FRAUD, LEGITIMATE


@dataclass(frozen=True)
class LabelDelay:
    """Labels come `mean` seconds after their predictions, evenly from half to one and a half of it.

    `share` of the predictions get one.
    """

    mean: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class PlannedLabel:
    """A label that becomes known `delay` seconds after its prediction.

    `true_class`: where it is known beforehand; None: it is fraud if `uniform`, a draw from 0 to 1,
    is below the fraud probability that the target answers, or answered to the request before where
    `of_other_request` is true.
    """

    delay: float
    true_class: str | None
    uniform: float
    of_other_request: bool = False

    def resolve(self, own: float, other: float) -> str:
        """The true class, given the probabilities answered to this and to another request."""
        if self.true_class is not None:
            return self.true_class
        return choose_class(other if self.of_other_request else own, self.uniform)


@dataclass(frozen=True, slots=True)
class LabelDraw:
    """What was drawn for one request: `delay` None: no label; `uniform`, `mixing` from 0 to 1."""

    delay: float | None
    uniform: float
    mixing: float


def choose_class(fraud_probability: float, uniform: float) -> str:
    """Fraud with the given probability; `uniform` is the draw from 0 to 1."""
    return FRAUD if uniform < fraud_probability else LEGITIMATE


def draw_labels(labels: LabelDelay, random: Random) -> Iterator[LabelDraw]:
    """A draw for each request, without end."""
    while True:
        labelled, place = random.random() < labels.share, random.random()
        delay = labels.mean * (0.5 + place) if labelled else None
        yield LabelDraw(delay, random.random(), random.random())
