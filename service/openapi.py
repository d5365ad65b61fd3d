"""The API's description as OpenAPI 3.1, made from the model card: another model, another schema.

What an endpoint refuses is read from telemetry's table of endpoints.
"""

from __future__ import annotations

from http import HTTPStatus

from model.serving.card import Card
from service.explanations import MOST_EXPLAINED
from service.openapi_operations import TAGS, document
from service.schemas import Json, describe_schemas, describe_simulation, refer_to
from telemetry.metrics import ENDPOINTS

_OBJECT: Json = {"type": "object"}
_TEXT: Json = {"type": "string"}


def describe_api(card: Card, max_batch: int, max_simulated: int) -> Json:
    """The OpenAPI document of the service that serves the model of `card`."""
    limits = {"max_batch": max_batch, "max_simulated": max_simulated}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fraud scoring",
            "version": card.version,
            "description": "Scores transactions for fraud. Every refusal has the shape of Error.",
        },
        "servers": [{"url": "/"}],
        "tags": list(TAGS),
        "paths": {
            path: {ENDPOINTS[path].method.lower(): document(path, operation, card, limits)}
            for path, operation in _describe_operations(max_simulated).items()
        },
        "components": {
            "schemas": describe_schemas(card, max_batch),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _describe_operations(max_simulated: int) -> dict[str, Json]:
    """What each path does; the method is that of telemetry's table."""
    return {
        "/predict": _describe_predict(),
        "/feedback": _describe_operation(
            "/feedback",
            "Label predictions (delayed labels)",
            _as_json(_one_of("Labelled", "LabelledBatch")),
            _one_of("Feedback", "FeedbackBatch"),
        ),
        "/health": _describe_operation(
            "/health", "State, uptime, totals and resources", _as_json(refer_to("Health"))
        ),
        "/health/live": _describe_operation(
            "/health/live", "Is the process alive", _as_json(_OBJECT)
        ),
        "/health/ready": _describe_readiness(),
        "/model_info": _describe_operation("/model_info", "What is served", _as_json(_OBJECT)),
        "/metrics": _describe_operation(
            "/metrics", "Every metric in Prometheus' text format", {"text/plain": {}}
        ),
        "/stats": _describe_operation(
            "/stats", "Counts for a glance at the service", _as_json(_OBJECT)
        ),
        "/simulate_traffic": _describe_operation(
            "/simulate_traffic",
            "Score made-up transactions",
            _as_json(refer_to("Simulated")),
            describe_simulation(max_simulated),
        ),
    }


def _describe_predict() -> Json:
    body, answer = _one_of("Transaction", "Batch"), _one_of("Prediction", "Predictions")
    explain = {
        "name": "explain",
        "in": "query",
        "description": "also give each feature's contribution, for at most"
        f" {MOST_EXPLAINED} transactions",
        "schema": {"type": "boolean", "default": False},
    }
    return _describe_operation("/predict", "Score transactions", _as_json(answer), body) | {
        "parameters": [explain]
    }


def _describe_readiness() -> Json:
    """Its 503 is no refusal: it has a status and the reason for it."""
    answer = _as_json({"type": "object", "properties": {"status": _TEXT}})
    operation = _describe_operation("/health/ready", "Should it get traffic", answer)
    problem = {"type": "object", "properties": {"status": _TEXT, "reason": _TEXT}}
    operation["responses"]["503"] = {"description": "not ready", "content": _as_json(problem)}
    return operation


def _describe_operation(path: str, summary: str, content: Json, body: Json | None = None) -> Json:
    """One endpoint: its answer's content, its body if it takes one, and all that it refuses with;
    where that may be 401, a token."""
    refusal = {"description": "refused", "content": _as_json(refer_to("Error"))}
    statuses = ENDPOINTS[path].statuses()
    responses = dict.fromkeys(statuses, refusal) | {
        "200": {"description": "done", "content": content}
    }
    operation: Json = {"summary": summary, "responses": responses}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": _as_json(body)}
    if str(HTTPStatus.UNAUTHORIZED.value) in statuses:
        operation["security"] = [{}, {"token": []}]
    return operation


def _one_of(*names: str) -> Json:
    return {"oneOf": [refer_to(name) for name in names]}


def _as_json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}
