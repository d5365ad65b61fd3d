"""The examples of the API's description: requests and answers of the model of a card.

What is refused is refused by the code that refuses callers, so its sentences are the real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from model.serving.card import Card, Feature
from model.serving.features import USER_TYPE_FIELD, TransactionReader
from model.serving.invalid_transaction import InvalidTransaction
from model.serving.vocabulary import FRAUD
from service.access import Guard
from service.decisions import decide_class, decide_risk_level
from service.errors import ApiError
from service.explanations import MOST_EXPLAINED, check_explained_count
from service.feedback import MESSAGES, read_entries, read_entry
from service.requests import decode_json, read_count, read_list, read_object
from service.schemas import Json, example_transaction
from telemetry.bucket_bound import BucketBound
from telemetry.error_types import STATUS_OF_ERROR
from telemetry.metrics import ENDPOINTS, HTTP_DURATION

Refused = Callable[[], object]

RECEIPT = "WyI5MTE2Y2QxZjRhNmIwYzNkIl0.aSiQFA.bq0Z3l4n8kXyJw"
_REQUEST_ID = "9d822bc9d67ba8f64a106987cd6157a6"
_PROBABILITY = 0.0014
_TOKENS = {
    "/predict": ("PREDICT_TOKEN", "ACCESS_TOKEN"),
    "/feedback": ("FEEDBACK_TOKEN", "ACCESS_TOKEN"),
    "/metrics": ("METRICS_TOKEN", "ACCESS_TOKEN"),
    "/stats": ("METRICS_TOKEN", "ACCESS_TOKEN"),
    "/simulate_traffic": ("ACCESS_TOKEN",),
}
# Those that only a whole running service gives.
_SENTENCES = {
    "request_timeout": "the request did not arrive within 15 seconds",
    "too_large": "the body must have at most 262144 bytes",
    "too_many_requests": "a simulation is running on this worker: try again when it is done",
    "internal": "the service failed on this request; its log has the place by the request id",
}


def list_requests(card: Card, path: str) -> Json:
    """Bodies that the endpoint takes, by name."""
    transaction = example_transaction(card)
    label = {"receipt": RECEIPT, "label": FRAUD}
    bodies: Json = {
        "/predict": {"one": transaction, "batch": {"transactions": [transaction, transaction]}},
        "/feedback": {"one": label, "batch": {"feedback": [label]}},
        "/simulate_traffic": {"traffic": {"num_requests": 100}},
    }
    return dict(bodies.get(path, {}))


def list_answers(card: Card, path: str) -> Json:
    """Answers with status 200, by name."""
    prediction = _predict(card)
    end = {"model_version": card.version, "request_id": _REQUEST_ID}
    results = {"results": [{"result": "counted"}], "request_id": _REQUEST_ID}
    simulated = {"fraud": 3, "legitimate": 95}
    answers: Json = {
        "/predict": {
            "one": {**prediction, **end},
            "explained": {**prediction, "explanation": _explain(card), **end},
            "batch": {"predictions": [prediction, prediction], **end},
        },
        "/feedback": {
            "one": {"result": "counted", "request_id": _REQUEST_ID},
            "batch": results,
        },
        "/health": {"healthy": _describe_health(card)},
        "/health/live": {"alive": {"status": "alive"}},
        "/health/ready": {"ready": {"status": "ready"}},
        "/metrics": {"text": _EXPOSITION},
        "/stats": {"counts": _count(card)},
        "/model_info": {"short": _describe_model(card)},
        "/simulate_traffic": {
            "done": {
                "num_requests": 100,
                "predictions": simulated,
                "errors": 2,
                "duration_seconds": 0.021,
            }
        },
    }
    return dict(answers.get(path, {}))


def list_refusals(card: Card, path: str, limits: dict[str, int]) -> dict[int, Json]:
    """Refusals by status, and of each status by the type of the error.

    `limits`: "max_batch" and "max_simulated" of the service.
    """
    refused = {**_refuse_bodies(path), **_refuse_content(card, path, limits)}
    found: dict[int, Json] = {}
    for type in ENDPOINTS[path].errors:
        error = _catch(type, refused.get(type))
        if error is not None:
            found.setdefault(STATUS_OF_ERROR[type], {})[type] = _describe(error)
    return found


def _refuse_content(card: Card, path: str, limits: dict[str, int]) -> dict[str, Refused]:
    """What is wrong with the content of a body that can be read, by the error's type."""
    if path == "/predict":
        return _refuse_transactions(card, limits["max_batch"])
    if path == "/feedback":
        return _refuse_labels(limits["max_batch"])
    if path == "/simulate_traffic":
        return _refuse_counts(limits["max_simulated"])
    return {}


def _refuse_bodies(path: str) -> dict[str, Refused]:
    """What is wrong before the content is looked at."""
    guard = Guard(_TOKENS.get(path, ()), (), closed=True)
    return {
        "invalid_json": lambda: decode_json("application/json", b'{"amount": 12,}'),
        "unsupported_media_type": lambda: decode_json("text/plain", b"{}"),
        "unauthorized": lambda: guard.check(""),
    }


