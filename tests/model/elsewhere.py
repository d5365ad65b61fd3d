"""Models as people bring them: a sample, ways to fit to it, and the command that imports them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from model.serving.features import TransactionReader
from model.serving.scorer import TableScorer

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


class Derived(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step of somebody's own: it picks columns by their names, and no converter knows it."""

    def fit(self, table: pd.DataFrame, target: object = None) -> Derived:
        return self

    def transform(self, table: pd.DataFrame) -> Any:
        return np.column_stack([table["amount"] / table["items"], table["channel"] == "web"])


def write(folder: Path, model: Any, columns: list[str]) -> list[str]:
    """The files, and the command that imports them into `folder`/models."""
    joblib.dump(model, folder / "my.joblib")
    FRAME[[*columns, "fraud"]].to_csv(folder / "sample.csv", index=False)
    return [
        "import",
        str(folder / "my.joblib"),
        *("--models", str(folder / "models")),
        *("--data", str(folder / "sample.csv"), "--target", "fraud"),
    ]


def requests(columns: list[str]) -> list[dict[str, object]]:
    """The sample's rows as callers send them."""
    rows = FRAME[columns]
    records = rows.astype(object).where(rows.notna(), None).to_dict("records")
    return [{str(name): value for name, value in record.items()} for record in records]


def served(scorer: TableScorer, columns: list[str]) -> Any:
    """The scores of the sample's rows, each through the request reader."""
    reader = TransactionReader(scorer.card)
    return np.array(scorer.score([reader.read(request).row for request in requests(columns)]))
