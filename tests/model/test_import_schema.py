"""An imported model's schema: what it looks at, and no allowed value that it would refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from model.cli import main
from model.serving.features import TransactionReader
from model.serving.scorer import TableScorer, load_scorer

ROWS = 600
Floats = npt.NDArray[np.float64]


def make_table(hours: list[int]) -> pd.DataFrame:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "tx": [f"t{number}" for number in range(ROWS)],
            "amount": random.lognormal(3, 1, ROWS).round(2),
            "hour": np.resize(hours, ROWS),
        }
    )
    frame["fraud"] = (frame.amount + 3 * (frame.hour > 2) > 28).astype(int)
    return frame


def fit_hours(frame: pd.DataFrame, **encoder: Any) -> Any:
    columns = ColumnTransformer(
        [("h", OneHotEncoder(**encoder), ["hour"]), ("n", "passthrough", ["amount"])]
    )
    model = make_pipeline(columns, LogisticRegression(max_iter=1000))
    return model.fit(frame.drop(columns="fraud"), frame.fraud)


def run_import(folder: Path, model: Any, frame: pd.DataFrame, *more: str) -> int:
    joblib.dump(model, folder / "my.joblib")
    frame.to_csv(folder / "sample.csv", index=False)
    files = ["--models", str(folder / "models"), "--data", str(folder / "sample.csv")]
    return main(["import", str(folder / "my.joblib"), *files, "--target", "fraud", *more])


def score(scorer: TableScorer, **fields: object) -> float:
    [probability] = scorer.score([TransactionReader(scorer.card).read(fields).row])
    return probability


def test_column_that_is_only_dropped_is_neither_asked_nor_described(tmp_path: Path) -> None:
    """A text id, which the model was fitted with and looks at never; the sample may lack it."""
    frame = make_table([0, 1, 2, 3])
    model = fit_hours(frame)

    assert run_import(tmp_path, model, frame) == 0
    assert run_import(tmp_path, model, frame.drop(columns="tx")) == 0

    scorer = load_scorer(tmp_path / "models")
    assert [feature.name for feature in scorer.card.features] == ["amount", "hour"]
    row = pd.DataFrame({"tx": ["?"], "amount": [30.0], "hour": [3]})
    assert score(scorer, amount=30.0, hour=3) == pytest.approx(model.predict_proba(row)[0, 1])


def test_whole_numbers_that_an_encoder_knows_are_the_bounds(tmp_path: Path) -> None:
    frame = make_table([0, 1, 2, 3])

    assert run_import(tmp_path, fit_hours(frame), frame) == 0

    [_, hour] = load_scorer(tmp_path / "models").card.features
    assert (hour.minimum, hour.maximum) == (0, 3)


def test_gap_in_the_numbers_that_an_encoder_knows_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hour 4 of 0 to 5: allowed by the card, an error of scikit-learn."""
    frame = make_table([0, 1, 2, 3, 5])

    assert run_import(tmp_path, fit_hours(frame), frame) == 1
    error = capsys.readouterr().err
    assert "refuses hour = 4, which a request may hold" in error
    assert "handle_unknown='ignore'" in error


def test_number_that_an_encoder_ignores_is_scored_as_scikit_learn_does(tmp_path: Path) -> None:
    frame = make_table([0, 1, 2, 3, 5])
    model = fit_hours(frame, handle_unknown="ignore")

    assert run_import(tmp_path, model, frame) == 0

    scorer = load_scorer(tmp_path / "models")
    for hour in (4, 40):
        row = pd.DataFrame({"tx": ["?"], "amount": [30.0], "hour": [hour]})
        assert score(scorer, amount=30.0, hour=hour) == pytest.approx(
            model.predict_proba(row)[0, 1]
        )


class Reversed(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Its classes stand in falling order, as some libraries have them."""

    def __init__(self, labels: tuple[object, object] = (1, 0)) -> None:
        self.labels = labels

    def fit(self, rows: Any, target: Any) -> Reversed:
        self.classes_ = np.array(self.labels)
        self.n_features_in_ = np.asarray(rows).shape[1]
        return self

    def predict_proba(self, rows: Any) -> Floats:
        fraud = 1 / (1 + np.exp(-0.05 * (np.asarray(rows, dtype=float)[:, 0] - 28)))
        return np.column_stack([fraud, 1 - fraud])


def test_fraud_is_the_class_of_label_1_wherever_it_stands(tmp_path: Path) -> None:
    frame = make_table([0, 1, 2])[["amount", "fraud"]]
    model = Reversed().fit(frame[["amount"]], frame.fraud)

    assert run_import(tmp_path, model, frame, "--allow-joblib") == 0

    scorer = load_scorer(tmp_path / "models", allow_joblib=True)
    assert score(scorer, amount=1000.0) > 0.99
    assert scorer.card.metrics.roc_auc > 0.9


def test_fraud_is_the_class_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Labels as words, in the model and in the sample."""
    frame = make_table([0, 1, 2])[["amount", "fraud"]]
    frame["fraud"] = np.where(frame.fraud == 1, "bad", "good")
    model = LogisticRegression().fit(frame[["amount"]], frame.fraud)

    assert run_import(tmp_path, model, frame) == 1
    assert "--positive LABEL names the one that is fraud" in capsys.readouterr().err
    assert run_import(tmp_path, model, frame, "--positive", "bad") == 0

    scorer = load_scorer(tmp_path / "models")
    row = pd.DataFrame({"amount": [40.0]})
    assert score(scorer, amount=40.0) == pytest.approx(model.predict_proba(row)[0, 0])


def test_names_with_underscores_for_blanks_are_found(tmp_path: Path) -> None:
    """As LightGBM writes them."""
    frame = make_table([0, 1])[["amount", "fraud"]]
    model = LogisticRegression().fit(
        frame[["amount"]].set_axis(["the_amount"], axis=1), frame.fraud
    )

    assert run_import(tmp_path, model, frame.rename(columns={"amount": "the amount"})) == 0
    assert [f.name for f in load_scorer(tmp_path / "models").card.features] == ["the_amount"]


class Endless(Reversed):
    """Its probabilities never come."""

    def predict_proba(self, rows: Any) -> Floats:
        while True:
            pass


def test_probabilities_that_never_come_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = make_table([0, 1])[["amount", "fraud"]]
    model = Endless().fit(frame[["amount"]], frame.fraud)

    assert run_import(tmp_path, model, frame, "--time-limit", "1s") == 1
    assert "predict_proba of Endless did not end within 1 s" in capsys.readouterr().err


def test_converter_that_never_ends_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert_for_ever(*given: object, **named: object) -> None:
        while True:
            pass

    monkeypatch.setattr("model.onnx.foreign.to_onnx", convert_for_ever)
    frame = make_table([0, 1])[["amount", "fraud"]]
    model = GaussianNB().fit(frame[["amount"]], frame.fraud)

    assert run_import(tmp_path, model, frame, "--time-limit", "3s") == 1
    assert "converting GaussianNB did not end within 3 s" in capsys.readouterr().err
