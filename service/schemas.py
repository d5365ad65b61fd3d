"""The JSON Schemas of what is sent and answered; a transaction's is made from the model card."""

from __future__ import annotations

from typing import Any

from model.serving.card import Card, Feature
from model.serving.vocabulary import CLASS_NAMES, RISK_LEVELS, USER_TYPES
from telemetry.error_types import STATUS_OF_ERROR

Json = dict[str, Any]
_JSON_TYPES = {"number": "number", "integer": "integer", "boolean": "boolean", "category": "string"}


def describe_schemas(card: Card, max_batch: int) -> Json:
    """Every named schema of the service that serves the model of `card`."""
    return {
        "Transaction": describe_transaction(card),
        "Batch": _describe_list("transactions", "Transaction", max_batch),
        "Prediction": _describe_prediction(),
        "Feedback": _describe_feedback(),
        "FeedbackBatch": _describe_list("feedback", "Feedback", max_batch),
        "Error": _describe_error(),
    }


def refer_to(name: str) -> Json:
    """A reference to a named schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def _build_object(properties: Json) -> Json:
    """An object with these fields, all required, and no others."""
    return {
        "type": "object",
        "required": list(properties),
        "properties": properties,
        "additionalProperties": False,
    }


def describe_transaction(card: Card) -> Json:
    """JSON Schema of one transaction: the card's features and the optional `user_type`."""
    properties = {feature.name: _describe_property(feature) for feature in card.features}
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
    return {feature.name: _choose_example(feature) for feature in card.features}


def _describe_property(feature: Feature) -> Json:
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


def _choose_example(feature: Feature) -> object:
    if feature.type == "boolean":
        return False
    if feature.categories:
        return feature.categories[0]
    median = feature.quantiles[len(feature.quantiles) // 2] if feature.quantiles else 0.0
    return round(median) if feature.type == "integer" else median


def _describe_feedback() -> Json:
    label = {"type": "string", "enum": list(CLASS_NAMES)}
    return _build_object({"receipt": {"type": "string"}, "label": label})


def _describe_list(field: str, entry: str, most: int) -> Json:
    """An object whose one field is a list of 1 to `most` entries."""
    items = {"type": "array", "minItems": 1, "maxItems": most, "items": refer_to(entry)}
    return _build_object({field: items})


def describe_simulation(most: int) -> Json:
    """The body of /simulate_traffic."""
    return _build_object({"num_requests": {"type": "integer", "minimum": 1, "maximum": most}})


def _describe_prediction() -> Json:
    return {
        "type": "object",
        "properties": {
            "prediction": {"type": "string", "enum": list(CLASS_NAMES)},
            "fraud_probability": {"type": "number", "minimum": 0, "maximum": 1},
            "risk_level": {"type": "string", "enum": list(RISK_LEVELS)},
            "user_type": {"type": "string", "enum": list(USER_TYPES)},
            "explanation": _describe_explanation(),
            "receipt": {"type": "string", "description": "signed; names this prediction later"},
            "model_version": {"type": "string"},
            "request_id": {"type": "string"},
        },
    }


def _describe_explanation() -> Json:
    return {
        "type": "object",
        "description": "with explain=true; contributions add up to probability less base_value",
        "properties": {
            "base_value": {"type": "number"},
            "contributions": {"type": "object", "additionalProperties": {"type": "number"}},
            "standard_errors": {"type": ["object", "null"]},
        },
    }


def _describe_error() -> Json:
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


def describe_predictions() -> Json:
    """The answer to a batch."""
    return {
        "type": "object",
        "properties": {
            "predictions": {"type": "array", "items": refer_to("Prediction")},
            "model_version": {"type": "string"},
            "request_id": {"type": "string"},
        },
    }
