"""A model made elsewhere: its joblib files, what they hold, and whether that can be served."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from model.onnx.inspection import find_columns_used, name_type
from model.serving.card import MODEL_FILE, SCALER_FILE
from model.serving.errors import ModelError
from model.serving.estimator import find_fraud_column, prepend_scaler
from model.serving.unpickling import Unpickled, unpickle


@dataclass(frozen=True)
class ForeignModel:
    """The joblib files as they are, by the names they are published under, and what they make.

    `columns_used`: the names of the columns that the model looks at, None where it knows none.
    """

    path: Path
    files: dict[str, bytes]
    whole: Any
    model_type: str
    fraud_class: str | None
    columns_used: list[str] | None
    notes: tuple[str, ...]


def read_model(
    model_path: Path, scaler_path: Path | None, fraud_class: str | None = None
) -> ForeignModel:
    """The model of a joblib file, behind its scaler; loading runs whatever its maker put into it.

    `fraud_class`: the label that stands for fraud where the model's classes are not 0 and 1.
    """
    paths = {MODEL_FILE: model_path}
    if scaler_path is not None:
        paths[SCALER_FILE] = scaler_path
    files = {name: _read_file(path) for name, path in paths.items()}
    loaded = [unpickle(files[name], str(path)) for name, path in paths.items()]
    model, *scalers = [one.object for one in loaded]
    whole = prepend_scaler(model, scalers[0] if scalers else None)
    label = _check_classifier(whole, model_path, fraud_class)
    used = find_columns_used(whole)
    return ForeignModel(
        model_path, files, whole, name_type(model), label, used, _note_versions(loaded)
    )


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelError(f"there is no file {path}") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error


def _note_versions(loaded: list[Unpickled]) -> tuple[str, ...]:
    other = sorted(frozenset().union(*(one.other_versions for one in loaded)))
    if not other:
        return ()
    return (
        f"it was fitted with scikit-learn {', '.join(other)} and imported with"
        f" {sklearn.__version__}, which does not promise the same scores",
    )


def _check_classifier(model: Any, path: Path, fraud_class: str | None) -> str | None:
    """The label of fraud as the card keeps it; None where the classes are 0 and 1."""
    if not hasattr(model, "predict_proba"):
        raise ModelError(
            f"{path} holds a {name_type(model)} that gives no probabilities (no predict_proba);"
            " wrap it in CalibratedClassifierCV, or fit it with probabilities"
        )
    classes = np.asarray(getattr(model, "classes_", [])).tolist()
    if len(classes) == 2 and find_fraud_column(classes, None) is not None:
        return None
    if len(classes) == 2 and fraud_class and find_fraud_column(classes, fraud_class) is not None:
        return fraud_class
    raise ModelError(
        f"{path} must tell 0 (legitimate) from 1 (fraud); its classes: {classes}"
        + ("; --positive LABEL names the one that is fraud" if len(classes) == 2 else "")
    )
