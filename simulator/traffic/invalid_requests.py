"""Requests that a scoring service must refuse, and the status with which it must."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final, TypeVar

from simulator.contract.model_info import Feature, ModelInfo, most_important
from simulator.transactions.marginal_source import Transaction

_BLOCK: Final = 100
_OF_A_VALUE: Final = ("missing_field", "wrong_type", "out_of_range", "unknown_category")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A faulty body: `body` followed by `padding` spaces, to be refused with `status`.

    Spaces after a JSON document are allowed, so a padded body is wrong by its size alone.
    """

    body: bytes
    padding: int
    status: int


Spoil = Callable[[Transaction, Random], Spoiled]


def fault_kinds(info: ModelInfo, large_body: int) -> dict[str, Spoil]:
    """The kinds of fault that this model allows, by name; `large_body` is in bytes."""
    required = [f for f in info.features if not f.nullable]
    bounded = [f for f in info.features if f.is_numeric and (f.minimum, f.maximum) != (None, None)]
    categories = [f for f in info.features if f.type == "category"]
    kinds: dict[str, Spoil] = {
        "wrong_type": lambda transaction, random: _wrong_type(transaction, info.features, random),
        "unknown_field": _unknown_field,
        "broken_json": _broken_json,
        "too_large": lambda transaction, _: _too_large(transaction, large_body),
    }
    if required:
        kinds["missing_field"] = lambda transaction, random: _missing(transaction, required, random)
    if bounded:
        kinds["out_of_range"] = lambda transaction, random: _beyond(transaction, bounded, random)
    if categories:
        kinds["unknown_category"] = lambda transaction, random: _foreign(
            transaction, categories, random
        )
    return kinds


def bad_values(info: ModelInfo) -> dict[str, Spoil]:
    """The kinds of fault in one value, confined to the model's two most important features."""
    confined = replace(info, features=most_important(info, 2))
    kinds = fault_kinds(confined, large_body=0)
    return {name: spoil for name, spoil in kinds.items() if name in _OF_A_VALUE}


def fault_schedule(share: float, kinds: tuple[str, ...], random: Random) -> Iterator[str | None]:
    """For each request the kind of its fault, or None for a valid one.

    Any hundred requests in a row, counted from the first, have the stated share of faults (to
    the whole number, what is left over being carried on), at random places; the kinds take turns
    in random order. So 2,000 requests at 0.02 have exactly 40.
    """
    deck: list[str] = []
    owed = 0.0
    while True:
        owed += share * _BLOCK
        faults = int(owed + 1e-9)
        owed -= faults
        faulty = set(_shuffled(list(range(_BLOCK)), random)[:faults])
        for place in range(_BLOCK):
            if place in faulty:
                deck = deck or _shuffled(list(kinds), random)
                yield deck.pop()
            else:
                yield None


def encode(transaction: Transaction | dict[str, object]) -> bytes:
    """The transaction as it goes over the wire."""
    return json.dumps(transaction, allow_nan=False).encode()


def _missing(transaction: Transaction, features: list[Feature], random: Random) -> Spoiled:
    missing = _choice(features, random).name
    return _bad({name: value for name, value in transaction.items() if name != missing})


def _wrong_type(transaction: Transaction, features: tuple[Feature, ...], random: Random) -> Spoiled:
    feature = _choice(list(features), random)
    value = transaction[feature.name]
    wrong: dict[str, list[object]] = {
        "number": [str(value), True, [value]],
        "integer": [str(value), True, [value]],
        "boolean": ["yes", [value]],
        "category": [7, [value]],
    }
    return _bad({**transaction, feature.name: _choice(wrong[feature.type], random)})


def _beyond(transaction: Transaction, features: list[Feature], random: Random) -> Spoiled:
    feature = _choice(features, random)
    values: list[float] = []
    if feature.minimum is not None:
        values.append(feature.minimum - 1 - abs(feature.minimum))
    if feature.maximum is not None:
        values.append(feature.maximum + 1 + abs(feature.maximum))
    value = _choice(values, random)
    return _bad({**transaction, feature.name: int(value) if feature.type == "integer" else value})


def _foreign(transaction: Transaction, features: list[Feature], random: Random) -> Spoiled:
    feature = _choice(features, random)
    unknown = "unknown"
    while unknown in feature.categories:
        unknown += "_"
    return _bad({**transaction, feature.name: unknown})


def _unknown_field(transaction: Transaction, random: Random) -> Spoiled:
    return _bad({**transaction, f"unknown_{int(random.random() * 1000):03}": 1})


def _broken_json(transaction: Transaction, random: Random) -> Spoiled:
    body = encode(transaction)
    return Spoiled(body[: 1 + int(random.random() * (len(body) - 1))], 0, 400)


def _too_large(transaction: Transaction, large_body: int) -> Spoiled:
    body = encode(transaction)
    return Spoiled(body, max(0, large_body - len(body)), 413)


def _bad(transaction: dict[str, object] | Transaction) -> Spoiled:
    return Spoiled(encode(transaction), 0, 400)


# Only Random.random() promises the same numbers in every version of Python.
def _choice(items: list[T], random: Random) -> T:
    return items[int(random.random() * len(items))]


def _shuffled(items: list[T], random: Random) -> list[T]:
    keys = [random.random() for _ in items]
    return [item for _, item in sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])]
