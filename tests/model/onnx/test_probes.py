"""Probes reach what no row of the sample does, and hold nothing that a request may not hold."""

from __future__ import annotations

import numpy as np

from model.data.dataset import Column, Floats
from model.data.schema import find_allowed
from model.onnx.probes import find_steps, make_probes

COLUMNS = (
    Column("amount", "number", minimum=0, maximum=500, nullable=True),
    Column("hour", "integer", minimum=0, maximum=23),
    Column("channel", "category", categories=("app", "shop", "web")),
    Column("is_new", "boolean"),
)
SAMPLE = np.column_stack(
    [np.linspace(1, 50, 40), np.resize([0, 1, 2, 3, 5], 40), np.zeros(40), np.zeros(40)]
)
THRESHOLDS = np.array([12.3456789])


def test_they_hold_what_the_sample_does_not() -> None:
    probes = make_probes(COLUMNS, SAMPLE, THRESHOLDS)
    amount, hour, channel, is_new = probes.T

    assert np.isnan(amount).any()
    assert set(range(24)) == set(hour)
    assert {0, 1, 2} == set(channel)
    assert {0, 1} == set(is_new)
    for value in (0, 500, 50, np.nextafter(50, 51), np.nextafter(1, 0)):
        assert value in amount
    single = float(np.float32(THRESHOLDS[0]))
    for value in (THRESHOLDS[0], np.nextafter(THRESHOLDS[0], 0), single):
        assert value in amount
    assert len(probes) > 4000


def test_they_hold_nothing_that_a_request_may_not() -> None:
    probes = make_probes(COLUMNS, SAMPLE, THRESHOLDS)

    for index, column in enumerate(COLUMNS):
        assert find_allowed(column, probes[:, index]).all()


def test_steps_of_a_model_are_found_to_the_last_bit() -> None:
    """A threshold behind whatever scaling: no row of the sample is near it."""
    edge = 17.123456789

    def predict(rows: Floats) -> Floats:
        return (np.nan_to_num(rows[:, 0]) > edge).astype(np.float64)

    amount = find_steps(COLUMNS, SAMPLE, predict)[:, 0]

    assert edge in amount and np.nextafter(edge, 18) in amount
