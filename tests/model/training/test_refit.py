"""`train --refit`: the figures are of a model that has not seen the holdout, the served one has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.cli import main
from model.data.dataset import Dataset
from model.registry.model_card import MODEL_CARD_FILE
from model.registry.publication import Publication
from model.registry.writer import RegistryWriter
from model.serving.scorer import load_scorer
from model.train import train
from model.training.candidate_names import SYNTHETIC_CANDIDATES
from tests.model.conftest import ROWS, SEED


@pytest.fixture(scope="module")
def refitted(
    dataset: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RegistryWriter, Publication]:
    registry = RegistryWriter(tmp_path_factory.mktemp("refit") / "models")
    found = train(dataset, registry, seed=SEED, candidates=SYNTHETIC_CANDIDATES, refit=True)
    return registry, found


def test_figures_are_those_of_the_judged_model(
    trained: tuple[RegistryWriter, Publication], refitted: tuple[RegistryWriter, Publication]
) -> None:
    judged, served = trained[1].card, refitted[1].card

    assert served.metrics == judged.metrics
    assert served.score_baseline == judged.score_baseline
    assert served.files["model.onnx"] != judged.files["model.onnx"]


def test_served_model_and_its_baselines_come_from_all_rows(
    dataset: Dataset, refitted: tuple[RegistryWriter, Publication]
) -> None:
    card = refitted[1].card

    assert (card.data.training_rows, card.data.refit_rows) == (ROWS * 8 // 10, ROWS)
    amount = dataset.features[:, 0]
    assert (card.features[0].quantiles[0], card.features[0].quantiles[10]) == (
        amount.min(),
        amount.max(),
    )
    assert card.threshold_rule.startswith("on the holdout: ")


def test_card_for_people_says_which_rows_are_which(
    refitted: tuple[RegistryWriter, Publication],
) -> None:
    registry, published = refitted
    text = (registry.folder(published.version) / MODEL_CARD_FILE).read_text(encoding="utf-8")

    assert f"fitted to the first {ROWS * 8 // 10:,} rows" in text
    assert f"fitted once more, to all {ROWS:,} rows" in text


def test_without_it_what_was_judged_is_served(
    trained: tuple[RegistryWriter, Publication],
) -> None:
    registry, published = trained
    text = (registry.folder(published.version) / MODEL_CARD_FILE).read_text(encoding="utf-8")

    assert published.card.data.refit_rows is None
    assert "fitted once more" not in text


def test_category_of_the_holdout_alone_is_learnt_and_taken(tmp_path: Path) -> None:
    """Its schema is that of all rows: what it was fitted to, a request may say."""
    random = np.random.default_rng(1)
    lines = ["amount,channel,fraud"]
    for row in range(1000):
        channel = "app" if row >= 850 else "web"
        fraud = int(random.random() < 0.3)
        lines.append(f"{random.lognormal(3 + fraud, 1):.2f},{channel},{fraud}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    command = ["train", "--models", str(tmp_path / "models"), "--candidates", "logistic"]

    done = main([*command, "--data", str(tmp_path / "rows.csv"), "--target", "fraud", "--refit"])

    assert done == 0
    [_, feature] = load_scorer(tmp_path / "models").card.features
    assert feature.categories == ("app", "web")


def test_rows_inside_the_label_delay_are_in_the_last_fit(tmp_path: Path) -> None:
    """Their labels are in the file: only the judging must not know them."""
    days = pd.date_range("2024-01-01", periods=400, freq="h")
    frame = pd.DataFrame({"amount": [1.0, 2.0, 9.0, 8.0] * 100, "fraud": [0, 0, 1, 1] * 100})
    frame.assign(when=days).to_csv(tmp_path / "rows.csv", index=False)
    options = ["--target", "fraud", "--time", "when", "--label-delay", "2d", "--refit"]
    command = ["train", "--data", str(tmp_path / "rows.csv"), "--models", str(tmp_path / "models")]
    assert main([*command, *options, "--candidates", "logistic"]) == 0
    card = load_scorer(tmp_path / "models").card
    assert card.data.refit_rows == 400
    assert "48 rows inside the label delay were used for the last fit alone" in card.data.notes
