"""Which rows train, which choose, which judge: always earlier rows for the former.

    |------ training ------|-- validation --|  label delay  |-- holdout --|   -> time

Rows inside the label delay before the holdout are used for nothing: on the day of the holdout's
first row their labels would not have come in yet. The validation rows are the last part of what
may be trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from model.serving.errors import ModelError

VALIDATION_SHARE: Final = 0.2


@dataclass(frozen=True)
class Holdout:
    """The last share of the rows or, where given, the last seconds."""

    share: float = 0.2
    seconds: float | None = None


@dataclass(frozen=True)
class Split:
    """Slices of the rows in time order; `unlabelled` of them lie inside the label delay."""

    training: slice
    validation: slice
    holdout: slice
    unlabelled: int

    @property
    def known(self) -> slice:
        """Training and validation rows together: all that may be fitted to."""
        return slice(self.training.start, self.validation.stop)


def split_by_time(
    time: npt.NDArray[np.float64],
    *,
    label_delay: float = 0.0,
    holdout: Holdout = Holdout(),
) -> Split:
    """Split rows whose times ascend. Rows of one moment are never parted from each other.

    `label_delay` in the unit of the times.
    """
    rows = len(time)
    if holdout.seconds is None:
        start = time[min(int(rows * (1 - holdout.share)), rows - 1)]
    else:
        start = np.nextafter(time[-1] - holdout.seconds, np.inf)
    first = int(np.searchsorted(time, start))
    known = first
    if label_delay:
        known = int(np.searchsorted(time, time[first] - label_delay, side="left"))
    if known == 0:
        raise ModelError("no rows are left to train on before the holdout and the label delay")
    cut = int(np.searchsorted(time, time[int(known * (1 - VALIDATION_SHARE))]))
    return Split(slice(0, cut), slice(cut, known), slice(first, rows), first - known)
