"""Versions side by side, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from model.registry.report import FIGURES
from model.serving.card import Card
from model.serving.errors import ModelError
from model.serving.registry import Registry


def list_versions(registry: Registry) -> str:
    """A line per version, newest first; a star marks the champion."""
    champion = next(iter(registry.champions()), None)
    lines = [f"  {'version':<14}{'trained (UTC)':<18}{'avg prec':>9}  model and data"]
    for version in reversed(registry.versions()):
        star = "*" if version == champion else " "
        lines.append(f"{star} {version:<14}{_describe_version(registry, version)}")
    return "\n".join(lines)


def compare_cards(first: Card, second: Card) -> str:
    """What differs between two cards: figures, choices, data, features."""
    lines = [f"  {'':<29}{first.version:>14}{second.version:>14}{'difference':>12}"]
    for name, label in FIGURES.items():
        a, b = getattr(first.metrics, name), getattr(second.metrics, name)
        lines.append(f"  {label:<29}{a:>14.4f}{b:>14.4f}{b - a:>+12.4f}")
    lines.append("")
    lines.extend(
        _list_differences(first, second) or ["same model type, data, threshold and features"]
    )
    if first.data.sha256 != second.data.sha256 or first.metrics.rows != second.metrics.rows:
        lines.append(
            "the figures come from different rows; judge both on the same ones with"
            " 'python -m model evaluate --version …'"
        )
    return "\n".join(lines)


def _describe_version(registry: Registry, version: str) -> str:
    try:
        card = registry.card(version)
        trained = datetime.fromtimestamp(registry.published(version).trained_at, UTC)
    except ModelError as error:
        return f"unusable: {error}"
    precision = card.metrics.average_precision
    kept = "" if card.format == "onnx" else f" ({card.format})"
    shown = f"{card.model_type}{kept}, {card.data.source}"
    return f"{trained:%Y-%m-%d %H:%M}  {precision:>9.4f}  {shown}"


def _list_differences(first: Card, second: Card) -> list[str]:
    pairs = {
        "model": (first.model_type, second.model_type),
        "served from": (first.format, second.format),
        "seed": (first.seed, second.seed),
        "threshold": (first.threshold, second.threshold),
        "rule": (first.threshold_rule, second.threshold_rule),
        "data": (_describe_data(first), _describe_data(second)),
        "libraries": (_list_libraries(first), _list_libraries(second)),
    }
    lines = [f"{name}: {a} -> {b}" for name, (a, b) in pairs.items() if a != b]
    return [*lines, *_list_feature_differences(first, second)]


def _list_feature_differences(first: Card, second: Card) -> list[str]:
    before = {feature.name: feature for feature in first.features}
    after = {feature.name: feature for feature in second.features}
    lines = _list_names("features gone", [name for name in before if name not in after])
    lines += _list_names("features new", [name for name in after if name not in before])
    for name in before.keys() & after.keys():
        a, b = before[name].importance, after[name].importance
        if abs(b - a) >= 0.01:
            lines.append(f"importance of {name}: {a:.3f} -> {b:.3f}")
    return sorted(lines)


def _list_names(title: str, names: Sequence[str]) -> list[str]:
    return [f"{title}: {', '.join(names)}"] if names else []


def _describe_data(card: Card) -> str:
    return f"{card.data.source} ({card.data.rows:,} rows, SHA-256 {card.data.sha256[:8]}…)"


def _list_libraries(card: Card) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(card.libraries.items()))
