"""What `/model_info` says of how features are distributed and go together, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from simulator.contract.model_info import Cell, JointDistribution
from simulator.target.json_text import is_number
from simulator.target.model_info_fields import build_error, read_list, read_mapping, read_numbers


def read_distribution(fields: Mapping[str, object], where: str) -> tuple[tuple[float, float], ...]:
    """Values with the share up to each, both ascending, the last share 1; empty where unsaid."""
    listed = read_list(fields, "distribution", where)
    pairs = [read_numbers({"pair": pair}, "pair", where, ascending=False) for pair in listed]
    values = [pair[0] for pair in pairs if len(pair) == 2]
    shares = [pair[1] for pair in pairs if len(pair) == 2]
    if not pairs:
        return ()
    if len(values) != len(pairs) or not (_rises(values) and _rises([0.0, *shares])):
        raise build_error(f"{where}.distribution", listed, "pairs of value and share, ascending")
    if shares[-1] != 1:
        raise build_error(f"{where}.distribution", listed, "pairs up to the share 1")
    return tuple(zip(values, shares, strict=True))


def read_joint(value: object, features: int) -> JointDistribution | None:
    """The joint distribution of so many features; None where the service does not say."""
    if not value:
        return None
    fields = read_mapping(value, "joint")
    knots = read_numbers(fields, "knots", "joint")
    if len(knots) < 2 or knots[0] != 0 or knots[-1] != 1 or not _rises(knots):
        raise build_error("joint.knots", list(knots), "shares that rise from 0 to 1")
    listed = read_list(fields, "cells", "joint")
    cells = tuple(
        _read_cell(cell, f"joint.cells[{place}]", features, len(knots))
        for place, cell in enumerate(listed)
    )
    if not cells:
        raise build_error("joint.cells", listed, "a list of at least one cell")
    return JointDistribution(knots, cells, _read_mixing(fields, features))


def _read_cell(item: object, where: str, features: int, knots: int) -> Cell:
    fields = read_mapping(item, where)
    share = fields.get("share")
    if not is_number(share) or not 0 < share <= 1:
        raise build_error(f"{where}.share", share, "a share above 0")
    listed = read_list(fields, "ranks", where)
    ranks = tuple(read_numbers({"ranks": row}, "ranks", where) for row in listed)
    if len(ranks) != features or any(len(row) != knots for row in ranks):
        raise build_error(f"{where}.ranks", listed, f"{features} lists of {knots} ranks")
    if any(row[0] < 0 or row[-1] > 1 for row in ranks):
        raise build_error(f"{where}.ranks", listed, "ranks from 0 to 1")
    return Cell(float(share), ranks)


def _read_mixing(fields: Mapping[str, object], features: int) -> tuple[tuple[float, ...], ...]:
    listed = read_list(fields, "mixing", "joint")
    rows = tuple(
        read_numbers({"mixing": row}, "mixing", "joint", ascending=False) for row in listed
    )
    if rows and [len(row) for row in rows] != list(range(1, features + 1)):
        raise build_error("joint.mixing", listed, f"a triangle of {features} rows")
    if any(not any(row) for row in rows):
        raise build_error("joint.mixing", listed, "rows that are not all 0")
    return rows


def _rises(values: Sequence[float]) -> bool:
    return all(low < high for low, high in pairwise(values))
