"""The API's description as OpenAPI 3.1, made from the model card: another model, another schema."""

from __future__ import annotations

from typing import Any

from model.serving.card import Card, Feature
from model.serving.vocabulary import CLASS_NAMES, RISK_LEVELS, USER_TYPES
from telemetry.error_types import STATUS_OF_ERROR

_JSON_TYPES = {"number": "number", "integer": "integer", "boolean": "boolean", "category": "string"}
Json = dict[str, Any]
_FEEDBACK: Json = {
    "type": "object",
    "required": ["receipt", "label"],
    "properties": {
        "receipt": {"type": "string"},
        "label": {"type": "string", "enum": list(CLASS_NAMES)},
    },
    "additionalProperties": False,
}


def describe_api(card: Card, max_batch: int, max_simulated: int) -> Json:
    """The OpenAPI document of the service that serves the model of `card`."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fraud scoring",
            "version": card.version,
            "description": "Scores transactions for fraud. Every refusal has the shape of Error.",
        },
        "paths": _paths(max_simulated),
        "components": {
            "schemas": {
                "Transaction": transaction_schema(card),
                "Batch": _batch(max_batch),
                "Prediction": _prediction(),
                "Feedback": _FEEDBACK,
                "FeedbackBatch": _feedback_batch(max_batch),
                "Error": _error(),
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def transaction_schema(card: Card) -> Json:
    """JSON Schema of one transaction: the card's features and the optional `user_type`."""
    properties = {feature.name: _property(feature) for feature in card.features}
    required = list(properties)
    if "user_type" not in properties:
        properties["user_type"] = {
            "type": "string",
            "enum": list(USER_TYPES),
            "description": "the customer's type; derived where it is not given",
        }
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "additionalProperties": False,
        "examples": [example_transaction(card)],
    }


def example_transaction(card: Card) -> Json:
    """A usual transaction: each field's median, or its first category."""
    return {feature.name: _example(feature) for feature in card.features}


def _property(feature: Feature) -> Json:
    kind = _JSON_TYPES[feature.type]
    schema: Json = {"type": [kind, "null"] if feature.nullable else kind}
    if feature.description:
        schema["description"] = feature.description
    if feature.minimum is not None:
        schema["minimum"] = feature.minimum
    if feature.maximum is not None:
        schema["maximum"] = feature.maximum
    if feature.categories is not None:
        schema["enum"] = [*feature.categories, *([None] if feature.nullable else [])]
    return schema


