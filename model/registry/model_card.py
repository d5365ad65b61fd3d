"""MODEL_CARD.md: the card for people who decide whether to use the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from model.registry.plots import CALIBRATION_FILE, IMPORTANCE_FILE, PRECISION_RECALL_FILE
from model.registry.report import FIGURES
from model.serving.card import MODEL_FILE, ONNX_FILE, SCALER_FILE, Card, Feature, Metrics

MODEL_CARD_FILE: Final = "MODEL_CARD.md"


def render_model_card(card: Card) -> str:
    """The whole text, in Markdown."""
    parts = [
        f"# Model {card.version}",
        _render_overview(card),
        "## How good it is",
        _render_judgement(card),
        _render_figures(card),
        f"![Precision and recall]({PRECISION_RECALL_FILE}) ![Calibration]({CALIBRATION_FILE})",
        *_render_segments(card.segments),
        "## What it was made from",
        _render_data(card),
        "## What it takes",
        _render_features(card.features),
        f"![Importance]({IMPORTANCE_FILE})",
        "## Limits",
        _render_limits(card),
        "## How to make it again",
        _render_recipe(card),
    ]
    return "\n\n".join(parts) + "\n"


def _render_judgement(card: Card) -> str:
    """Which rows the figures come from, and whether they are of the very model that is served."""
    lines = (
        f"On the holdout: {card.metrics.rows:,} rows later than all that it was fitted to,"
        f" {card.metrics.frauds:,} of them frauds. In brackets 95 % bootstrap bounds."
    )
    if card.data.refit_rows is None:
        return lines
    return (
        f"{lines} These are figures of the same model fitted to the first"
        f" {card.data.training_rows:,} rows, at the threshold that was chosen for it. The served"
        f" model was then fitted once more, to all {card.data.refit_rows:,} rows, the holdout among"
        " them: no row is left that could judge it."
    )


def _render_overview(card: Card) -> str:
    lines = [
        f"- Model: {card.model_type}, served by {_render_server(card)}",
        f"- Answers: the probability of fraud; from {card.threshold:g} on it predicts fraud"
        f" ({card.threshold_rule})",
        f"- Risk: medium from {card.risk_levels.medium:g}, high from {card.risk_levels.high:g}",
        f"- Calibration: {_render_calibration(card)}",
    ]
    if card.candidates:
        tried = ", ".join(f"{name} {score:.4f}" for name, score in card.candidates.items())
        lines.append(f"- Chosen by average precision on the validation rows: {tried}")
    return "\n".join(lines)


def _render_server(card: Card) -> str:
    if card.format == "onnx":
        return f"ONNX Runtime from `{ONNX_FILE}`"
    return f"scikit-learn from `{MODEL_FILE}`, only where `ALLOW_JOBLIB=true`"


def _render_calibration(card: Card) -> str:
    if card.calibration is None:
        return "the model's own probabilities"
    slope, shift = card.calibration
    return f"sigmoid, slope {slope:.4g}, shift {shift:.4g}"


def _render_figures(card: Card) -> str:
    rows = []
    for name, label in FIGURES.items():
        cell = f"{getattr(card.metrics, name):.4f}"
        if name in card.intervals:
            low, high = card.intervals[name]
            cell += f" [{low:.4f}, {high:.4f}]"
        rows.append((label, cell))
    return _render_table(("figure", "holdout"), rows)


def _render_segments(segments: dict[str, Metrics]) -> list[str]:
    if not segments:
        return []
    rows = [
        (
            name,
            f"{item.rows:,}",
            f"{item.frauds:,}",
            f"{item.average_precision:.4f}",
            f"{item.precision:.4f}",
            f"{item.recall:.4f}",
            f"{item.calibration_error:.4f}",
        )
        for name, item in segments.items()
    ]
    titles = (
        "segment",
        "rows",
        "frauds",
        "average precision",
        "precision",
        "recall",
        "calibration",
    )
    return ["### By segment", _render_table(titles, rows)]


def _render_data(card: Card) -> str:
    data = card.data
    lines = [
        f"- {data.source}, SHA-256 `{data.sha256}`",
        f"- {data.rows:,} rows, {data.frauds:,} frauds ({data.frauds / data.rows:.2%}),"
        f" label `{data.target}`; {_render_fit(card)}",
        *(f"- {note}" for note in data.notes),
    ]
    return "\n".join(lines)


def _render_fit(card: Card) -> str:
    judged = f"fitted to the first {card.data.training_rows:,}"
    if card.data.refit_rows is None:
        return judged
    return f"{judged} to be judged, then to all {card.data.refit_rows:,} to be served"


def _render_features(features: Sequence[Feature]) -> str:
    rows = [
        (
            f"`{item.name}`",
            item.type + (" or null" if item.nullable else ""),
            _render_allowed(item),
            f"{item.quantiles[5]:g}" if item.quantiles else "",
            f"{item.importance:.3f}",
            item.description,
        )
        for item in features
    ]
    return _render_table(("feature", "type", "allowed", "median", "importance", "meaning"), rows)


def _render_allowed(feature: Feature) -> str:
    if feature.categories is not None:
        return ", ".join(feature.categories)
    if feature.minimum is None or feature.maximum is None:
        return ""
    return f"{feature.minimum:,.12g} to {feature.maximum:,.12g}"


def _render_limits(card: Card) -> str:
    lines = [
        "- The figures hold for rows like those of the holdout; the service's drift and outcome"
        " metrics tell whether the live ones still are.",
        "- A value outside the allowed range, or a category never trained on, is refused, not"
        " scored.",
    ]
    if card.format == "joblib":
        scaler = f" and `{SCALER_FILE}`" if SCALER_FILE in card.files else ""
        lines.append(
            f"- Loading `{MODEL_FILE}`{scaler} runs whatever their maker put into them. Hashes"
            " notice damage, not malice: serve them only if you trust where they come from. The"
            f" service needs scikit-learn {card.libraries.get('scikit-learn', '')} for them."
        )
    if card.metrics.frauds < 200:
        lines.append(
            f"- Only {card.metrics.frauds} frauds judge it: the bounds are wide, heed them."
        )
    return "\n".join(lines)


def _render_recipe(card: Card) -> str:
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(card.libraries.items()))
    return f"The same data, seed {card.seed} and libraries give the same bytes: {libraries}."


def _render_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(titles) + " |", "| " + " | ".join("---" for _ in titles) + " |"]
    # A bar in a category's or column's own name would end the cell.
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