def _refuse_transactions(card: Card, max_batch: int) -> dict[str, Refused]:
    reader, usual = TransactionReader(card), example_transaction(card)
    first = card.features[0].name
    wrong: dict[str, Json] = {
        "missing_field": {name: value for name, value in usual.items() if name != first},
        "wrong_type": {**usual, first: []},
        "unknown_field": {**usual, "currency": "EUR"},
    }
    for feature in reversed(card.features):
        if (outside := _find_outside(feature)) is not None:
            wrong["out_of_range"] = {**usual, feature.name: outside}
        if feature.type == "category":
            wrong["unknown_category"] = {**usual, feature.name: "no such word"}
    if USER_TYPE_FIELD not in usual:
        wrong.setdefault("unknown_category", {**usual, USER_TYPE_FIELD: "gold"})
    return {
        "batch_size": lambda: read_list([], "transactions", max_batch),
        "too_many_explained": lambda: check_explained_count(MOST_EXPLAINED + 1),
        "unavailable": _raise_unexplained(card),
        **{type: _read_later(reader, body) for type, body in wrong.items()},
    }


def _read_later(reader: TransactionReader, body: Json) -> Refused:
    return lambda: reader.read(body)


def _raise_unexplained(card: Card) -> Refused:
    def refuse() -> None:
        raise ApiError(
            "unavailable",
            f"model {card.version} was published without the rows that explanations need",
        )

    return refuse


def _find_outside(feature: Feature) -> float | None:
    """A number that the feature's range does not hold; None where it holds all."""
    if feature.type not in ("number", "integer"):
        return None
    if feature.minimum is not None:
        return feature.minimum - 1
    return None if feature.maximum is None else feature.maximum + 1


def _refuse_labels(max_batch: int) -> dict[str, Refused]:
    entry = {"receipt": RECEIPT, "label": FRAUD}
    return {
        "missing_field": lambda: read_entry({"receipt": RECEIPT}),
        "wrong_type": lambda: read_entry({**entry, "receipt": 7}),
        "unknown_field": lambda: read_entry({**entry, "comment": "stolen card"}),
        "unknown_category": lambda: read_entry({**entry, "label": "stolen"}),
        "batch_size": lambda: read_entries({"feedback": []}, max_batch),
    }


def _refuse_counts(most: int) -> dict[str, Refused]:
    name = "num_requests"
    return {
        "missing_field": lambda: read_object({}, (name,)),
        "wrong_type": lambda: read_count("ten", name, most),
        "unknown_field": lambda: read_object({name: 1, "rate": 5}, (name,)),
        "out_of_range": lambda: read_count(most + 1, name, most),
    }


def _catch(type: str, refused: Refused | None) -> ApiError | None:
    """The error that is raised; one without code of its own here has a sentence, or no example."""
    if refused is None:
        return _find_sentence(type)
    try:
        refused()
    except InvalidTransaction as invalid:
        return ApiError(invalid.type, invalid.message, invalid.field)
    except ApiError as error:
        return error
    raise AssertionError(f"the example of {type} is not refused")


def _find_sentence(type: str) -> ApiError | None:
    result = type.removesuffix("_receipt")
    message = _SENTENCES.get(type) or MESSAGES.get(result)
    field = "receipt" if result in MESSAGES else None
    return None if message is None else ApiError(type, message, field)


def _describe(error: ApiError) -> Json:
    content = {"type": error.type, "message": error.message, "field": error.field}
    return {"error": {**content, "request_id": _REQUEST_ID}}


def _predict(card: Card) -> Json:
    transaction = TransactionReader(card).read(example_transaction(card))
    return {
        "prediction": decide_class(_PROBABILITY, card.threshold),
        "fraud_probability": _PROBABILITY,
        "risk_level": decide_risk_level(_PROBABILITY, card.risk_levels),
        "user_type": transaction.user_type,
        "receipt": RECEIPT,
    }


def _explain(card: Card) -> Json:
    """All contributions are the same here: they add up to the probability less the base value."""
    base, names = 0.03, [feature.name for feature in card.features]
    each = round((_PROBABILITY - base) / len(names), 6)
    contributions = dict.fromkeys(names, each)
    return {"base_value": base, "contributions": contributions, "standard_errors": None}


def _describe_model(card: Card) -> Json:
    """The parts that callers ask for most; the whole answer has more."""
    shown: Json = msgspec.to_builtins(
        {
            "version": card.version,
            "model_type": card.model_type,
            "features": card.features[:1],
            "threshold": card.threshold,
            "risk_levels": card.risk_levels,
            "metrics": card.metrics,
        }
    )
    return shown


def _describe_health(card: Card) -> Json:
    used = {"cpu_percent": 3.1, "memory_percent": 41.7, "disk_percent": 22.0}
    return {
        "status": "healthy",
        "uptime_seconds": 86400.0,
        "total_predictions": 120_000,
        "resources": used,
        "model_version": card.version,
    }


def _count(card: Card) -> Json:
    """A hundred predictions, all answered within a millisecond."""
    names = [*(f"{BucketBound(bound)}" for bound in HTTP_DURATION.bounds), "+Inf"]
    return {
        "time": 1_764_276_643.5,
        "model_version": card.version,
        "predictions": {"legitimate": 97, "fraud": 3},
        "predict_seconds": dict.fromkeys(names, 100) | {names[0]: 12},
        "job": "fraud-handler",
    }


def _lines() -> Iterator[str]:
    yield "# HELP predictions_total Transactions scored."
    yield "# TYPE predictions_total counter"
    labels = 'class_name="fraud",user_type="basic",endpoint="/predict",risk_level="high"'
    yield f"predictions_total{{{labels}}} 42"


_EXPOSITION = "\n".join(_lines()) + "\n"
