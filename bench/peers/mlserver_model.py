"""The model as a custom runtime of MLServer, after its makers' guide: the open inference protocol,
version 2. model-settings.json beside this file names it."""

from __future__ import annotations

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse
from onnx_model import Onnx


class Fraud(MLModel):
    """One input, `features`; one output, `fraud_probability`."""

    async def load(self) -> bool:
        """In each of the parallel workers."""
        self._model = Onnx()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Of the first row."""
        [row] = NumpyCodec.decode_input(payload.inputs[0])
        scored = np.array([[self._model.score([*row])]])
        output = NumpyCodec.encode_output("fraud_probability", scored)
        return InferenceResponse(model_name=self.name, outputs=[output])
