"""docs/telemetry.md tells the truth about the table of metrics."""

import pytest

from model.argument_groups import DEFAULT_ROWS, DEFAULT_SEED
from model.data.dataset import make_synthetic_dataset
from model.training.describe import count_deciles
from telemetry.docs import FEATURE_BINS, PAGE, current, series_at_most, series_at_start
from telemetry.metrics import METRICS, Kind


def test_page_is_current():
    assert PAGE.read_text() == current(PAGE.read_text())


def test_page_without_markers_is_refused():
    with pytest.raises(ValueError, match="begin"):
        current("# Telemetry")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.exposed)
def test_series_at_start_are_those_that_metrics_shows(client, metric):
    """The stated number is counted on a service that has done nothing."""
    suffixes = ("_bucket", "_sum", "_count") if metric.kind is Kind.HISTOGRAM else ("",)
    names = {metric.exposed + suffix for suffix in suffixes}
    lines = client.get("/metrics").text.splitlines()
    shown = sum(line.split("{")[0].split(" ")[0] in names for line in lines)
    assert shown == series_at_start(metric)
    assert series_at_start(metric) <= series_at_most(metric)


def test_bins_are_those_of_the_default_models_data():
    data = make_synthetic_dataset(DEFAULT_ROWS, DEFAULT_SEED)
    known = data.features[data.split.known]
    bins = [len(count_deciles(column).shares) for column in known.T]
    names = [column.name for column in data.columns]
    assert dict(zip(names, bins, strict=True)) == FEATURE_BINS
