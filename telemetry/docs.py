"""Writes the tables of docs/telemetry.md from the metrics: `python -m telemetry.docs`.

Only what stands between the markers is generated; the words around it are written by hand.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from telemetry import metrics
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


def current(page: str) -> str:
    """The page with its generated part made anew; raises ValueError where a marker is missing."""
    return replace_generated(page, COMMAND, generated())


def generated() -> str:
    """The table of metrics, their sum, and the table of labels."""
    rows = [
        "| name in Prometheus | OpenTelemetry instrument | kind | labels | series at start"
        " | at most | meaning |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(metric) for metric in METRICS),
    ]
    start = sum(series_at_start(metric) for metric in METRICS)
    most = sum(series_at_most(metric) for metric in METRICS)
    total = (
        f"Together **{start} series a worker** at the start and never more than {most}"
        f" (a histogram counts its buckets, `_sum` and `_count`;"
        f" {len(FEATURE_BINS)} features with {sum(FEATURE_BINS.values())} bins)."
    )
    labels = ["| label | values |", "| --- | --- |", *_label_rows()]
    return "\n".join([*rows, "", total, "", *labels])


def series_at_start(metric: Metric) -> int:
    """Series of one worker before anything was counted, without a challenger."""
    if metric == metrics.CHALLENGER_SHARE_TARGET:
        return 0
    if _is_of_the_card(metric):
        return _card_series(metric)
    known = sum(metric.is_known(labels) for labels in metric.combinations())
    return known * _width(metric)


def series_at_most(metric: Metric) -> int:
    """Series of one worker with a challenger if every combination of its labels were counted."""
    if _is_of_the_card(metric):
        return _card_series(metric)
    return sum(1 for _ in metric.combinations()) * _width(metric)


def _is_of_the_card(metric: Metric) -> bool:
    return metric.kind is Kind.GAUGE or () in metric.labels.values()


def _card_series(metric: Metric) -> int:
    if "bin" in metric.labels:
        # A feature's values have "below" and "above" beside their bins.
        own = sum(bins + 2 for bins in FEATURE_BINS.values())
        return own if "feature" in metric.labels else SCORE_BINS
    series = len(FEATURE_BINS) if "feature" in metric.labels else 1
    return series * len(metric.labels.get("problem", ("",)))


def _width(metric: Metric) -> int:
    # A histogram's cells are its buckets and the sum; Prometheus has the count beside them.
    return 1 if metric.kind is Kind.COUNTER else count_cells(metric) + 1


def _row(metric: Metric) -> str:
    unit = f" `{metric.unit}`" if metric.unit else ""
    labels = ", ".join(metric.labels) or "none"
    return (
        f"| `{metric.exposed}` | `{metric.name}`{unit} | {metric.kind.value} | {labels}"
        f" | {series_at_start(metric)} | {series_at_most(metric)} | {metric.meaning} |"
    )


def _label_rows() -> list[str]:
    values: dict[str, tuple[str, ...]] = {}
    for metric in METRICS:
        for label, closed in metric.labels.items():
            values[label] = closed or ("from the model card",)
    values["endpoint"] = (*metrics.ENDPOINTS, metrics.OTHER)
    return [f"| `{label}` | {', '.join(closed)} |" for label, closed in sorted(values.items())]


def main() -> int:
    """0 if the page is current (with --check) or was written; 1 if --check finds it is not."""
    parser = argparse.ArgumentParser(prog="python -m telemetry.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    asked = parser.parse_args()
    page = PAGE.read_text()
    wanted = current(page)
    if asked.check and page != wanted:
        print(f"{PAGE.name} is not current: run 'make generate'", file=sys.stderr)
        return 1
    if not asked.check:
        PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
