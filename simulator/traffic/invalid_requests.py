"""Requests that a scoring service must refuse: one way to make each kind of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Final

from simulator.contract.model_info import Feature, ModelInfo
from simulator.contract.vocabulary import (
    BOOLEAN,
    BROKEN_JSON,
    CATEGORY,
    INTEGER,
    INVALID_VALUES,
    MISSING_FIELD,
    NUMBER,
    OUT_OF_RANGE,
    TOO_LARGE,
    UNKNOWN_CATEGORY,
    UNKNOWN_FIELD,
    WRONG_TYPE,
)
from simulator.transactions.random_numbers import choose
from simulator.transactions.transaction import Transaction, encode_transaction

_IMPORTANT_FEATURES: Final = 2


@dataclass(frozen=True, slots=True)
class InvalidBody:
    """`body` followed by `padding` spaces.

    Spaces after a JSON document are allowed, so a padded body is wrong by its size alone.
    """

    body: bytes
    padding: int = 0


MakeInvalid = Callable[[Transaction, Random], InvalidBody]


def list_invalid_kinds(info: ModelInfo, large_body: int) -> dict[str, MakeInvalid]:
    """Every kind that this model allows; `large_body` is the size of a too large one in bytes."""
    required = [f for f in info.features if not f.nullable]
    bounded = [f for f in info.features if f.is_numeric and _list_values_outside(f)]
    categories = [f for f in info.features if f.type == CATEGORY]
    kinds: dict[str, MakeInvalid] = {
        WRONG_TYPE: partial(_make_wrong_type, info.features),
        UNKNOWN_FIELD: _make_unknown_field,
        BROKEN_JSON: _make_broken_json,
        TOO_LARGE: partial(_make_too_large, large_body),
    }
    if required:
        kinds[MISSING_FIELD] = partial(_make_missing_field, required)
    if bounded:
        kinds[OUT_OF_RANGE] = partial(_make_out_of_range, bounded)
    if categories:
        kinds[UNKNOWN_CATEGORY] = partial(_make_unknown_category, categories)
    return kinds


def list_invalid_values(info: ModelInfo) -> dict[str, MakeInvalid]:
    """The kinds with one invalid value, confined to the model's two most important features."""
    confined = replace(info, features=info.select_most_important(_IMPORTANT_FEATURES))
    kinds = list_invalid_kinds(confined, large_body=0)
    return {kind: make for kind, make in kinds.items() if kind in INVALID_VALUES}


def _make_missing_field(
    features: Sequence[Feature], transaction: Transaction, random: Random
) -> InvalidBody:
    missing = choose(features, random).name
    return _encode({name: value for name, value in transaction.items() if name != missing})


def _make_wrong_type(
    features: Sequence[Feature], transaction: Transaction, random: Random
) -> InvalidBody:
    feature = choose(features, random)
    value = transaction[feature.name]
    wrong: dict[str, list[object]] = {
        NUMBER: [str(value), True, [value]],
        INTEGER: [str(value), True, [value]],
        BOOLEAN: ["yes", [value]],
        CATEGORY: [7, [value]],
    }
    return _encode({**transaction, feature.name: choose(wrong[feature.type], random)})


def _make_out_of_range(
    features: Sequence[Feature], transaction: Transaction, random: Random
) -> InvalidBody:
    feature = choose(features, random)
    value = choose(_list_values_outside(feature), random)
    return _encode({**transaction, feature.name: int(value) if feature.type == INTEGER else value})


def _list_values_outside(feature: Feature) -> list[float]:
    """A value below and one above the range, as far as it has such ends.

    A range that reaches to the largest floating-point number leaves none that JSON could carry.
    """
    values: list[float] = []
    if feature.minimum is not None:
        values.append(feature.minimum - 1 - abs(feature.minimum))
    if feature.maximum is not None:
        values.append(feature.maximum + 1 + abs(feature.maximum))
    return [value for value in values if math.isfinite(value)]


def _make_unknown_category(
    features: Sequence[Feature], transaction: Transaction, random: Random
) -> InvalidBody:
    feature = choose(features, random)
    unknown = "unknown"
    while unknown in feature.categories:
        unknown += "_"
    return _encode({**transaction, feature.name: unknown})


def _make_unknown_field(transaction: Transaction, random: Random) -> InvalidBody:
    return _encode({**transaction, f"unknown_{int(random.random() * 1000):03}": 1})


def _make_broken_json(transaction: Transaction, random: Random) -> InvalidBody:
    body = encode_transaction(transaction)
    return InvalidBody(body[: 1 + int(random.random() * (len(body) - 1))])


def _make_too_large(large_body: int, transaction: Transaction, _: Random) -> InvalidBody:
    body = encode_transaction(transaction)
    return InvalidBody(body, max(0, large_body - len(body)))


def _encode(transaction: Mapping[str, object]) -> InvalidBody:
    return InvalidBody(encode_transaction(transaction))
