"""What a glance at the service needs of its counts: predictions by class, and answer times."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate

from telemetry.bucket_bound import BucketBound
from telemetry.metrics import HTTP_DURATION, LIVE_ENDPOINT, PREDICTIONS
from telemetry.store.layout import Layout
from telemetry.store.sources import Source


@dataclass(frozen=True)
class Totals:
    """Counts since the counters began; who wants a rate asks twice.

    `seconds`: answers to /predict within each upper bound, cumulative, as Prometheus writes them.
    """

    predictions: dict[str, int]
    seconds: dict[str, int]


def add_up(source: Source, layout: Layout) -> Totals:
    """The totals of a source at this moment."""
    cells = source.cells()
    predictions = dict.fromkeys(PREDICTIONS.labels["class_name"], 0)
    for series in layout.series[PREDICTIONS.name]:
        predictions[series.attributes()["class_name"]] += int(cells[series.offset])
    counts = [0] * (len(HTTP_DURATION.bounds) + 1)
    for series in layout.series[HTTP_DURATION.name]:
        if series.attributes()["endpoint"] == LIVE_ENDPOINT:
            buckets = cells[series.offset : series.offset + len(counts)].tolist()
            counts = [count + int(more) for count, more in zip(counts, buckets, strict=True)]
    names = [*(f"{BucketBound(bound)}" for bound in HTTP_DURATION.bounds), "+Inf"]
    return Totals(predictions, dict(zip(names, accumulate(counts), strict=True)))
