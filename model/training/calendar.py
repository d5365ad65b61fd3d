"""Which features follow the calendar: an hour or a day of the week has values of its own.

Such a feature is never as in the baseline, which is the whole week's: it is night at night. So the
card says so, and drift asks whether it differs from the same hours of the week before as well.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from model.serving.card import Histogram

Floats = npt.NDArray[np.float64]

HOUR, DAY, WEEK = 3600.0, 86_400.0, 604_800.0
# From this PSI on an hour or a day is unlike the whole, and so many of them make a calendar.
_UNLIKE: Final = 0.1
_MOST_UNLIKE: Final = 0.1
_FEWEST_ROWS: Final = 100
_FEWEST_DAYS: Final = 2


def follows_calendar(values: Floats, baseline: Histogram, times: Floats) -> bool:
    """True where the values of a tenth of the hours of the week, or of its days, are unlike all.

    `times` in seconds, of each value. Unlike: a PSI that is 0.1 beyond what chance gives. False
    where the times span less than two days.
    """
    if times.max() - times.min() < _FEWEST_DAYS * DAY:
        return False
    bins = _find_bins(values, baseline)
    hours = (times % WEEK // HOUR).astype(np.int64)
    return any(_share_unlike(bins, periods) > _MOST_UNLIKE for periods in (hours, hours // 24))


def _find_bins(values: Floats, baseline: Histogram) -> npt.NDArray[np.int64]:
    """Numbers of the baseline's bins; missing values have one of their own."""
    missing = len(baseline.shares)
    if baseline.edges:
        found = np.searchsorted(np.array(baseline.edges), values, side="left")
        return np.where(np.isnan(values), missing, found)
    return np.where((values >= 0) & (values < missing), values, missing).astype(np.int64)


def _share_unlike(bins: npt.NDArray[np.int64], periods: npt.NDArray[np.int64]) -> float:
    """Share of the periods with enough rows whose bins are not those of all rows."""
    table = np.zeros((int(periods.max()) + 1, int(bins.max()) + 1))
    np.add.at(table, (periods, bins), 1)
    whole = table.sum(0) / table.sum()
    table, whole = table[:, whole > 0], whole[whole > 0]
    rows = table.sum(1, keepdims=True)
    enough = rows[:, 0] >= _FEWEST_ROWS
    if not enough.any():
        return 0.0
    table, rows = table[enough], rows[enough]
    share = np.where(table > 0, table / rows, np.minimum(0.5 / rows, whole))
    psi = ((share - whole) * np.log(share / whole)).sum(1)
    # Chance gives (B - 1) / n on average, and hardly five times as much.
    return float((psi > _UNLIKE + 5 * (whole.size - 1) / rows[:, 0]).mean())
