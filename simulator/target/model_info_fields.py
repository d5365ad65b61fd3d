"""Members of `/model_info` as values; a TargetError names the first that is not as promised."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from simulator.contract.errors import TargetError
from simulator.target.json_text import is_number


def read_mapping(value: object, where: str) -> Mapping[str, object]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise build_error(where, value, "a JSON object")
    return value


def read_list(fields: Mapping[str, object], name: str, where: str) -> list[object]:
    """A list; empty where there is none."""
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise build_error(f"{where}.{name}", value, "a list")
    return value


def read_numbers(
    fields: Mapping[str, object], name: str, where: str, *, ascending: bool = True
) -> tuple[float, ...]:
    """A list of numbers; empty where there is none."""
    listed = read_list(fields, name, where)
    values = tuple(float(value) for value in listed if is_number(value))
    if len(values) != len(listed):
        raise build_error(f"{where}.{name}", listed, "numbers")
    if ascending and any(low > high for low, high in pairwise(values)):
        raise build_error(f"{where}.{name}", listed, "numbers, ascending")
    return values


def read_number(fields: Mapping[str, object], name: str, where: str) -> float | None:
    """A number; None where there is none."""
    value = fields.get(name)
    if value is None:
        return None
    if not is_number(value):
        raise build_error(f"{where}.{name}", value, "a number")
    return float(value)


def build_error(where: str, value: object, expected: str) -> TargetError:
    """What is wrong with the member, and what it must be."""
    return TargetError(f"/model_info is not usable: {where} must be {expected}, got {value!r:.80}")
