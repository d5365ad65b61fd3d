"""What readers of the API's description are told of each operation: its group, what it is for,
examples of every status, and calls to copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from model.serving.card import Card
from service.openapi_examples import list_answers, list_refusals, list_requests
from service.openapi_snippets import list_snippets, render_snippets
from service.schemas import Json

TAGS: Final = (
    {"name": "scoring", "description": "Transactions in, fraud probabilities out."},
    {"name": "feedback", "description": "What predictions turned out to be (delayed labels)."},
    {"name": "model", "description": "What is served."},
    {"name": "operation", "description": "State, probes and metrics, for whoever runs it."},
)


@dataclass(frozen=True)
class _Text:
    """What an operation belongs to, its name in generated clients, and what it is for."""

    tag: str
    name: str
    about: str


_TEXTS: Final = {
    "/predict": _Text(
        "scoring",
        "predict",
        'Send one transaction, or `{"transactions": […]}`. Keep the `receipt` of each prediction:'
        " with it the true label is sent back to `/feedback`. `?explain=true` adds what each"
        " feature contributed (Shapley values).",
    ),
    "/feedback": _Text(
        "feedback",
        "label",
        'Send a receipt with what the transaction truly was, or `{"feedback": […]}`. Each receipt'
        " is counted exactly once, so after a failure it may safely be sent again.",
    ),
    "/health": _Text("operation", "health", "For people: it is no probe."),
    "/health/live": _Text("operation", "live", "Probe: restart the process when it is silent."),
    "/health/ready": _Text("operation", "ready", "Probe: send traffic only while it is 200."),
    "/model_info": _Text(
        "model", "modelInfo", "Version, features with their ranges, thresholds, holdout figures."
    ),
    "/metrics": _Text(
        "operation", "metrics", "The sum over all workers; OpenMetrics where `Accept` asks for it."
    ),
    "/stats": _Text(
        "operation",
        "stats",
        "Predictions by class and answers to `/predict` by upper bound in seconds (cumulative),"
        " counted since the counters began, over all workers. Ask twice for a rate."
        " `job` is what this service is called in the store of its metrics.",
    ),
    "/simulate_traffic": _Text(
        "scoring",
        "simulateTraffic",
        "Made-up transactions through the same path and counters, to see the dashboards move.",
    ),
}


def document(path: str, operation: Json, card: Card, limits: dict[str, int]) -> Json:
    """The operation with its texts, its examples and its snippets."""
    text, snippets = _TEXTS[path], list_snippets(card, path)
    description = "\n\n".join(filter(None, (text.about, render_snippets(snippets))))
    told: Json = {
        "tags": [text.tag],
        "operationId": text.name,
        **operation,
        "description": description,
        "responses": _add_answers(path, operation["responses"], card, limits),
    }
    if "requestBody" in operation:
        body = operation["requestBody"]
        told["requestBody"] = body | {
            "content": _add_examples(body["content"], list_requests(card, path))
        }
    return told | ({"x-codeSamples": snippets} if snippets else {})


def _add_answers(path: str, responses: Json, card: Card, limits: dict[str, int]) -> Json:
    refusals = list_refusals(card, path, limits)
    examples = {"200": list_answers(card, path)} | {
        str(status): each for status, each in refusals.items()
    }
    return {
        status: response | {"content": _add_examples(response["content"], examples.get(status, {}))}
        for status, response in responses.items()
    }


def _add_examples(content: Json, examples: Json) -> Json:
    if not examples:
        return content
    listed = {name: {"value": value} for name, value in examples.items()}
    return {media: {**each, "examples": listed} for media, each in content.items()}
