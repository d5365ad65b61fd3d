"""The parts of the service with fresh, private providers: recorded ─▶ app ─▶ client."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from flask import Flask
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from handler import create_app
from model.serving.card import (
    Card,
    DataSummary,
    Feature,
    Histogram,
    Metrics,
    RiskLevels,
    UserTypes,
    ValueBand,
)
from service.feedback import Feedback
from service.model_metadata import describe_models
from service.receipts import Receipts
from service.settings import Settings, read_settings
from service.used_receipts import SqliteUsedReceipts
from telemetry.lifecycle import Telemetry, start
from telemetry.tail_sampling import TraceSettings
from tests.json_client import JsonClient, make_client
from tests.lab.traffic import TRANSACTION

pytest_plugins = ["tests.lab.fixtures"]

SILENT = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}


def _feature(
    name: str, kind: str, low: float, high: float, importance: float, bins: int = 10
) -> Feature:
    deciles = tuple(low + (high - low) * n / 10 for n in range(11))
    return Feature(
        name=name,
        type=kind,  # type: ignore[arg-type]
        minimum=float(low),
        maximum=float(high),
        importance=importance,
        contribution=0.0,
        quantiles=deciles,
        baseline=Histogram(deciles[1:bins], (*[0.1] * (bins - 1), 0.1 * (11 - bins))),
    )


HOLDOUT = Metrics(
    rows=1000,
    frauds=30,
    accuracy=0.97,
    precision=0.8,
    recall=0.7,
    f1_score=0.75,
    average_precision=0.7,
    roc_auc=0.9,
    brier=0.02,
    calibration_error=0.01,
    recall_at_low_alarm=0.3,
    alert_rate=0.03,
    mean_score=0.03,
)
"""Figures of the made card."""


def make_card() -> Card:
    """A card with the contract's five features; from 0.5 on it is fraud, from 0.3 risk medium."""
    return Card(
        schema=1,
        version="1-abcd1234",
        model_type="test",
        features=(
            _feature("amount", "number", 0, 50000, 0.5),
            _feature("age", "integer", 18, 100, 0.1),
            _feature("account_balance", "number", 0, 1_000_000, 0.1),
            _feature("transaction_frequency", "integer", 0, 200, 0.1, bins=9),
            _feature("location_risk", "number", 0, 1, 0.2),
        ),
        threshold=0.5,
        threshold_rule="given",
        risk_levels=RiskLevels(0.3, 0.7),
        metrics=HOLDOUT,
        data=DataSummary(
            source="test", sha256="0" * 64, rows=1, frauds=1, training_rows=1, target="fraud"
        ),
        seed=0,
        score_baseline=Histogram(edges=tuple(n / 10 for n in range(1, 10)), shares=(0.1,) * 10),
        libraries={},
        files={},
        user_types=UserTypes("account_balance", 10_000, 1_000),
        value_band=ValueBand("amount", 1_000),
    )


class LocationRiskScorer:
    """A model whose fraud probability is the transaction's `location_risk`, known beforehand."""

    def __init__(self) -> None:
        self.card = make_card()
        self.trained_at = 1_700_000_000.0
        self.fault: Exception | None = None

    def score(self, rows: Sequence[Sequence[float]]) -> list[float]:
        if self.fault is not None:
            raise self.fault
        return [row[4] for row in rows]


FACTS = describe_models(LocationRiskScorer(), None)


@pytest.fixture
def settings() -> Settings:
    return read_settings({"MAX_BATCH": "20", "MAX_SIMULATED": "500", "MAX_BODY_BYTES": "4096"})


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Telemetry]:
    """Telemetry of its own folder that sends nothing; where something takes spans, all are kept."""
    every = TraceSettings(share_percent=100, most_per_second=10_000)
    telemetry = start(tmp_path / "state", FACTS, 5000, SILENT, every)
    yield telemetry
    telemetry.close(1)


@pytest.fixture
def spans(recorded: Telemetry) -> InMemorySpanExporter:
    """Where the finished spans are found."""
    exporter = InMemorySpanExporter()
    recorded.tracer_provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def scorer() -> LocationRiskScorer:
    return LocationRiskScorer()


@pytest.fixture
def app(
    scorer: LocationRiskScorer, recorded: Telemetry, settings: Settings, tmp_path: Path
) -> Flask:
    receipts = Receipts(["key"])
    feedback = Feedback(
        receipts,
        SqliteUsedReceipts(tmp_path / "used"),
        recorded.recorder,
        recorded.slot_name,
        {scorer.card.version: "champion"},
        max_age_seconds=3600,
    )
    return create_app(scorer, recorded, receipts, settings, feedback=feedback)


@pytest.fixture
def client(app: Flask) -> JsonClient:
    return make_client(app)


_SAMPLE = re.compile(r"^(?P<name>\w+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def total(exposition: str, name: str, **labels: str) -> float:
    """The sum over the samples called `name` that carry all of `labels`; fails if there is none."""
    values = []
    for line in exposition.splitlines():
        found = _SAMPLE.match(line)
        if found is None or found["name"] != name:
            continue
        if labels.items() <= dict(_LABEL.findall(found["labels"] or "")).items():
            values.append(float(found["value"]))
    assert values, f"no sample {name}{labels}"
    return sum(values)


Counted = Callable[..., float]


@pytest.fixture
def counted(client: JsonClient) -> Counted:
    """counted(name, **labels): what `/metrics` says."""

    def read(name: str, **labels: str) -> float:
        return total(client.get("/metrics").text, name, **labels)

    return read


@pytest.fixture
def valid() -> dict[str, object]:
    return dict(TRANSACTION)
