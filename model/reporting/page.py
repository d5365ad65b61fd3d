"""The report as one HTML file: no script, nothing loaded from elsewhere, light and dark."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path

from model.registry.report import FIGURES
from model.reporting.charts import draw_calibration, draw_precision_recall, draw_roc
from model.reporting.content import Report, TableDrift
from model.reporting.drift import LIMIT, Drift
from model.reporting.svg import bar
from model.serving.card import Card

_STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
# Longer lists of bins than this tell nobody anything.
_MOST_BINS = 20


def render_page(report: Report) -> str:
    """The whole file."""
    title = f"Model {report.version}"
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        _render_head(report),
        _render_figures(report.card),
        *_render_curves(report),
        _render_importance(report.card),
        *_render_segments(report),
        *([] if report.against is None else _render_drift(report.against)),
    ]
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    body = "\n".join(parts)
    page = f"<head>{head}{view}</head><body><main>{body}</main></body>"
    return f'<!doctype html>\n<html lang="en">{page}</html>\n'


def _render_head(report: Report) -> str:
    card, data = report.card, report.card.data
    facts = {
        "Model": f"{card.model_type}, published {report.published}, served from {card.format}",
        "Data": f"{data.source}: {data.rows:,} rows, {data.frauds:,} frauds",
        "Threshold": f"{card.threshold:.4g}, {card.threshold_rule}",
        "Holdout": f"{card.metrics.rows:,} rows that it was not fitted to,"
        f" {card.metrics.frauds:,} of them frauds",
    }
    listed = (f"<dt>{name}</dt><dd>{html.escape(text)}</dd>" for name, text in facts.items())
    return f"<dl>{''.join(listed)}</dl>"


def _render_figures(card: Card) -> str:
    rows = []
    for name, label in FIGURES.items():
        value = getattr(card.metrics, name)
        low, high = card.intervals.get(name, (value, value))
        bounds = f"{low:.4f} to {high:.4f}"
        rows.append((label, f"{value:.4f}", bounds, bar(low, high, "band", value)))
    titles = ("figure", "holdout", "95 % bounds", "from 0 to 1")
    return _section("How good it is", _table("Figures", titles, rows))


def _render_curves(report: Report) -> list[str]:
    curves, card = report.curves, report.card
    if curves is None:
        text = "This version was published without its holdout's curves; a new training has them."
        return [_section("Curves", f"<p>{text}</p>")]
    figures = [
        _figure(
            draw_precision_recall(curves, card),
            "Precision by recall. The dot is the threshold, the band what another holdout of this"
            " size might give (95 %, bootstrap), the dotted line chance.",
        ),
        _figure(
            draw_roc(curves, card), "The same by false alarms, up to a tenth of the legitimate."
        ),
        _figure(
            draw_calibration(curves),
            "Calibration in ten bins of equal count: on the line a probability means what it says."
            " Strokes are 95 % intervals; one that misses the line is more than chance.",
        ),
    ]
    return [_section("Curves", f'<div class="figures">{"".join(figures)}</div>')]


def _render_importance(card: Card) -> str:
    ranked = sorted(card.features, key=lambda feature: -feature.importance)
    most = max((feature.importance for feature in ranked), default=0) or 1.0
    rows = [
        (
            each.name,
            f"{each.importance:.3f}",
            bar(0, each.importance / most, "live"),
            each.description,
        )
        for each in ranked
    ]
    titles = ("feature", "share", "of the loss by shuffling", "meaning")
    return _section("What it looks at", _table("Importance", titles, rows))


def _render_segments(report: Report) -> list[str]:
    if not report.segments:
        return []
    rows = [
        (
            each.name,
            f"{each.rows:,}",
            f"{each.frauds:,}",
            f"{each.recall:.3f}",
            bar(each.low, each.high, "band", each.recall),
            f"{each.precision:.3f}",
            f"{each.average_precision:.3f}",
        )
        for each in report.segments
    ]
    titles = ("segment", "rows", "frauds", "recall", "95 %, from 0 to 1", "precision", "avg prec")
    return [_section("Where it is worse", _table("Segments", titles, rows))]


def _render_drift(against: TableDrift) -> list[str]:
    moved = [each.name for each in against.drift if each.moved]
    verdict = f"Moved: {', '.join(moved)}." if moved else "Nothing has moved beyond chance."
    refused = ", ".join(f"{name} in {count:,} rows" for name, count in against.refused.items())
    left_out = f" Left out, since no request may hold them: {refused}." if refused else ""
    text = (
        f"{against.source}, {against.rows:,} rows, against the training (the score: the holdout)."
        f" {verdict}{left_out} Moved is what the alerts call so for a day: PSI less what chance"
        f" expects is above {LIMIT:g}, and PSI is above what chance hardly gives."
    )
    table = _table(
        "Drift",
        (
            "",
            "PSI",
            "expected of chance",
            "hardly by chance",
            "of the limit",
            "importance",
            "moved",
        ),
        [_summarise(each) for each in against.drift],
    )
    shown = "".join(_show_bins(each) for each in against.drift if len(each.bins) <= _MOST_BINS)
    bins = f'<div class="figures">{shown}</div>'
    return [_section("Drift", f"<p>{html.escape(text)}</p>{table}{bins}")]


def _summarise(each: Drift) -> tuple[str, ...]:
    ratio = (each.psi - each.expected) / LIMIT
    return (
        each.name,
        f"{each.psi:.4f}",
        f"{each.expected:.4f}",
        f"{each.chance:.4f}",
        bar(0, ratio, "act" if each.moved else "live"),
        "" if each.importance is None else f"{each.importance:.3f}",
        "yes" if each.moved else "no",
    )


def _show_bins(each: Drift) -> str:
    most = max(max(one.table, one.baseline) for one in each.bins) or 1.0
    rows = [
        (
            one.name,
            bar(0, one.table / most, "live", one.baseline / most),
            f"{one.table:.1%}",
            f"{one.baseline:.1%}",
        )
        for one in each.bins
    ]
    titles = (each.name, "mark: baseline", "table", "baseline")
    return f"<figure>{_table(each.name, titles, rows)}</figure>"


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _figure(chart: str, caption: str) -> str:
    return f"<figure>{chart}<figcaption>{caption}</figcaption></figure>"


def _table(label: str, titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are text, but for charts; the first names its row."""
    head = "".join(f'<th scope="col">{html.escape(title)}</th>' for title in titles)
    body = "".join(_row(cells) for cells in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    region = f'role="region" aria-label="{html.escape(label)}" tabindex="0"'
    return f'<div class="wide" {region}>{table}</div>'


def _row(cells: Sequence[str]) -> str:
    first, *others = cells
    shown = (cell if cell.startswith("<svg ") else html.escape(cell) for cell in others)
    rest = "".join(f"<td>{cell}</td>" for cell in shown)
    return f'<tr><th scope="row">{html.escape(first)}</th>{rest}</tr>'
