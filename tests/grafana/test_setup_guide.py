"""docs/grafana_cloud_setup.md says what the programs do."""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path

import pytest

from grafana import guide
from grafana.arguments import parser
from grafana.cloud.access import SETTINGS
from grafana.cloud.resources import HINTS as RESOURCE_HINTS
from grafana.cloud.ruler import HINTS as RULE_HINTS
from model.argument_groups import DEFAULT_ROWS, DEFAULT_SEED
from model.data.dataset import make_synthetic_dataset
from model.training.describe import count_deciles
from telemetry.metrics import (
    CHALLENGER_SHARE_TARGET,
    METRICS,
    Kind,
    Labels,
    Metric,
)

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "grafana_cloud_setup.md").read_text(encoding="utf-8")
COLLECTOR = (ROOT / "otel-collector" / "distribution" / "settings.go").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\.venv/ops/bin/python -m grafana (.+)$", GUIDE, re.MULTILINE)


def test_guide_has_commands() -> None:
    """The next test has something to try."""
    assert len(COMMANDS) == 6


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_are_understood(command: str) -> None:
    """Each `python -m grafana …` line parses."""
    assert parser().parse_args(shlex.split(command)).run


def test_every_setting_of_the_upload_is_explained() -> None:
    """Whatever the upload may ask for is in the guide."""
    assert [name for name in SETTINGS if name not in GUIDE] == []


def test_every_setting_in_the_guide_exists() -> None:
    """GRAFANA_… names are read by the upload or by the Collector."""
    named = set(re.findall(r"\bGRAFANA_[A-Z_]+[A-Z]\b", GUIDE))

    assert {
        name for name in named if name not in SETTINGS and f'"{name}"' not in COLLECTOR
    } == set()


@pytest.mark.parametrize("row", re.findall(r"^\| `(40\d, .+?)(?: …)?` \|", GUIDE, re.MULTILINE))
def test_troubles_are_described_in_the_programs_words(row: str) -> None:
    """A sentence in the table of troubles is one that the program prints."""
    said = [
        f"{code}, {hint}" for hints in (RESOURCE_HINTS, RULE_HINTS) for code, hint in hints.items()
    ]

    assert any(sentence.startswith(row) for sentence in said)


def _is_at_start(metric: Metric, labels: Labels) -> bool:
    """Of a version that is loaded, the champion's; without a challenger."""
    of = dict(zip(metric.labels, labels, strict=True))
    if of.get("version_slot", "1") != "1":
        return False
    return metric.is_known(labels) and ("version_slot" not in of or of.get("role") != "challenger")


def known_series(bins: list[int]) -> int:
    """Series that a worker has from its start: every known label set, for features of such bins."""
    values = {
        "version": 1,
        "role": 1,
        "feature": len(bins),
        "source": 1,
        "evaluation": 1,
        "problem": 4,
        "version_slot": 1,
        "direction": 2,
        "range": 1,
    }
    total = 0
    for metric in METRICS:
        if metric is CHALLENGER_SHARE_TARGET:
            continue  # published where there is a challenger only
        if metric.kind is Kind.GAUGE or () in metric.labels.values():
            if {"feature", "bin"} <= metric.labels.keys():
                total += sum(bins) + 2 * len(bins)  # "below" and "above"
            else:
                total += math.prod(
                    (values | {"bin": 10, "range": 1})[label] for label in metric.labels
                )
        else:
            known = sum(_is_at_start(metric, labels) for labels in metric.combinations())
            # a histogram has its buckets, +Inf, sum and count
            total += known * (len(metric.bounds) + 3 if metric.kind is Kind.HISTOGRAM else 1)
    return total


def test_figures_of_the_budget_are_those_of_the_table() -> None:
    """A worker's series with the default model's bins, and what follows from them."""
    data = make_synthetic_dataset(DEFAULT_ROWS, DEFAULT_SEED)
    known = data.features[data.split.known]
    one = known_series([len(count_deciles(column).shares) for column in known.T])
    rows = {
        "one worker, a push every 60 s": (one, one),
        "two workers, a push every 60 s": (2 * one, 2 * one),
        "two workers, a push every 15 s": (2 * one, 8 * one),
        f"{10_000 // one} workers, a push every 60 s": (10_000 // one * one,) * 2,
    }

    for name, (series, samples) in rows.items():
        assert f"| {name} | {series:,} | {samples:,} | {samples / 10_000:.1%} |" in GUIDE


def test_guide_without_markers_is_refused() -> None:
    """Rather than a budget that is not there."""
    with pytest.raises(ValueError, match="must hold the lines"):
        guide.with_budget("# Grafana Cloud")
