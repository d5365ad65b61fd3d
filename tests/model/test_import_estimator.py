"""Models made elsewhere: served and equal, or refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler
from sklearn.svm import SVC

from model.cli import main
from model.serving.card import hash_file
from model.serving.registry import Registry
from model.serving.scorer import load_scorer
from tests.model.elsewhere import FRAME, NUMBERS, ROWS, forest, mixed, served, write

# how it is made, the columns it was fitted on, as a table with names or as a matrix
MODELS: dict[str, tuple[Callable[[], Any], list[str], bool]] = {
    "columns and categories": (lambda: mixed(LogisticRegression()), [*NUMBERS, "channel"], True),
    "columns and trees": (
        lambda: mixed(GradientBoostingClassifier(n_estimators=20, random_state=0)),
        [*NUMBERS, "channel"],
        True,
    ),
    "columns and forest": (lambda: mixed(forest()), [*NUMBERS, "channel"], True),
    "gaps filled and a forest": (
        lambda: make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), forest()),
        ["amount", "income"],
        True,
    ),
    "forest": (forest, NUMBERS, True),
    "robustly scaled forest": (lambda: make_pipeline(RobustScaler(), forest()), NUMBERS, False),
    "robustly scaled boosting, missing values": (
        lambda: make_pipeline(RobustScaler(), HistGradientBoostingClassifier(max_iter=20)),
        ["amount", "income"],
        False,
    ),
    "scaled boosting": (
        lambda: make_pipeline(StandardScaler(), HistGradientBoostingClassifier(max_iter=20)),
        NUMBERS,
        False,
    ),
    "missing values": (lambda: HistGradientBoostingClassifier(max_iter=20), ["income"], True),
    "calibrated": (
        lambda: CalibratedClassifierCV(LogisticRegression(), cv=3),
        NUMBERS,
        False,
    ),
    "calibrated, missing values": (
        lambda: CalibratedClassifierCV(HistGradientBoostingClassifier(max_iter=20), cv=3),
        ["amount", "income"],
        True,
    ),
    "support vectors": (
        lambda: make_pipeline(StandardScaler(), CalibratedClassifierCV(SVC(), ensemble=False)),
        NUMBERS,
        True,
    ),
    "naive Bayes": (lambda: GaussianNB(), NUMBERS, False),
}


@pytest.mark.parametrize(("make", "columns", "named"), MODELS.values(), ids=MODELS.keys())
def test_an_imported_model_is_served_and_equal(
    tmp_path: Path, make: Callable[[], Any], columns: list[str], named: bool
) -> None:
    """Through the request reader, row by row, against scikit-learn's own probabilities."""
    rows = FRAME[columns]
    model = make().fit(rows if named else rows.to_numpy(), FRAME.fraud)
    assert main(write(tmp_path, model, columns)) == 0

    scorer = load_scorer(tmp_path / "models")

    expected = model.predict_proba(rows if named else rows.to_numpy())[:, 1]
    assert scorer.card.format == "onnx"
    assert np.abs(served(scorer, columns) - expected).max() <= 1e-5


@pytest.mark.filterwarnings("ignore:The `probability` parameter was deprecated:FutureWarning")
def test_support_vectors_with_their_own_probabilities_are_served_and_equal(tmp_path: Path) -> None:
    """In the way that scikit-learn 1.9 still knows, and that models made before it use."""
    model = make_pipeline(StandardScaler(), SVC(probability=True, random_state=0))
    model.fit(FRAME[NUMBERS], FRAME.fraud)

    assert main(write(tmp_path, model, NUMBERS)) == 0

    scores = served(load_scorer(tmp_path / "models"), NUMBERS)
    assert np.abs(scores - model.predict_proba(FRAME[NUMBERS])[:, 1]).max() <= 1e-5


