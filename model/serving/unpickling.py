"""Objects out of joblib files. Loading one runs whatever its maker put into it."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import joblib
from sklearn.exceptions import InconsistentVersionWarning

from model.serving.errors import ModelError, first_line


@dataclass(frozen=True)
class Unpickled:
    """The object, and the other versions of scikit-learn that parts of it were fitted with."""

    object: Any
    other_versions: frozenset[str]


def unpickle(data: bytes, origin: str) -> Unpickled:
    """The object in a joblib file's bytes; a ModelError names `origin` and what stood against it.

    scikit-learn's warning about each part of another version is returned as that version.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", InconsistentVersionWarning)
            loaded = joblib.load(io.BytesIO(data))
    except Exception as error:  # A pickle raises whatever its maker's classes raise.
        raise ModelError(
            f"{origin} cannot be loaded as a joblib file: {first_line(error)}"
        ) from error
    versions = set()
    for one in caught:
        if isinstance(one.message, InconsistentVersionWarning):
            versions.add(one.message.original_sklearn_version)
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    return Unpickled(loaded, frozenset(versions))
