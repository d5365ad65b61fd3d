"""What the target says of its model: the part of `GET /model_info` that requests are built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeGuard

from simulator.contract.errors import TargetError

TYPES: Final = ("number", "integer", "boolean", "category")


@dataclass(frozen=True)
class Feature:
    """One field of a transaction; `quantiles`: minimum, deciles, maximum of training, or empty.

    `edges` and `shares`: the training rows in bins, edges[i-1] < value <= edges[i], or one share
    per category (false, true for a boolean); empty where the target does not say. `missing`: share
    of the training rows without a value. A category always has categories.
    """

    name: str
    type: str
    minimum: float | None
    maximum: float | None
    categories: tuple[str, ...]
    quantiles: tuple[float, ...]
    edges: tuple[float, ...]
    shares: tuple[float, ...]
    missing: float
    nullable: bool
    importance: float = 0.0

    @property
    def is_numeric(self) -> bool:
        """True where a value can be too small or too large."""
        return self.type in ("number", "integer")


@dataclass(frozen=True)
class UserTypes:
    """A customer's type follows from one feature: lower bounds, inclusive; below both: basic."""

    feature: str
    premium_from: float
    standard_from: float


@dataclass(frozen=True)
class ModelInfo:
    """The request schema of the target's model; `features` is never empty.

    `holdout_rows`, `holdout_frauds`: what the model was judged on; 0 where the target does not say.
    """

    version: str
    features: tuple[Feature, ...]
    user_types: UserTypes | None
    holdout_rows: float = 0.0
    holdout_frauds: float = 0.0


def most_important(info: ModelInfo, number: int) -> tuple[Feature, ...]:
    """The `number` features that the model leans on most, in the model's own order where equal."""
    return tuple(sorted(info.features, key=lambda feature: -feature.importance)[:number])


def parse_model_info(document: object) -> ModelInfo:
    """Raises TargetError naming the first member that is not as `/model_info` promises."""
    fields = _mapping(document, "the answer")
    listed = fields.get("features")
    if not isinstance(listed, list) or not listed:
        raise _unusable("features", listed, "a list of at least one feature")
    features = tuple(_feature(item, f"features[{i}]") for i, item in enumerate(listed))
    metrics = _mapping(fields.get("metrics") or {}, "metrics")
    return ModelInfo(
        version=str(fields.get("version", "unknown")),
        features=features,
        user_types=_user_types(fields.get("user_types"), features),
        holdout_rows=_number(metrics, "rows", "metrics") or 0.0,
        holdout_frauds=_number(metrics, "frauds", "metrics") or 0.0,
    )


def _feature(item: object, where: str) -> Feature:
    fields = _mapping(item, where)
    name, kind = fields.get("name"), fields.get("type")
    if not isinstance(name, str) or not name:
        raise _unusable(f"{where}.name", name, "a name")
    if kind not in TYPES:
        raise _unusable(f"{where}.type", kind, f"one of {', '.join(TYPES)}")
    categories = tuple(str(category) for category in _list(fields, "categories", where))
    if kind == "category" and not categories:
        raise _unusable(f"{where}.categories", fields.get("categories"), "at least one category")
    baseline = _mapping(fields.get("baseline") or {}, f"{where}.baseline")
    edges = _numbers(baseline, "edges", f"{where}.baseline")
    bins = {"boolean": 2, "category": len(categories)}.get(str(kind), len(edges) + 1)
    return Feature(
        name=name,
        type=str(kind),
        minimum=_number(fields, "minimum", where),
        maximum=_number(fields, "maximum", where),
        categories=categories,
        quantiles=_quantiles(fields, where),
        edges=edges,
        shares=_shares(baseline, f"{where}.baseline", bins),
        missing=_number(baseline, "missing", f"{where}.baseline") or 0.0,
        nullable=fields.get("nullable") is True,
        importance=_number(fields, "importance", where) or 0.0,
    )


def _quantiles(fields: Mapping[str, object], where: str) -> tuple[float, ...]:
    values = _numbers(fields, "quantiles", where)
    if len(values) == 1:
        raise _unusable(f"{where}.quantiles", list(values), "two numbers or more")
    return values


def _shares(baseline: Mapping[str, object], where: str, bins: int) -> tuple[float, ...]:
    listed = _list(baseline, "shares", where)
    shares = tuple(float(share) for share in listed if _is_number(share) and 0 <= share <= 1)
    if (
        len(shares) != len(listed)
        or (shares and len(shares) != bins)
        or (shares and not sum(shares))
    ):
        raise _unusable(f"{where}.shares", listed, f"{bins} shares of 1, not all 0")
    return shares


def _user_types(value: object, features: tuple[Feature, ...]) -> UserTypes | None:
    if not value:
        return None
    fields = _mapping(value, "user_types")
    feature = next((f for f in features if f.name == fields.get("feature")), None)
    premium = _number(fields, "premium_from", "user_types")
    standard = _number(fields, "standard_from", "user_types")
    if feature is None or not feature.is_numeric or premium is None or standard is None:
        raise _unusable("user_types", value, "a numeric feature, premium_from, standard_from")
    if premium < standard:
        raise _unusable("user_types.premium_from", premium, f"at least {standard}")
    return UserTypes(feature.name, premium, standard)


def _mapping(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _unusable(where, value, "a JSON object")
    return value


def _list(fields: Mapping[str, object], name: str, where: str) -> list[object]:
    value = fields.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise _unusable(f"{where}.{name}", value, "a list")
    return value


def _numbers(fields: Mapping[str, object], name: str, where: str) -> tuple[float, ...]:
    listed = _list(fields, name, where)
    values = tuple(float(value) for value in listed if _is_number(value))
    if len(values) != len(listed) or any(low > high for low, high in pairwise(values)):
        raise _unusable(f"{where}.{name}", listed, "numbers, ascending")
    return values


def _number(fields: Mapping[str, object], name: str, where: str) -> float | None:
    value = fields.get(name)
    if value is None:
        return None
    if not _is_number(value):
        raise _unusable(f"{where}.{name}", value, "a number")
    return float(value)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _unusable(where: str, value: object, expected: str) -> TargetError:
    return TargetError(f"/model_info is not usable: {where} must be {expected}, got {value!r:.80}")
