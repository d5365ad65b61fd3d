"""Imported trees take scikit-learn's branches: rows that were not in the sample decide alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from model.cli import main
from model.serving.scorer import TableScorer, load_scorer

TRAINED = 3000


def make_rows(rows: int, seed: int, missing: float) -> tuple[pd.DataFrame, pd.Series]:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"amount": random.lognormal(3, 1, rows).round(2), "risk": random.beta(2, 5, rows)}
    )
    frame.loc[random.random(rows) < missing, "risk"] = np.nan
    score = 0.05 * frame.amount + 4 * frame.risk.fillna(0.9) - 3.5
    labels = (random.random(rows) < 1 / (1 + np.exp(-score))).astype(int)
    return frame, pd.Series(labels, name="fraud")


def bring(tmp_path: Path, model: Any, missing: float, *more: str) -> TableScorer:
    """The model imported with a sample of 305 rows."""
    joblib.dump(model, tmp_path / "my.joblib")
    sample, labels = make_rows(305, 2, missing)
    sample.assign(fraud=labels).to_csv(tmp_path / "sample.csv", index=False)
    models, data = str(tmp_path / "models"), str(tmp_path / "sample.csv")
    command = ["import", str(tmp_path / "my.joblib"), "--models", models, "--data", data]
    assert main([*command, "--target", "fraud", *more]) == 0
    return load_scorer(tmp_path / "models")


def tree() -> Any:
    return DecisionTreeClassifier(max_depth=7, random_state=0)


TAKES_MISSING: dict[str, Callable[[], Any]] = {
    "decision tree": tree,
    "extra tree": lambda: ExtraTreeClassifier(max_depth=7, random_state=0),
    "bagging": lambda: BaggingClassifier(tree(), 10, random_state=0),
    "forest": lambda: RandomForestClassifier(10, random_state=0),
    "extra trees": lambda: ExtraTreesClassifier(10, random_state=0),
    "extra trees, scaled": lambda: make_pipeline(
        StandardScaler(), ExtraTreesClassifier(10, random_state=0)
    ),
    "histogram boosting": lambda: HistGradientBoostingClassifier(max_iter=15, random_state=0),
    "calibrated": lambda: CalibratedClassifierCV(tree(), cv=2),
    "vote": lambda: VotingClassifier(
        [("a", tree()), ("b", RandomForestClassifier(5, random_state=0))],
        voting="soft",
        weights=[1, 3],
    ),
    "stack": lambda: StackingClassifier(
        [("a", tree()), ("b", RandomForestClassifier(5, random_state=0))], cv=2
    ),
    "search": lambda: GridSearchCV(tree(), {"max_depth": [3, 7]}, cv=2),
}
COMPLETE: dict[str, Callable[[], Any]] = {
    "boosting": lambda: GradientBoostingClassifier(n_estimators=15, random_state=0),
    "boosting, exponential": lambda: GradientBoostingClassifier(
        n_estimators=15, loss="exponential", random_state=0
    ),
    "AdaBoost": lambda: AdaBoostClassifier(n_estimators=15, random_state=0),
}


@pytest.mark.parametrize("name", [*TAKES_MISSING, *COMPLETE])
def test_rows_outside_the_sample_score_and_decide_alike(tmp_path: Path, name: str) -> None:
    """Trained with a third of one column missing; in the sample hardly any is."""
    make, missing = (TAKES_MISSING | COMPLETE)[name], 0.33 if name in TAKES_MISSING else 0.0
    model = make().fit(*make_rows(TRAINED, 1, missing))

    scorer = bring(tmp_path, model, missing / 50)

    other, _ = make_rows(3000, 3, missing)
    scores = scorer.score_table(other.to_numpy())
    expected = model.predict_proba(other)[:, 1]
    assert np.abs(scores - expected).max() < 1e-12
    threshold = scorer.card.threshold
    assert ((scores >= threshold) == (expected >= threshold)).all()


def test_search_is_named_by_what_it_chose(tmp_path: Path) -> None:
    model = TAKES_MISSING["search"]().fit(*make_rows(TRAINED, 1, 0.0))

    assert bring(tmp_path, model, 0.0).card.model_type == "DecisionTreeClassifier"


def test_values_beside_a_threshold_in_32_bits_go_the_same_way(tmp_path: Path) -> None:
    """A tree sees numbers in 32 bits: two that differ in 64 bits alone are the same to it."""
    frame, labels = make_rows(TRAINED, 1, 0.0)
    model = make_pipeline(StandardScaler(), tree()).fit(frame, labels)
    scorer = bring(tmp_path, model, 0.0)
    scaler, grown = model[0], model[1].tree_

    inner = grown.children_left >= 0
    columns, thresholds = grown.feature[inner], grown.threshold[inner]
    at = thresholds * scaler.scale_[columns] + scaler.mean_[columns]
    near = np.concatenate([at * (1 + step * 1e-8) for step in range(-20, 21)])
    rows = np.tile(frame.median().to_numpy(), (len(near), 1))
    rows[np.arange(len(near)), np.tile(columns, 41)] = near

    expected = model.predict_proba(pd.DataFrame(rows, columns=frame.columns))[:, 1]
    assert (scorer.score_table(rows) == expected).all()
