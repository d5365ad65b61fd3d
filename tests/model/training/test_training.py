"""The same rows and seed give the same bytes, nothing leaks from the holdout, and it is good."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from model.data.dataset import Dataset, make_synthetic_dataset
from model.data.synthetic import generate
from model.registry.publication import Publication
from model.registry.writer import RegistryWriter
from model.serving.card import CARD_FILE, MODEL_FILE, ONNX_FILE, SCALER_FILE
from model.serving.errors import ModelError
from model.serving.scorer import load_scorer
from model.train import train
from model.training.candidate_names import SYNTHETIC_CANDIDATES
from model.training.metrics import measure_calibration
from tests.model.conftest import ROWS, SEED

ROOT = Path(__file__).parents[3]
FILES = (MODEL_FILE, SCALER_FILE, ONNX_FILE, CARD_FILE)


def contents(registry: RegistryWriter, version: str) -> dict[str, bytes]:
    return {name: (registry.folder(version) / name).read_bytes() for name in FILES}


def test_another_process_makes_the_same_bytes(
    trained: tuple[RegistryWriter, Publication], tmp_path: Path
) -> None:
    """Also with another order of sets and more threads allowed."""
    command = [sys.executable, "-m", "model", "train", "--models", str(tmp_path / "models")]
    environment = os.environ | {"PYTHONHASHSEED": "12345", "OMP_NUM_THREADS": "2"}
    subprocess.run(
        [*command, "--rows", str(ROWS), "--seed", str(SEED)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=True,
    )

    registry, publication = trained
    other = RegistryWriter(tmp_path / "models")

    assert other.versions() == [publication.version]
    assert contents(other, publication.version) == contents(registry, publication.version)


def test_training_again_publishes_nothing(dataset: Dataset, registry: RegistryWriter) -> None:
    before = registry.versions()

    again = train(dataset, registry, seed=SEED, candidates=SYNTHETIC_CANDIDATES)

    assert (again.is_new, again.version, registry.versions()) == (False, before[0], before)


def test_nothing_of_the_holdout_reaches_the_model(
    dataset: Dataset, trained: tuple[RegistryWriter, Publication], tmp_path: Path
) -> None:
    """With every holdout row replaced, model, scaler, threshold and baselines stay as they were."""
    rows = dataset.split.holdout
    features, target = dataset.features.copy(), dataset.target.copy()
    features[rows] = features[rows][::-1] * 1.5 + 1
    target[rows] = 1 - target[rows]
    publication = trained[1]

    replaced = dataclasses.replace(dataset, features=features, target=target)
    other = train(
        replaced, RegistryWriter(tmp_path / "models"), seed=SEED, candidates=SYNTHETIC_CANDIDATES
    )

    for name in (MODEL_FILE, SCALER_FILE, ONNX_FILE):
        assert other.card.files[name] == publication.card.files[name]
    assert other.card.threshold == publication.card.threshold
    assert [feature.baseline for feature in other.card.features] == [
        feature.baseline for feature in publication.card.features
    ]
    assert other.card.metrics != publication.card.metrics


def test_the_holdout_is_the_last_fifth_of_the_time(
    trained: tuple[RegistryWriter, Publication],
) -> None:
    card = trained[1].card

    assert (card.data.training_rows, card.metrics.rows) == (ROWS * 8 // 10, ROWS * 2 // 10)


def test_the_card_describes_the_training_rows(
    dataset: Dataset, trained: tuple[RegistryWriter, Publication]
) -> None:
    amount = trained[1].card.features[0]
    known = dataset.features[: ROWS * 8 // 10, 0]

    assert (amount.quantiles[0], amount.quantiles[10]) == (known.min(), known.max())
    assert sum(amount.baseline.shares) == pytest.approx(1, abs=1e-6)
    assert all(abs(share - 0.1) < 0.005 for share in amount.baseline.shares)
    assert sum(feature.importance for feature in trained[1].card.features) == pytest.approx(
        1, abs=1e-4
    )


@pytest.mark.parametrize(("label", "word"), [(0, "no frauds"), (1, "only frauds")])
def test_rows_of_one_class_are_refused(tmp_path: Path, label: int, word: str) -> None:
    dataset = make_synthetic_dataset(1000, 1)
    single = dataclasses.replace(dataset, target=np.full(1000, label, dtype=np.int8))

    with pytest.raises(ModelError, match=word):
        train(single, RegistryWriter(tmp_path), seed=1)


def test_the_default_model_is_near_the_best_possible_one(tmp_path: Path) -> None:
    """Average precision at least 0.97 of what the true probabilities themselves reach on 200,000
    fresh rows, and calibration error at most 0.01."""
    registry = RegistryWriter(tmp_path)
    train(make_synthetic_dataset(200_000, 1), registry, seed=1, candidates=SYNTHETIC_CANDIDATES)
    fresh = generate(200_000, 424_242)

    scores = np.array(load_scorer(registry.root).score(fresh.features.tolist()))

    best = average_precision_score(fresh.fraud, fresh.probability)
    assert average_precision_score(fresh.fraud, scores) >= 0.97 * best
    assert measure_calibration(fresh.fraud, scores) <= 0.01
