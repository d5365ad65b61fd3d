"""`python -m bench.import_matrix`: which models made elsewhere are served equal, and how equal.

Each kind of estimator is fitted three ways (with missing values, with a category, on numbers that
stand at the edges of 32-bit floats), imported with a sample of 300 rows, and the published ONNX
file is compared with scikit-learn on rows that were not in the sample. A cell is the largest
difference and the number of other decisions at the card's threshold, or the refusal's sentence.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
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
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from model.cli import main as run_model
from model.serving.scorer import load_scorer

SAMPLE_ROWS: Final = 300
CASES: Final = ("missing values", "categories", "float32 edges")
_WORDS: Final = ("web", "shop", "phone")


def _tree() -> Any:
    return DecisionTreeClassifier(max_depth=8, random_state=0)


def _search() -> Any:
    return GridSearchCV(RandomForestClassifier(20, random_state=0), {"max_depth": [4, 8]}, cv=2)


KINDS: Final[dict[str, Callable[[], Any]]] = {
    "DecisionTree": _tree,
    "ExtraTree": lambda: ExtraTreeClassifier(max_depth=8, random_state=0),
    "RandomForest": lambda: RandomForestClassifier(30, random_state=0),
    "ExtraTrees": lambda: ExtraTreesClassifier(30, random_state=0),
    "ExtraTrees, scaled": lambda: make_pipeline(
        StandardScaler(), ExtraTreesClassifier(30, random_state=0)
    ),
    "Bagging of trees": lambda: BaggingClassifier(_tree(), 10, random_state=0),
    "Bagging, some columns": lambda: BaggingClassifier(
        _tree(), 10, max_features=0.5, random_state=0
    ),
    "GradientBoosting": lambda: GradientBoostingClassifier(n_estimators=40, random_state=0),
    "GradientBoosting, exponential": lambda: GradientBoostingClassifier(
        n_estimators=40, loss="exponential", random_state=0
    ),
    "HistGradientBoosting": lambda: HistGradientBoostingClassifier(max_iter=40, random_state=0),
    "AdaBoost": lambda: AdaBoostClassifier(n_estimators=30, random_state=0),
    "LogisticRegression": lambda: LogisticRegression(max_iter=2000),
    "LogisticRegression, scaled": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "SGD, log loss": lambda: make_pipeline(
        StandardScaler(), SGDClassifier(loss="log_loss", random_state=0)
    ),
    "LinearDiscriminant": LinearDiscriminantAnalysis,
    "QuadraticDiscriminant": lambda: QuadraticDiscriminantAnalysis(reg_param=0.01),
    "GaussianNB": GaussianNB,
    "KNeighbors": lambda: make_pipeline(StandardScaler(), KNeighborsClassifier()),
    "MLP": lambda: make_pipeline(
        StandardScaler(), MLPClassifier((16,), max_iter=200, random_state=0)
    ),
    "SVC, calibrated": lambda: make_pipeline(
        StandardScaler(), CalibratedClassifierCV(SVC(), ensemble=False, cv=2)
    ),
    "LinearSVC, calibrated": lambda: make_pipeline(
        StandardScaler(), CalibratedClassifierCV(LinearSVC(), cv=2)
    ),
    "RandomForest, calibrated": lambda: CalibratedClassifierCV(
        RandomForestClassifier(20, random_state=0), cv=2
    ),
    "HistGradientBoosting, isotonic": lambda: CalibratedClassifierCV(
        HistGradientBoostingClassifier(max_iter=20, random_state=0), method="isotonic", cv=2
    ),
    "Voting, soft": lambda: VotingClassifier(
        [("a", _tree()), ("b", RandomForestClassifier(10, random_state=0))], voting="soft"
    ),
    "Stacking": lambda: StackingClassifier(
        [("a", _tree()), ("b", RandomForestClassifier(10, random_state=0))], cv=2
    ),
    "GridSearchCV": _search,
    "PCA and a forest": lambda: make_pipeline(
        StandardScaler(), PCA(3), RandomForestClassifier(20, random_state=0)
    ),
}


def make_rows(case: str, rows: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    """Rows of one case, and their labels."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "amount": random.lognormal(3, 1, rows).round(2),
            "age": random.integers(18, 90, rows),
            "balance": random.lognormal(7, 1, rows),
            "risk": random.beta(1.5, 6, rows),
        }
    )
    score = np.log(frame.amount) + 3 * frame.risk - 0.3 * np.log(frame.balance) - 2.2
    if case == "missing values":
        gaps = random.random(rows) < 0.05
        frame.loc[gaps, "risk"] = np.nan
        score = score.where(~gaps, 0.5)
    if case == "categories":
        frame["channel"] = random.choice(_WORDS, rows)
        score += (frame.channel == "web") * 1.0
    if case == "float32 edges":
        # Neighbours of 32-bit floats: on the same side of a threshold in 32 bits, not in 64.
        single = frame.amount.round(0).to_numpy().astype(np.float32)
        nudge = random.choice([-1e-9, 0.0, 1e-9], rows)
        frame["amount"] = single.astype(np.float64) * (1 + nudge)
        frame["balance"] = 16_777_216 + random.integers(0, 4000, rows) / 8
        score = np.log(frame.amount) + 3 * frame.risk + (frame.balance - 16_777_466) / 150 - 3
    labels = pd.Series((random.random(rows) < 1 / (1 + np.exp(-2 * score))).astype(int))
    return frame, labels


