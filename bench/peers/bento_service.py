"""The model as a service of BentoML, after its makers' guide: two workers, its own metrics on."""

from __future__ import annotations

import bentoml
from onnx_model import Onnx

THRESHOLD = 0.5


@bentoml.service(workers=2, metrics={"enabled": True}, logging={"access": {"enabled": False}})
class Fraud:
    """`POST /predict` with the features by name."""

    def __init__(self) -> None:
        self._model = Onnx()

    @bentoml.api
    def predict(
        self,
        amount: float,
        age: int,
        account_balance: float,
        transaction_frequency: int,
        location_risk: float,
    ) -> dict[str, str | float]:
        """The class and the fraud probability."""
        row = [amount, age, account_balance, transaction_frequency, location_risk]
        probability = self._model.score(row)
        label = "fraud" if probability >= THRESHOLD else "legitimate"
        return {"prediction": label, "fraud_probability": probability}