def test_a_scaler_of_its_own_is_applied_first(tmp_path: Path) -> None:
    matrix = FRAME[NUMBERS].to_numpy()
    scaler = StandardScaler().fit(matrix)
    model = forest().fit(scaler.transform(matrix), FRAME.fraud)
    joblib.dump(scaler, tmp_path / "scaler.joblib")
    command = write(tmp_path, model, NUMBERS)

    assert main([*command, "--scaler", str(tmp_path / "scaler.joblib")]) == 0

    scores = load_scorer(tmp_path / "models").score_table(matrix)
    expected = model.predict_proba(scaler.transform(matrix))[:, 1]
    assert np.abs(scores - expected).max() <= 1e-6


def test_a_scaler_and_a_model_that_know_their_columns_by_name_are_joined(tmp_path: Path) -> None:
    """The model was fitted on the scaled data frame: it is given one again, without a warning."""
    scaler = StandardScaler().set_output(transform="pandas").fit(FRAME[NUMBERS])
    scaled = scaler.transform(FRAME[NUMBERS])
    model = forest().fit(scaled, FRAME.fraud)
    joblib.dump(StandardScaler().fit(FRAME[NUMBERS]), tmp_path / "scaler.joblib")

    command = write(tmp_path, model, NUMBERS)
    assert main([*command, "--scaler", str(tmp_path / "scaler.joblib")]) == 0

    scores = served(load_scorer(tmp_path / "models"), NUMBERS)
    assert np.abs(scores - model.predict_proba(scaled)[:, 1]).max() <= 1e-6


def test_the_card_says_where_the_model_comes_from(tmp_path: Path) -> None:
    main(write(tmp_path, forest().fit(FRAME[NUMBERS], FRAME.fraud), NUMBERS))

    card = load_scorer(tmp_path / "models").card

    assert card.model_type == "RandomForestClassifier"
    assert any("an imported model" in note for note in card.data.notes)
    assert "converted to ONNX by the project's own graph" in card.data.notes
    assert [feature.name for feature in card.features] == NUMBERS
    assert card.files["model.joblib"] == hash_file(tmp_path / "my.joblib")


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no probabilities": (lambda: SVC(), "gives no probabilities"),
    "three classes": (lambda: "three", "its classes: [0, 1, 2]"),
}


@pytest.mark.parametrize(("make", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_served_is_named_and_nothing_is_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[], Any], sentence: str
) -> None:
    model, target = make(), FRAME.fraud
    if model == "three":
        model, target = GaussianNB(), pd.Series(np.arange(ROWS) % 3)
    model.fit(FRAME[NUMBERS].to_numpy(), target)

    assert main(write(tmp_path, model, NUMBERS)) == 1

    error = capsys.readouterr().err.splitlines()[-1]
    assert sentence in error
    assert Registry(tmp_path / "models").versions() == []


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda path: path.unlink(), "there is no file"),
        (lambda path: path.write_bytes(b"not joblib"), "cannot be loaded as a joblib file"),
        (lambda path: joblib.dump([1, 2], path), "gives no probabilities"),
    ],
    ids=["missing", "no joblib", "no model"],
)
def test_a_file_that_holds_no_model_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    damage: Callable[[Path], object],
    sentence: str,
) -> None:
    command = write(tmp_path, forest().fit(FRAME[NUMBERS], FRAME.fraud), NUMBERS)
    damage(tmp_path / "my.joblib")

    assert main(command) == 1
    assert sentence in capsys.readouterr().err


def test_a_sample_without_a_column_of_the_model_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = forest().fit(FRAME[NUMBERS], FRAME.fraud)

    assert main(write(tmp_path, model, ["amount", "channel"])) == 1
    assert "the sample has no column 'items'" in capsys.readouterr().err


def test_a_sample_of_another_width_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = forest().fit(FRAME[NUMBERS].to_numpy(), FRAME.fraud)

    assert main(write(tmp_path, model, ["amount"])) == 1
    assert "was fitted on 2 features without names, the sample has 1" in capsys.readouterr().err
