"""Figures for parts of the holdout: a model can be good on the whole and bad for some."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from model.data.dataset import Column, Floats, Labels
from model.serving.card import Metrics, UserTypes, ValueBand
from model.training.metrics import measure

LEAST_FRAUDS: Final = 10

Mask = npt.NDArray[np.bool_]


def measure_segments(
    masks: dict[str, Mask], target: Labels, probability: Floats, threshold: float
) -> dict[str, Metrics]:
    """Figures of each segment with both classes and at least LEAST_FRAUDS frauds."""
    return {
        name: measure(target[mask], probability[mask], threshold)
        for name, mask in masks.items()
        if LEAST_FRAUDS <= int(target[mask].sum()) < int(mask.sum())
    }


def find_segments(
    columns: tuple[Column, ...],
    features: Floats,
    user_types: UserTypes | None,
    value_band: ValueBand | None,
) -> dict[str, Mask]:
    """Which rows are in which segment: user types, value bands, categories, true and false."""
    masks: dict[str, Mask] = {}
    names = [column.name for column in columns]
    if user_types is not None:
        value = features[:, names.index(user_types.feature)]
        premium = value >= user_types.premium_from
        standard = ~premium & (value >= user_types.standard_from)
        masks["user_type=premium"], masks["user_type=standard"] = premium, standard
        masks["user_type=basic"] = ~premium & ~standard
    if value_band is not None:
        high = features[:, names.index(value_band.feature)] >= value_band.high_from
        masks["value_band=high"], masks["value_band=low"] = high, ~high
    for index, column in enumerate(columns):
        for code, category in enumerate(_list_categories(column)):
            masks[f"{column.name}={category}"] = features[:, index] == code
    return masks


def _list_categories(column: Column) -> tuple[str, ...]:
    if column.type == "boolean":
        return ("false", "true")
    return column.categories or ()
