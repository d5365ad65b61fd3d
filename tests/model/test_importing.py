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
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from model.cli import main
from model.features import TransactionReader
from model.registry import Registry
from model.scorer import load_scorer

ROWS = 2000


def sample() -> pd.DataFrame:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "amount": random.lognormal(3, 1, ROWS).round(2),
            "items": random.integers(1, 9, ROWS),
            "channel": random.choice(["web", "app", "shop"], ROWS),
            "income": np.where(random.random(ROWS) < 0.1, np.nan, random.normal(0, 9, ROWS)),
        }
    )
    logit = -3 + 0.6 * np.log(frame.amount) + 1.5 * (frame.channel == "web")
    frame["fraud"] = (random.random(ROWS) < 1 / (1 + np.exp(-logit))).astype(int)
    return frame


FRAME = sample()
NUMBERS = ["amount", "items"]


def mixed(classifier: Any) -> Any:
    columns = ColumnTransformer(
        [("n", StandardScaler(), NUMBERS), ("c", OneHotEncoder(), ["channel"])]
    )
    return make_pipeline(columns, classifier)


def forest() -> Any:
    return RandomForestClassifier(20, min_samples_leaf=3, random_state=0)


# how it is made, the columns it was fitted on, as a table with names or as a matrix
MODELS: dict[str, tuple[Callable[[], Any], list[str], bool]] = {
    "columns and categories": (lambda: mixed(LogisticRegression()), [*NUMBERS, "channel"], True),
    "columns and trees": (
        lambda: mixed(GradientBoostingClassifier(n_estimators=20, random_state=0)),
        [*NUMBERS, "channel"],
        True,
    ),
    "forest": (forest, NUMBERS, True),
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
    "naive Bayes": (lambda: GaussianNB(), NUMBERS, False),
}


def write(folder: Path, model: Any, columns: list[str]) -> list[str]:
    """The files and the command that imports them."""
    joblib.dump(model, folder / "my.joblib")
    FRAME[[*columns, "fraud"]].to_csv(folder / "sample.csv", index=False)
    return [
        "import",
        str(folder / "my.joblib"),
        *("--models", str(folder / "models")),
        *("--data", str(folder / "sample.csv"), "--target", "fraud"),
    ]


@pytest.mark.parametrize(("make", "columns", "named"), MODELS.values(), ids=MODELS.keys())
def test_an_imported_model_is_served_and_equal(
    tmp_path: Path, make: Callable[[], Any], columns: list[str], named: bool
) -> None:
    """Through the request reader, row by row, against scikit-learn's own probabilities."""
    rows = FRAME[columns]
    model = make().fit(rows if named else rows.to_numpy(), FRAME.fraud)
    assert main(write(tmp_path, model, columns)) == 0

    scorer = load_scorer(tmp_path / "models")
    reader = TransactionReader(scorer.card)
    requests = rows.astype(object).where(rows.notna(), None).to_dict("records")
    scores = scorer.score([reader.read(request).row for request in requests])

    expected = model.predict_proba(rows if named else rows.to_numpy())[:, 1]
    assert np.abs(np.array(scores) - expected).max() <= 1e-5


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


def test_the_card_says_where_the_model_comes_from(tmp_path: Path) -> None:
    main(write(tmp_path, forest().fit(FRAME[NUMBERS], FRAME.fraud), NUMBERS))

    card = load_scorer(tmp_path / "models").card

    assert card.model_type == "RandomForestClassifier"
    assert any("an imported model" in note for note in card.data.notes)
    assert [feature.name for feature in card.features] == NUMBERS
    assert "model.joblib" in card.files


class Odd(DummyClassifier):  # type: ignore[misc]
    """What no converter knows."""


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no probabilities": (lambda: SVC(), "gives no probabilities"),
    "three classes": (lambda: "three", "its classes: [0, 1, 2]"),
    "unknown model": (lambda: Odd(strategy="prior"), "cannot be converted to ONNX"),
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
