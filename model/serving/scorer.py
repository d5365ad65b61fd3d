"""From rows of numbers to fraud probabilities, by ONNX Runtime.

Nothing is unpickled, unless a version has no other file and that was allowed.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np
import numpy.typing as npt

from model.serving.background_rows import BACKGROUND_FILE, read_background
from model.serving.card import ONNX_FILE, Card, load_card, read_checked
from model.serving.errors import ModelError, NotAllowed
from model.serving.explain import Explainer
from model.serving.registry import Registry

if TYPE_CHECKING:
    import onnxruntime as ort

INPUT: Final = "features"
OUTPUT: Final = "fraud_probability"
_PART: Final = 10_000
_DTYPES: Final[dict[str, type[np.floating]]] = {
    "tensor(double)": np.float64,
    "tensor(float)": np.float32,
}


class Scorer(Protocol):
    """What the handler needs of a model. `trained_at`: Unix seconds."""

    card: Card
    trained_at: float

    def score(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Fraud probabilities, one per row; rows have the card's columns in the card's order."""
        ...


class TableScorer(Scorer, Protocol):
    """A loaded version: it also scores whole tables."""

    def score_table(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same for an array (n, columns) of any length, in bounded memory."""
        ...


class OnnxScorer:
    """The scorer of a published `model.onnx`. One thread: the workers are the parallelism."""

    def __init__(self, card: Card, folder: Path, trained_at: float) -> None:
        self.card = card
        self.trained_at = trained_at
        path = folder / ONNX_FILE
        self._session = _open_session(read_checked(folder, card, ONNX_FILE), path)
        self._dtype = _read_input_type(self._session, path, len(card.features))
        self._outputs = [OUTPUT]

    def score(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """Fraud probabilities, one per row; a wrong number of columns is an error."""
        if not rows:
            return []
        probabilities: list[float] = self._run(np.array(rows, dtype=self._dtype)).tolist()
        return probabilities

    def score_table(self, features: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """The same for an array (n, columns) of any length, in bounded memory."""
        parts = [
            self._run(features[start : start + _PART].astype(self._dtype))
            for start in range(0, len(features), _PART)
        ]
        return np.concatenate([np.zeros(0), *parts])

    def _run(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        scores: npt.NDArray[np.floating] = self._session.run(self._outputs, {INPUT: features})[0]
        return scores.ravel()


def load_scorer(model_dir: Path, allow_joblib: bool = False) -> TableScorer:
    """The champion of a registry folder; a ModelError is one sentence about what is wrong."""
    registry = Registry(model_dir)
    return load_version(registry, registry.champion(), allow_joblib)


def load_version(registry: Registry, version: str, allow_joblib: bool = False) -> TableScorer:
    """The scorer of one published version, its card and its file checked by their hashes.

    NotAllowed where it can only be served from joblib and `allow_joblib` is false.
    """
    folder = registry.folder(version)
    card = load_card(folder)
    trained_at = registry.published(version).trained_at
    if card.format == "onnx":
        return OnnxScorer(card, folder, trained_at)
    if not allow_joblib:
        raise NotAllowed(
            f"version {version} is kept as joblib, and loading it runs whatever is in its file;"
            " if you trust where it comes from, allow it: ALLOW_JOBLIB=true"
        )
    return _load_joblib(folder, card, trained_at)


def _load_joblib(folder: Path, card: Card, trained_at: float) -> TableScorer:
    # Read when scikit-learn's OpenMP library is loaded, for every thread: one thread a worker.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        from model.serving.joblib_scorer import load_joblib

        return load_joblib(folder, card, trained_at)
    except ImportError as error:
        raise ModelError(
            f"version {card.version} is kept as joblib and needs scikit-learn, which is not here"
            f" ({error}): install requirements/train.txt beside requirements.txt"
        ) from error


def load_explainer(model_dir: Path, scorer: TableScorer) -> Explainer | None:
    """What explains the scorer's answers; None where its version has no background sample."""
    if BACKGROUND_FILE not in scorer.card.files:
        return None
    folder = Registry(model_dir).folder(scorer.card.version)
    return Explainer(scorer.score_table, read_background(folder, scorer.card))


def _open_session(model: bytes, path: Path) -> ort.InferenceSession:
    # Here, because gunicorn's master imports this file: a fork of a process that has imported ONNX
    # Runtime aborts when it ends.
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own errors share no other base class.
        raise ModelError(f"{path} is not a model that ONNX Runtime can load: {error}") from error


def _read_input_type(session: ort.InferenceSession, path: Path, columns: int) -> type[np.floating]:
    """The floats that the model takes, after a check that its shape is the card's."""
    inputs = session.get_inputs()
    outputs = [output.name for output in session.get_outputs()]
    if [node.name for node in inputs] != [INPUT] or OUTPUT not in outputs:
        raise ModelError(f"{path} has no input '{INPUT}' and output '{OUTPUT}'; it is foreign")
    shape, kind = inputs[0].shape, inputs[0].type
    if len(shape) != 2 or shape[1] != columns or kind not in _DTYPES:
        raise ModelError(f"{path} takes {kind} {shape}, its card describes {columns} features")
    return _DTYPES[kind]