def fit(case: str, make: Callable[[], Any], frame: pd.DataFrame, labels: pd.Series) -> Any:
    """The estimator, behind what the case needs; gaps are left to those that take them."""
    if case == "categories":
        columns = ColumnTransformer(
            [("c", OneHotEncoder(handle_unknown="ignore"), ["channel"])], remainder="passthrough"
        )
        return make_pipeline(columns, make()).fit(frame, labels)
    try:
        return make().fit(frame, labels)
    except ValueError:
        return make_pipeline(SimpleImputer(strategy="median"), make()).fit(frame, labels)


def measure(case: str, make: Callable[[], Any], rows: int) -> tuple[str, float]:
    """One cell, and the seconds that the import took."""
    model = fit(case, make, *make_rows(case, 3000, 1))
    sample, labels = make_rows(case, SAMPLE_ROWS, 2)
    other, _ = make_rows(case, rows, 3)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        joblib.dump(model, folder / "my.joblib")
        sample.assign(fraud=labels).to_csv(folder / "sample.csv", index=False)
        command = ["import", str(folder / "my.joblib"), "--models", str(folder / "models")]
        began = time.monotonic()
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            code = run_model([*command, "--data", str(folder / "sample.csv"), "--target", "fraud"])
        taken = time.monotonic() - began
        if code:
            said = errors.getvalue().strip().splitlines()[-1]
            return said.removeprefix("model: ").split("; --allow-joblib")[0], taken
        scorer = load_scorer(folder / "models")
        table = other.copy()
        if "channel" in table:
            [words] = [f.categories for f in scorer.card.features if f.categories]
            table["channel"] = table.channel.map(words.index)
        served = scorer.score_table(table.to_numpy(dtype=np.float64))
        expected = model.predict_proba(other)[:, 1]
        threshold = scorer.card.threshold
        flips = int(((served >= threshold) != (expected >= threshold)).sum())
        return f"{np.abs(served - expected).max():.1e}, {flips} other decisions", taken


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.import_matrix", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="rows to compare (20,000)")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), help="some kinds only")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| kind | " + " | ".join(CASES) + " | seconds |")
    print("| --- " * (len(CASES) + 2) + "|")
    for kind in asked.kinds:
        cells, seconds = [], 0.0
        for case in CASES:
            cell, taken = measure(case, KINDS[kind], asked.rows)
            cells.append(cell)
            seconds += taken
        print(f"| {kind} | {' | '.join(cells)} | {seconds:.0f} |", flush=True)
    print(f"{len(asked.kinds)} kinds, {asked.rows:,} rows", file=sys.stderr)


if __name__ == "__main__":
    main()
