"""Later rows judge, earlier rows train, and what is too late to be labelled does neither."""

from __future__ import annotations

import numpy as np
import pytest

from model.data.split import Holdout, split_by_time
from model.serving.errors import ModelError

RANDOM = np.random.default_rng(0)
TIMES = {
    "even": np.arange(1000.0),
    "random": np.sort(RANDOM.uniform(0, 1e6, 1000)),
    "many at one moment": np.sort(RANDOM.integers(0, 20, 1000)).astype(float),
    "few rows": np.arange(10.0),
}


@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES.keys())
def test_every_part_is_later_than_the_one_before(time: np.ndarray) -> None:
    split = split_by_time(time)

    assert time[split.training].max() < time[split.validation].min()
    assert time[split.validation].max() < time[split.holdout].min()
    assert split.holdout.stop == len(time)


@pytest.mark.parametrize("time", TIMES.values(), ids=TIMES.keys())
def test_every_row_is_in_exactly_one_part(time: np.ndarray) -> None:
    split = split_by_time(time, label_delay=float(time[-1] - time[0]) / 10)

    parts = [len(time[part]) for part in (split.training, split.validation, split.holdout)]

    assert sum(parts) + split.unlabelled == len(time)


def test_rows_within_the_label_delay_are_left_out() -> None:
    time = np.arange(1000.0)

    split = split_by_time(time, label_delay=50)

    assert time[split.known].max() < time[split.holdout].min() - 50
    assert split.unlabelled == 50


def test_a_holdout_of_seconds_takes_exactly_the_last_ones() -> None:
    time = np.arange(1000.0)

    assert time[split_by_time(time, holdout=Holdout(seconds=100)).holdout].min() == 900


def test_a_label_delay_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ModelError, match="no rows are left to train on"):
        split_by_time(np.arange(1000.0), label_delay=900)
