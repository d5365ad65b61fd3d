"""What `GET /model_info` answers, checked before any traffic is built from it."""

from __future__ import annotations

from collections.abc import Mapping

from simulator.contract.model_info import Feature, ModelInfo, UserTypeRule
from simulator.contract.vocabulary import BOOLEAN, CATEGORY, FEATURE_TYPES
from simulator.target.joint_parser import read_distribution, read_joint
from simulator.target.json_text import is_number
from simulator.target.model_info_fields import (
    build_error,
    read_list,
    read_mapping,
    read_number,
    read_numbers,
)


def parse_model_info(document: object) -> ModelInfo:
    """Raises TargetError naming the first member that is not as `/model_info` promises."""
    fields = read_mapping(document, "the answer")
    listed = fields.get("features")
    if not isinstance(listed, list) or not listed:
        raise build_error("features", listed, "a list of at least one feature")
    features = tuple(_read_feature(item, f"features[{i}]") for i, item in enumerate(listed))
    metrics = read_mapping(fields.get("metrics") or {}, "metrics")
    return ModelInfo(
        version=str(fields.get("version", "unknown")),
        features=features,
        user_types=_read_user_types(fields.get("user_types"), features),
        holdout_rows=read_number(metrics, "rows", "metrics") or 0.0,
        holdout_frauds=read_number(metrics, "frauds", "metrics") or 0.0,
        joint=read_joint(fields.get("joint"), len(features)),
    )


def _read_feature(item: object, where: str) -> Feature:
    fields = read_mapping(item, where)
    name, kind = fields.get("name"), fields.get("type")
    if not isinstance(name, str) or not name:
        raise build_error(f"{where}.name", name, "a name")
    if kind not in FEATURE_TYPES:
        raise build_error(f"{where}.type", kind, f"one of {', '.join(FEATURE_TYPES)}")
    categories = tuple(str(category) for category in read_list(fields, "categories", where))
    if kind == CATEGORY and not categories:
        raise build_error(f"{where}.categories", fields.get("categories"), "at least one category")
    baseline = read_mapping(fields.get("baseline") or {}, f"{where}.baseline")
    edges = read_numbers(baseline, "edges", f"{where}.baseline")
    bins = {BOOLEAN: 2, CATEGORY: len(categories)}.get(str(kind), len(edges) + 1)
    return Feature(
        name=name,
        type=str(kind),
        minimum=read_number(fields, "minimum", where),
        maximum=read_number(fields, "maximum", where),
        categories=categories,
        quantiles=_read_quantiles(fields, where),
        edges=edges,
        shares=_read_shares(baseline, f"{where}.baseline", bins),
        missing=read_number(baseline, "missing", f"{where}.baseline") or 0.0,
        nullable=fields.get("nullable") is True,
        importance=read_number(fields, "importance", where) or 0.0,
        distribution=read_distribution(fields, where),
    )


def _read_quantiles(fields: Mapping[str, object], where: str) -> tuple[float, ...]:
    values = read_numbers(fields, "quantiles", where)
    if len(values) == 1:
        raise build_error(f"{where}.quantiles", list(values), "two numbers or more")
    return values


def _read_shares(baseline: Mapping[str, object], where: str, bins: int) -> tuple[float, ...]:
    listed = read_list(baseline, "shares", where)
    shares = tuple(float(share) for share in listed if is_number(share) and 0 <= share <= 1)
    if (
        len(shares) != len(listed)
        or (shares and len(shares) != bins)
        or (shares and not sum(shares))
    ):
        raise build_error(f"{where}.shares", listed, f"{bins} shares of 1, not all 0")
    return shares


def _read_user_types(value: object, features: tuple[Feature, ...]) -> UserTypeRule | None:
    if not value:
        return None
    fields = read_mapping(value, "user_types")
    feature = next((f for f in features if f.name == fields.get("feature")), None)
    premium = read_number(fields, "premium_from", "user_types")
    standard = read_number(fields, "standard_from", "user_types")
    if feature is None or not feature.is_numeric or premium is None or standard is None:
        raise build_error("user_types", value, "a numeric feature, premium_from, standard_from")
    if premium < standard:
        raise build_error("user_types.premium_from", premium, f"at least {standard}")
    return UserTypeRule(feature.name, premium, standard)
