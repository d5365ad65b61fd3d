"""One small trained model for all tests, and cards that need no training."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model.data.dataset import Dataset, make_synthetic_dataset
from model.registry.publication import Publication
from model.registry.writer import RegistryWriter
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
from model.train import train
from model.training.candidate_names import SYNTHETIC_CANDIDATES

ROWS = 20_000
SEED = 7


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """As in training; on a busy machine two threads wait for each other more than they work."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    return make_synthetic_dataset(ROWS, SEED)


@pytest.fixture(scope="session")
def trained(
    dataset: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RegistryWriter, Publication]:
    """A registry with one version, trained on ROWS rows; not to be changed."""
    registry = RegistryWriter(tmp_path_factory.mktemp("trained") / "models")
    return registry, train(dataset, registry, seed=SEED, candidates=SYNTHETIC_CANDIDATES)


@pytest.fixture
def registry(trained: tuple[RegistryWriter, Publication], tmp_path: Path) -> RegistryWriter:
    """The same in a folder of its own, to be changed at will."""
    shutil.copytree(trained[0].root, tmp_path / "models")
    return RegistryWriter(tmp_path / "models")


METRICS = Metrics(
    rows=100,
    frauds=10,
    accuracy=0.9,
    precision=0.5,
    recall=0.5,
    f1_score=0.5,
    average_precision=0.5,
    roc_auc=0.8,
    brier=0.05,
    calibration_error=0.01,
    recall_at_low_alarm=0.2,
    alert_rate=0.1,
)


def number(name: str, low: float | None, high: float | None, **more: object) -> Feature:
    """A number with even deciles between its bounds."""
    spread = (low or 0.0, high if high is not None else 100.0)
    quantiles = tuple(spread[0] + (spread[1] - spread[0]) * step / 10 for step in range(11))
    return Feature(name=name, type="number", minimum=low, maximum=high, quantiles=quantiles, **more)  # type: ignore[arg-type]


def make_card(*features: Feature, **changes: object) -> Card:
    """A card of the given features, never trained, with no files."""
    values: dict[str, object] = {
        "schema": 1,
        "version": "1-00000000",
        "model_type": "test",
        "features": features,
        "threshold": 0.5,
        "threshold_rule": "given",
        "risk_levels": RiskLevels(0.1, 0.5),
        "metrics": METRICS,
        "data": DataSummary(
            source="test", sha256="0" * 64, rows=1, frauds=1, training_rows=1, target="fraud"
        ),
        "seed": 0,
        "score_baseline": Histogram(),
        "libraries": {},
        "files": {},
    }
    return Card(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture
def card() -> Card:
    """Every type of feature, with user types and a value band."""
    return make_card(
        number("amount", 0, 50_000),
        Feature(
            name="age",
            type="integer",
            minimum=18,
            maximum=120,
            quantiles=(18, *range(30, 120, 10), 120),
        ),
        number("balance", -1000, 1_000_000),
        Feature(name="abroad", type="boolean", baseline=Histogram((), (0.9, 0.1))),
        Feature(
            name="channel",
            type="category",
            categories=("web", "app", "shop"),
            baseline=Histogram((), (0.5, 0.3, 0.2)),
        ),
        number("income", 0, None, nullable=True, baseline=Histogram((), (), 0.5)),
        user_types=UserTypes("balance", 10_000, 1_500),
        value_band=ValueBand("amount", 250),
    )
