"""Calls of each endpoint in curl and Python, to be copied: a test runs every one of them."""

from __future__ import annotations

import json

from model.serving.card import Card
from service.schemas import Json, example_transaction

ADDRESS = "http://localhost:5000"
_JSON = "-H 'Content-Type: application/json'"
# An open service does not look at it; one with a token wants it.
_TOKEN = '-H "Authorization: Bearer $ACCESS_TOKEN"'
_WITH_TOKEN = """\
import os

import requests

token = os.environ.get("ACCESS_TOKEN", "")
headers = {"Authorization": f"Bearer {token}"}"""
_CHECK = "answer.raise_for_status()"


def list_snippets(card: Card, path: str) -> list[Json]:
    """In the shape of `x-codeSamples`, which readers of descriptions know; none for a path that is
    not called by hand."""
    curl, python = _write_curl(card), _write_python(card)
    if path not in curl:
        return []
    return [
        {"lang": "Shell", "label": "curl", "source": curl[path]},
        {"lang": "Python", "label": "Python", "source": python[path]},
    ]


def render_snippets(snippets: list[Json]) -> str:
    """The same as Markdown, for readers that show descriptions only."""
    fences = {"Shell": "sh", "Python": "python"}
    blocks = [f"```{fences[one['lang']]}\n{one['source']}\n```" for one in snippets]
    return "\n\n".join(blocks)


def _write_curl(card: Card) -> dict[str, str]:
    body = json.dumps(example_transaction(card), ensure_ascii=False).replace("'", "'\\''")
    predict = f"curl -s '{ADDRESS}/predict' {_JSON} \\\n  -d '{body}'"
    return {
        "/predict": predict,
        "/feedback": _join(
            f"receipt=$({predict} \\",
            "  | python3 -c 'import json, sys; print(json.load(sys.stdin)[\"receipt\"])')",
            f"curl -s '{ADDRESS}/feedback' {_JSON} {_TOKEN} \\",
            '  -d "{\\"receipt\\": \\"$receipt\\", \\"label\\": \\"fraud\\"}"',
        ),
        "/health": f"curl -s '{ADDRESS}/health'",
        "/model_info": f"curl -s '{ADDRESS}/model_info'",
        "/metrics": f"curl -s '{ADDRESS}/metrics' {_TOKEN}",
        "/stats": f"curl -s '{ADDRESS}/stats' {_TOKEN}",
        "/simulate_traffic": _join(
            f"curl -s '{ADDRESS}/simulate_traffic' {_JSON} {_TOKEN} \\",
            "  -d '{\"num_requests\": 100}'",
        ),
    }


def _write_python(card: Card) -> dict[str, str]:
    transaction = f"transaction = {example_transaction(card)!r}"
    score = f'requests.post("{ADDRESS}/predict", json=transaction, timeout=10)'
    shown = 'print(answer.json()["prediction"], answer.json()["fraud_probability"])'
    return {
        "/predict": _join("import requests", "", transaction, f"answer = {score}", _CHECK, shown),
        "/feedback": _join(
            _WITH_TOKEN,
            transaction,
            f'receipt = {score}.json()["receipt"]',
            "# Later, when the truth is known:",
            'label = {"receipt": receipt, "label": "fraud"}',
            _call("post", "/feedback", "json=label, headers=headers", 'json()["result"]'),
        ),
        "/health": _read("/health"),
        "/model_info": _read("/model_info"),
        "/metrics": _join(_WITH_TOKEN, _call("get", "/metrics", "headers=headers", "text")),
        "/stats": _join(_WITH_TOKEN, _call("get", "/stats", "headers=headers", "json()")),
        "/simulate_traffic": _join(
            _WITH_TOKEN,
            'body = {"num_requests": 100}',
            _call("post", "/simulate_traffic", "json=body, headers=headers", "json()"),
        ),
    }


def _read(path: str) -> str:
    return _join("import requests", "", _call("get", path, "", "json()"))


def _call(method: str, path: str, arguments: str, shown: str) -> str:
    given = f"{arguments}, timeout=10" if arguments else "timeout=10"
    call = f'answer = requests.{method}("{ADDRESS}{path}", {given})'
    return _join(call, _CHECK, f"print(answer.{shown})")


def _join(*lines: str) -> str:
    return "\n".join(lines)
