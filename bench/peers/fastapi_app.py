"""FastAPI in front of the published model, after its makers' guides; PEER says in which form.

sklearn       joblib files, with prometheus-fastapi-instrumentator
onnx          ONNX Runtime, no telemetry at all
onnx_otel     the same, instrumented by OpenTelemetry; its sampler is set by OTEL_* variables
"""

from __future__ import annotations

import os
from typing import Any

import joblib
import numpy as np
from fastapi import FastAPI
from onnx_model import VERSION, Onnx
from pydantic import BaseModel, Field

THRESHOLD = 0.5


class Transaction(BaseModel):
    """The default model's features, in its order."""

    amount: float = Field(ge=0, le=50_000)
    age: int = Field(ge=18, le=100)
    account_balance: float = Field(ge=0)
    transaction_frequency: int = Field(ge=0)
    location_risk: float = Field(ge=0, le=1)

    def row(self) -> list[float]:
        """As the models take it."""
        return [*self.model_dump().values()]


class Prediction(BaseModel):
    """The answer."""

    prediction: str
    fraud_probability: float


class Sklearn:
    """As a notebook leaves it."""

    def __init__(self) -> None:
        self._scaler = joblib.load(VERSION / "scaler.joblib")
        self._model = joblib.load(VERSION / "model.joblib")

    def score(self, row: list[float]) -> float:
        """The fraud probability."""
        scaled = self._scaler.transform(np.array([row]))
        return float(self._model.predict_proba(scaled)[0, 1])


def build() -> FastAPI:
    """The application for uvicorn."""
    peer = os.environ["PEER"]
    scorer: Any = Sklearn() if peer == "sklearn" else Onnx()
    app = FastAPI()

    @app.post("/predict")
    async def predict(transaction: Transaction) -> Prediction:
        probability = scorer.score(transaction.row())
        label = "fraud" if probability >= THRESHOLD else "legitimate"
        return Prediction(prediction=label, fraud_probability=probability)

    if peer == "sklearn":
        from prometheus_fastapi_instrumentator import Instrumentator

        Instrumentator().instrument(app).expose(app)
    if peer == "onnx_otel":
        _instrument(app)
    return app


def _instrument(app: FastAPI) -> None:
    from opentelemetry import metrics, trace
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    reader = PeriodicExportingMetricReader(OTLPMetricExporter())
    metrics.set_meter_provider(MeterProvider([reader]))
    FastAPIInstrumentor.instrument_app(app)
