"""The published model in ONNX Runtime, as all the others here run it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnxruntime as ort

FOLDER = Path(os.environ["MODEL_DIR"])
VERSION = FOLDER / (FOLDER / "champion").read_text().strip()


class Onnx:
    """One thread, as here."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        path = str(VERSION / "model.onnx")
        self._session = ort.InferenceSession(path, options, ["CPUExecutionProvider"])
        single = self._session.get_inputs()[0].type == "tensor(float)"
        self._type = np.float32 if single else np.float64

    def score(self, row: list[float]) -> float:
        """The fraud probability."""
        features = np.array([row], self._type)
        return float(self._session.run(["fraud_probability"], {"features": features})[0].ravel()[0])
