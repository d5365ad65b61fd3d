"""What becomes known later of a prediction: the transaction's true class, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

FRAUD: Final = "fraud"
LEGITIMATE: Final = "legitimate"


@dataclass(frozen=True)
class Labels:
    """Labels come `after` seconds on average, evenly from half to one and a half of that.

    `share` of the predictions get one.
    """

    after: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class PlannedLabel:
    """A label that comes `delay` seconds after its prediction.

    `truth`: the class where it is known; None: it is fraud if `chance` is below the probability
    that the target answers, or answered to another request where `of_another` is true.
    """

    delay: float
    truth: str | None
    chance: float
    of_another: bool = False

    def resolved(self, own: float, other: float) -> str:
        """The class, with the probabilities that this and another request were answered."""
        if self.truth is not None:
            return self.truth
        return FRAUD if self.chance < (other if self.of_another else own) else LEGITIMATE


def planned_labels(labels: Labels, random: Random) -> Iterator[tuple[float | None, float, float]]:
    """For each request the delay of its label (None: it gets none), and two chances from 0 to 1."""
    while True:
        wanted, place = random.random() < labels.share, random.random()
        delay = labels.after * (0.5 + place) if wanted else None
        yield delay, random.random(), random.random()