def _example(feature: Feature) -> object:
    if feature.type == "boolean":
        return False
    if feature.categories:
        return feature.categories[0]
    median = feature.quantiles[len(feature.quantiles) // 2] if feature.quantiles else 0.0
    return round(median) if feature.type == "integer" else median


def _feedback_batch(most: int) -> Json:
    entries = {"type": "array", "minItems": 1, "maxItems": most, "items": _ref("Feedback")}
    return {
        "type": "object",
        "required": ["feedback"],
        "properties": {"feedback": entries},
        "additionalProperties": False,
    }


def _batch(most: int) -> Json:
    entries = {
        "type": "array",
        "minItems": 1,
        "maxItems": most,
        "items": {"$ref": "#/components/schemas/Transaction"},
    }
    return {
        "type": "object",
        "required": ["transactions"],
        "properties": {"transactions": entries},
        "additionalProperties": False,
    }


def _prediction() -> Json:
    return {
        "type": "object",
        "properties": {
            "prediction": {"type": "string", "enum": list(CLASS_NAMES)},
            "fraud_probability": {"type": "number", "minimum": 0, "maximum": 1},
            "risk_level": {"type": "string", "enum": list(RISK_LEVELS)},
            "user_type": {"type": "string", "enum": list(USER_TYPES)},
            "explanation": _explanation(),
            "receipt": {"type": "string", "description": "signed; names this prediction later"},
            "model_version": {"type": "string"},
            "request_id": {"type": "string"},
        },
    }


def _explanation() -> Json:
    return {
        "type": "object",
        "description": "with explain=true; contributions add up to probability less base_value",
        "properties": {
            "base_value": {"type": "number"},
            "contributions": {"type": "object", "additionalProperties": {"type": "number"}},
            "standard_errors": {"type": ["object", "null"]},
        },
    }


def _error() -> Json:
    error = {
        "type": "object",
        "required": ["type", "message", "field", "request_id"],
        "properties": {
            "type": {"type": "string", "enum": list(STATUS_OF_ERROR)},
            "message": {"type": "string"},
            "field": {"type": ["string", "null"]},
            "request_id": {"type": "string"},
        },
    }
    return {"type": "object", "required": ["error"], "properties": {"error": error}}


def _paths(max_simulated: int) -> Json:
    body = {"oneOf": [_ref("Transaction"), _ref("Batch")]}
    answer = {"oneOf": [_ref("Prediction"), _predictions()]}
    count = {"type": "integer", "minimum": 1, "maximum": max_simulated}
    simulate = {
        "type": "object",
        "required": ["num_requests"],
        "properties": {"num_requests": count},
        "additionalProperties": False,
    }
    return {
        "/predict": {
            "post": {
                **_guarded(
                    _operation("Score transactions", answer, body, (400, 401, 413, 415, 503))
                ),
                "parameters": [
                    {
                        "name": "explain",
                        "in": "query",
                        "description": "also tell each feature's contribution",
                        "schema": {"type": "boolean", "default": False},
                    }
                ],
            }
        },
        "/feedback": {
            "post": _guarded(
                _operation(
                    "Label predictions (delayed labels)",
                    {"type": "object"},
                    {"oneOf": [_ref("Feedback"), _ref("FeedbackBatch")]},
                    (400, 401, 409, 410, 503),
                )
            )
        },
        "/health": {"get": _operation("State, uptime, totals and resources", {"type": "object"})},
        "/health/live": {"get": _operation("Is the process alive", {"type": "object"})},
        "/health/ready": {"get": _readiness()},
        "/model_info": {"get": _operation("What is served", {"type": "object"})},
        "/metrics": {
            "get": _guarded(
                {
                    "summary": "Every metric in Prometheus' text format",
                    "responses": {
                        "200": {"description": "metrics", "content": {"text/plain": {}}},
                        "401": _refusal(),
                    },
                }
            )
        },
        "/simulate_traffic": {
            "post": _guarded(
                _operation(
                    "Score made-up transactions", {"type": "object"}, simulate, (400, 401, 429)
                )
            )
        },
    }


def _operation(
    summary: str, answer: Json, body: Json | None = None, refusals: tuple[int, ...] = ()
) -> Json:
    responses = {
        "200": {"description": "done", "content": {"application/json": {"schema": answer}}}
    }
    operation: Json = {
        "summary": summary,
        "responses": responses | {str(status): _refusal() for status in refusals},
    }
    if body is not None:
        content = {"application/json": {"schema": body}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _readiness() -> Json:
    text: Json = {"type": "string"}
    operation = _operation(
        "Should it get traffic", {"type": "object", "properties": {"status": text}}
    )
    problem = {"type": "object", "properties": {"status": text, "reason": text}}
    content = {"application/json": {"schema": problem}}
    operation["responses"]["503"] = {"description": "not ready", "content": content}
    return operation


def _guarded(operation: Json) -> Json:
    return operation | {"security": [{}, {"token": []}]}


def _refusal() -> Json:
    return {
        "description": "refused",
        "content": {"application/json": {"schema": _ref("Error")}},
    }


def _predictions() -> Json:
    return {
        "type": "object",
        "properties": {
            "predictions": {"type": "array", "items": _ref("Prediction")},
            "model_version": {"type": "string"},
            "request_id": {"type": "string"},
        },
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}
