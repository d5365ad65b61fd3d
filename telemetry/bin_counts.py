"""Counting values in the bins of a baseline, one or a column of them, without the bins' names."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from telemetry.baseline import ABOVE, BELOW, MISSING, Baseline, bin_labels


class BinCounts:
    """The bins of one baseline; `cell_of` has the cell of each."""

    def __init__(self, baseline: Baseline, cell_of: Mapping[str, int]) -> None:
        self._baseline = baseline
        inner = baseline.categories or bin_labels(len(baseline.shares))
        self._inner = [cell_of[bin] for bin in inner]
        self._outer = {bin: cell_of[bin] for bin in (BELOW, ABOVE, MISSING) if bin in cell_of}
        self._edges = np.array(baseline.edges)

    def add(self, cells: memoryview[float], value: float) -> None:
        """Count a value of the scorer's row: a number, a category's code, NaN for missing."""
        baseline = self._baseline
        if value != value:
            cells[self._outer[MISSING]] += 1
        elif baseline.categories:
            cells[self._inner[int(value)]] += 1
        elif value < baseline.low:
            cells[self._outer[BELOW]] += 1
        elif value > baseline.high:
            cells[self._outer[ABOVE]] += 1
        else:
            cells[self._inner[bisect_left(baseline.edges, value)]] += 1

    def add_all(self, cells: memoryview[float], values: NDArray[np.float64]) -> None:
        """The same for a column."""
        baseline = self._baseline
        missing = np.isnan(values)
        self._add_outer(cells, MISSING, missing)
        known = values[~missing]
        if baseline.categories:
            self._add_inner(cells, known.astype(np.intp))
            return
        below, above = known < baseline.low, known > baseline.high
        self._add_outer(cells, BELOW, below)
        self._add_outer(cells, ABOVE, above)
        self._add_inner(cells, np.searchsorted(self._edges, known[~(below | above)]))

    def _add_outer(self, cells: memoryview[float], bin: str, found: NDArray[np.bool_]) -> None:
        if count := int(np.count_nonzero(found)):
            cells[self._outer[bin]] += count

    def _add_inner(self, cells: memoryview[float], numbers: NDArray[Any]) -> None:
        for cell, count in zip(self._inner, np.bincount(numbers).tolist(), strict=False):
            cells[cell] += count
