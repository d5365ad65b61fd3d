"""The check that an ONNX file gives scikit-learn's scores."""

from __future__ import annotations

from typing import Final

import numpy as np
import onnxruntime as ort

from model.data.dataset import Floats
from model.serving.errors import ModelError
from model.serving.scorer import INPUT, OUTPUT

PARITY: Final = 1e-5
_PART: Final = 10_000


def run_onnx(model: bytes, features: Floats) -> Floats:
    """The file's scores, a number per row, on one thread as the service has."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    parts = [
        session.run([OUTPUT], {INPUT: features[start : start + _PART]})[0].ravel()
        for start in range(0, len(features), _PART)
    ]
    return np.concatenate([np.zeros(0), *parts])


def check_parity(model: bytes, features: Floats, probability: Floats) -> float:
    """Largest difference of the file's scores from scikit-learn's; more than PARITY is an error."""
    difference = float(np.max(np.abs(run_onnx(model, features) - probability)))
    if not difference <= PARITY:
        raise ModelError(
            f"the ONNX file's scores differ from scikit-learn's by up to {difference:.2g},"
            f" more than the {PARITY:g} that is allowed"
        )
    return difference
