"""The JSON Schemas of what is sent and answered; a transaction's is made from the model card."""

from __future__ import annotations

from typing import Any

from model.serving.card import Card, Feature
from model.serving.vocabulary import CLASS_NAMES, RISK_LEVELS, USER_TYPES
from telemetry.error_types import STATUS_OF_ERROR
from telemetry.metrics import FEEDBACK_RESULTS

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_JSON_TYPES = {"number": "number", "integer": "integer", "boolean": "boolean", "category": "string"}


def describe_schemas(card: Card, max_batch: int) -> Json:
    """Every named schema of the service that serves the model of `card`."""
    return {
        "Transaction": describe_transaction(card),
        "Batch": _describe_list("transactions", "Transaction", max_batch),
        "Prediction": _describe_prediction("model_version", "request_id"),
        "Predictions": _describe_predictions(),
        "Feedback": _describe_feedback(),
        "FeedbackBatch": _describe_list("feedback", "Feedback", max_batch),
        "Labelled": _describe_labelled(),
        "LabelledBatch": _describe_labelled_batch(),
        "Health": _describe_health(),
        "Simulated": _describe_simulated(),
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


def _describe_prediction(*beside: str) -> Json:
    """One prediction and the text fields `beside` it; `explanation` where it was asked for."""
    properties = {
        "prediction": {"type": "string", "enum": list(CLASS_NAMES)},
        "fraud_probability": {"type": "number", "minimum": 0, "maximum": 1},
        "risk_level": {"type": "string", "enum": list(RISK_LEVELS)},
        "user_type": {"type": "string", "enum": list(USER_TYPES)},
        "receipt": {"type": "string", "description": "signed; names this prediction later"},
        **dict.fromkeys(beside, _TEXT),
    }
    schema = _build_object(properties)
    return schema | {"properties": properties | {"explanation": _describe_explanation()}}


def _describe_explanation() -> Json:
    by_feature = {"type": "object", "additionalProperties": {"type": "number"}}
    schema = _build_object(
        {
            "base_value": {"type": "number"},
            "contributions": by_feature,
            "standard_errors": by_feature | {"type": ["object", "null"]},
        }
    )
    return schema | {
        "description": "with explain=true; contributions add up to probability less base_value"
    }


def _describe_error() -> Json:
    error = {
        "type": {"type": "string", "enum": list(STATUS_OF_ERROR)},
        "message": _TEXT,
        "field": {"type": ["string", "null"]},
        "request_id": _TEXT,
    }
    return _build_object({"error": _build_object(error)})


def _describe_predictions() -> Json:
    """The answer to a batch."""
    predictions = {"type": "array", "items": _describe_prediction()}
    return _build_object({"predictions": predictions, "model_version": _TEXT, "request_id": _TEXT})


def _describe_labelled() -> Json:
    """The answer to one label: whatever was not counted is refused."""
    return _build_object({"result": {"const": "counted"}, "request_id": _TEXT})


def _describe_labelled_batch() -> Json:
    """The answer to many labels, each with its own result."""
    result = _build_object({"result": {"type": "string", "enum": list(FEEDBACK_RESULTS)}})
    return _build_object({"results": {"type": "array", "items": result}, "request_id": _TEXT})


def _describe_health() -> Json:
    percent = {"type": "number", "minimum": 0}
    usage = ("cpu_percent", "memory_percent", "disk_percent")
    return _build_object(
        {
            "status": {"const": "healthy"},
            "uptime_seconds": {"type": "number"},
            "total_predictions": {"type": "integer", "minimum": 0},
            "resources": _build_object(dict.fromkeys(usage, percent)),
            "model_version": _TEXT,
        }
    )


def _describe_simulated() -> Json:
    """The answer to /simulate_traffic."""
    count = {"type": "integer", "minimum": 0}
    return _build_object(
        {
            "num_requests": count,
            "predictions": _build_object(dict.fromkeys(CLASS_NAMES, count)),
            "errors": count,
            "duration_seconds": {"type": "number", "minimum": 0},
        }
    )
