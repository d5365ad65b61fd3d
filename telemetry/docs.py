"""Writes the tables of docs/telemetry.md from the metrics: `python -m telemetry.docs`.

Only what stands between the markers is generated; the words around it are written by hand.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from model.serving.outcome_bins import OUTCOME_BOUNDS
from model.serving.version_slots import VERSION_SLOTS
from telemetry import metrics
from telemetry.bucket_bound import BucketBound
from telemetry.card_labels import LoadedSlots
from telemetry.generated import replace_generated
from telemetry.metrics import METRICS, Kind, Metric
from telemetry.store.layout import count_cells

PAGE = Path(__file__).resolve().parents[1] / "docs" / "telemetry.md"
COMMAND = "python -m telemetry.docs"
# Where a label comes from the card, the default model's: deciles; one fewer for
# transaction_frequency, two of whose deciles are the same whole number.
FEATURE_BINS = {
    "amount": 10,
    "age": 10,
    "account_balance": 10,
    "transaction_frequency": 9,
    "location_risk": 10,
}
SCORE_BINS = 10
_FROM_CARD = "from the model card"
_FIRST = LoadedSlots(VERSION_SLOTS[1], [(metrics.CHAMPION, VERSION_SLOTS[1])])


def regenerate(page: str) -> str:
    """The page with its generated part made anew; raises ValueError where a marker is missing."""
    parts = (_render_metrics(), _render_totals(), _render_labels(), _render_bounds())
    return replace_generated(page, COMMAND, "\n\n".join(parts))


def series_at_start(metric: Metric) -> int:
    """Series of one worker before anything was counted, without a challenger or an earlier
    champion."""
    if metric is metrics.CHALLENGER_SHARE_TARGET:
        return 0
    if _is_of_the_card(metric):
        return _card_series(metric)
    if _is_of_version(metric):
        return sum(1 for labels in metric.combinations() if _FIRST.exists(metric, labels))
    known = sum(metric.is_known(labels) for labels in metric.combinations())
    return known * _width(metric)


def series_at_most(metric: Metric) -> int:
    """Series of one worker with a challenger if every combination of its labels were counted."""
    if _is_of_the_card(metric):
        slots = VERSION_SLOTS if _is_of_version(metric) and metric.kind is Kind.COUNTER else ("",)
        return _card_series(metric) * len(slots)
    return sum(1 for _ in metric.combinations()) * _width(metric)


def _is_of_version(metric: Metric) -> bool:
    return metrics.OF_VERSION.keys() <= metric.labels.keys()


def _is_of_the_card(metric: Metric) -> bool:
    return metric.kind is Kind.GAUGE or () in metric.labels.values()


def _card_series(metric: Metric) -> int:
    if "bin" in metric.labels:
        # A feature's values have "below" and "above" beside their bins.
        of_features = sum(bins + 2 for bins in FEATURE_BINS.values())
        return of_features if "feature" in metric.labels else SCORE_BINS
    if "feature" not in metric.labels:
        return 1
    labels = metric.labels.keys() - metrics.OF_VERSION.keys()
    return len(FEATURE_BINS) * math.prod(len(metric.labels[label]) or 1 for label in labels)


def _width(metric: Metric) -> int:
    # A histogram's cells are its buckets and the sum; Prometheus has the count beside them.
    return 1 if metric.kind is Kind.COUNTER else count_cells(metric) + 1


def _render_metrics() -> str:
    head = (
        "| name in Prometheus | OpenTelemetry instrument | kind | labels | series at start"
        " | at most | meaning |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    )
    return "\n".join([*head, *(_render_metric(metric) for metric in METRICS)])


def _render_metric(metric: Metric) -> str:
    unit = f" `{metric.unit}`" if metric.unit else ""
    labels = ", ".join(metric.labels) or "none"
    return (
        f"| `{metric.exposed}` | `{metric.name}`{unit} | {metric.kind.value} | {labels}"
        f" | {series_at_start(metric)} | {series_at_most(metric)} | {metric.meaning} |"
    )


def _render_totals() -> str:
    start = sum(series_at_start(metric) for metric in METRICS)
    most = sum(series_at_most(metric) for metric in METRICS)
    return (
        f"Together **{start} series a worker** at the start and never more than {most}"
        f" (a histogram counts its buckets, `_sum` and `_count`;"
        f" {len(FEATURE_BINS)} features with {sum(FEATURE_BINS.values())} bins)."
    )


def _render_labels() -> str:
    """A row for each label, or for each of its sets of values where metrics have different ones."""
    users: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for metric in METRICS:
        for label, values in metric.labels.items():
            users.setdefault((label, values), []).append(f"`{metric.exposed}`")
    rows = [
        f"| `{label}` | {', '.join(values) or _FROM_CARD} | {', '.join(names)} |"
        for (label, values), names in sorted(users.items())
    ]
    return "\n".join(["| label | values | of |", "| --- | --- | --- |", *rows])


def _render_bounds() -> str:
    histograms = {f"`{each.exposed}`, `le`": each.bounds for each in METRICS if each.bounds}
    outcomes = ", ".join(f"`{each.exposed}`" for each in METRICS if _has_outcome_bins(each))
    rows = [
        f"| {name} | {', '.join(f'{BucketBound(bound)}' for bound in bounds)} |"
        for name, bounds in {**histograms, f"{outcomes}, `bin`": OUTCOME_BOUNDS}.items()
    ]
    return "\n".join(["| buckets of | upper bounds, inclusive |", "| --- | --- |", *rows])


def _has_outcome_bins(metric: Metric) -> bool:
    return metric.labels.get("bin") == metrics.OUTCOME_BINS


def main() -> int:
    """0 if the page is current (with --check) or was written; 1 if --check finds it is not."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    arguments = parser.parse_args()
    page = PAGE.read_text()
    wanted = regenerate(page)
    if arguments.check and page != wanted:
        print(f"{PAGE.name} is not current: run 'make generate'", file=sys.stderr)
        return 1
    if not arguments.check:
        PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
