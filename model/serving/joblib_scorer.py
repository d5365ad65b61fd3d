"""The scorer of a version that could not be converted: scikit-learn itself, from joblib files.

The only part of the serving side that unpickles. It is imported where such a version is loaded and
that was allowed, and nowhere else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import sklearn
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from model.serving.background_rows import BACKGROUND_FILE, read_background
from model.serving.card import MODEL_FILE, SCALER_FILE, Card, read_checked
from model.serving.errors import ModelError, first_line
from model.serving.estimator import Estimator, prepend_scaler
from model.serving.unpickling import Unpickled, unpickle

_PART = 10_000
_log = logging.getLogger(__name__)


class JoblibScorer:
    """Scores equal to the estimator's own `predict_proba`."""

    def __init__(self, card: Card, estimator: Estimator, trained_at: float) -> None:
        self.card = card
        self.trained_at = trained_at
        self._estimator = estimator

    def score(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Fraud probabilities, one per row; a wrong number of columns is an error."""
        if not rows:
            return []
        answer = self._estimator.probabilities(np.array(rows, dtype=np.float64))
        return [float(probability) for probability in answer]

    def score_table(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same for an array (n, columns) of any length, in bounded memory."""
        parts = [
            self._estimator.probabilities(features[start : start + _PART])
            for start in range(0, len(features), _PART)
        ]
        return np.concatenate([np.zeros(0), *parts])


def load_joblib(folder: Path, card: Card, trained_at: float) -> JoblibScorer:
    """The scorer of a published version; every file is held against its hash before any is loaded.

    What an operator must know is logged as warnings.
    """
    names = [MODEL_FILE, *([SCALER_FILE] if SCALER_FILE in card.files else [])]
    contents = [read_checked(folder, card, name) for name in names]
    loaded = [
        unpickle(data, str(folder / name)) for name, data in zip(names, contents, strict=True)
    ]
    # numpy's own threads: its library was loaded before OMP_NUM_THREADS was set.
    threadpool_limits(limits=1)
    for sentence in _list_warnings(card, loaded):
        _log.warning("%s", sentence)
    model = prepend_scaler(loaded[0].object, loaded[1].object if len(loaded) > 1 else None)
    _check_columns(model, folder / MODEL_FILE, card)
    estimator = Estimator(model, card.features, card.rows_as or "matrix", card.fraud_class)
    scorer = JoblibScorer(card, estimator, trained_at)
    _check_scoring(scorer, folder)
    return scorer


def _check_columns(model: Any, path: Path, card: Card) -> None:
    if not hasattr(model, "predict_proba"):
        raise ModelError(f"{path} holds a {type(model).__name__}, no model; it is foreign")
    columns = len(card.features)
    if getattr(model, "n_features_in_", columns) != columns:
        raise ModelError(
            f"{path} takes {model.n_features_in_} columns, its card describes {columns} features"
        )


def _check_scoring(scorer: JoblibScorer, folder: Path) -> None:
    """A model of another scikit-learn may be loaded and fail only when it is asked."""
    card = scorer.card
    if BACKGROUND_FILE not in card.files:
        return
    rows = read_background(folder, card)
    try:
        scorer.score_table(rows[:1])
    except Exception as error:  # A model of anybody's own raises anything.
        raise ModelError(
            f"version {card.version} cannot score a row that it was published with, by scikit-learn"
            f" {sklearn.__version__}: {first_line(error)}"
        ) from error


def _list_warnings(card: Card, loaded: Iterable[Unpickled]) -> list[str]:
    here, published = sklearn.__version__, card.libraries.get("scikit-learn", "an unknown version")
    sentences = [
        f"version {card.version} is served from joblib: loading it ran what is in its file, and"
        f" scikit-learn {here} scores instead of ONNX Runtime"
    ]
    if published != here:
        sentences.append(
            f"version {card.version} was published with scikit-learn {published}, here is {here}:"
            " its scores may be others; install that version or publish the model again"
        )
    fitted = sorted(frozenset().union(*(one.other_versions for one in loaded)))
    if fitted:
        sentences.append(
            f"version {card.version} was fitted with scikit-learn {', '.join(fitted)}, here is"
            f" {here}: scikit-learn does not promise that its scores are right"
        )
    return sentences
