"""What the API's description gives to copy: examples that are true, snippets that run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_schema_validator import OAS31Validator

from service.openapi import describe_api
from service.openapi_snippets import ADDRESS
from service.schemas import Json
from telemetry.error_types import STATUS_OF_ERROR
from telemetry.metrics import ENDPOINTS
from tests.conftest import make_card
from tests.json_client import JsonClient
from tests.lab.handler import Handler

MAX_BATCH, MAX_SIMULATED = 20, 500
TOKEN = "a-token-of-the-tests"
DESCRIBED = describe_api(make_card(), MAX_BATCH, MAX_SIMULATED)
OPERATIONS = {
    path: operation
    for path, methods in DESCRIBED["paths"].items()
    for operation in methods.values()
}
SNIPPETS = [
    pytest.param(path, one["label"], id=f"{path} in {one['label']}")
    for path, operation in OPERATIONS.items()
    for one in operation.get("x-codeSamples", [])
]
# Their answer has no shape of Error, or the service never gives it by itself.
WITHOUT_EXAMPLE = {("/health/ready", "503"), ("/simulate_traffic", "500"), ("/feedback", "503")}


def contents() -> Iterator[tuple[str, str, str, Any, Any]]:
    """Path, place, name, schema and value of every example of a JSON body."""
    for path, operation in OPERATIONS.items():
        bodies = {"body": operation.get("requestBody", {}), **operation["responses"]}
        for place, body in bodies.items():
            content = body.get("content", {}).get("application/json", {})
            for name, example in content.get("examples", {}).items():
                yield path, place, name, content["schema"], example["value"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [pytest.param(*each[3:], id=" ".join(each[:3])) for each in contents()],
)
def test_example_follows_its_schema(schema: Any, value: Any) -> None:
    whole = {**schema, "components": DESCRIBED["components"]}
    assert [error.message for error in OAS31Validator(whole).iter_errors(value)] == []


@pytest.mark.parametrize("path", OPERATIONS)
def test_every_refusal_that_the_table_knows_has_an_example(path: str) -> None:
    """By type; of the error that it is named after."""
    responses = OPERATIONS[path]["responses"]
    for type in ENDPOINTS[path].errors:
        status = str(STATUS_OF_ERROR[type])
        if (path, status) in WITHOUT_EXAMPLE:
            continue
        shown = responses[status]["content"]["application/json"]["examples"][type]
        assert shown["value"]["error"]["type"] == type


@pytest.mark.parametrize("path", OPERATIONS)
def test_operation_is_in_a_group_and_says_what_it_is_for(path: str) -> None:
    groups = {tag["name"] for tag in DESCRIBED["tags"]}
    operation = OPERATIONS[path]
    assert set(operation["tags"]) <= groups
    assert len(operation["description"]) > 20
    names = [one["operationId"] for one in OPERATIONS.values()]
    assert names.count(operation["operationId"]) == 1


def test_requests_of_the_examples_are_taken(client: JsonClient) -> None:
    """A receipt is signed, so the examples of labels are well-formed and refused as forged."""
    for path, status in (("/predict", 200), ("/simulate_traffic", 200), ("/feedback", 422)):
        content = OPERATIONS[path]["requestBody"]["content"]["application/json"]
        for name, example in content["examples"].items():
            answer = client.post(path, json=example["value"])
            batch = status == 422 and name == "batch"
            assert answer.status_code == (200 if batch else status), (path, name)


PROVOKED: dict[str, tuple[str, Json | None]] = {
    "too_large": ("/predict", {"amount": "9" * 8000}),
    "unavailable": ("/predict?explain=true", None),
    "forged_receipt": ("/feedback", {"receipt": "forged", "label": "fraud"}),
}


@pytest.mark.parametrize("type", PROVOKED)
def test_sentences_are_those_that_the_service_gives(
    client: JsonClient, valid: dict[str, object], type: str
) -> None:
    """Of those that have a text of their own in the description; figures apart."""
    path, body = PROVOKED[type]
    given = client.post(path, json=body or valid)
    content = OPERATIONS[path.partition("?")[0]]["responses"][str(given.status_code)]["content"]
    shown = content["application/json"]["examples"][type]["value"]["error"]
    assert given.json["error"]["message"].replace("4096", "262144") == shown["message"]


@pytest.fixture(scope="module")
def served(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handler]:
    """The service with a token, as on a public address."""
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("snippets")
        yield stack.enter_context(
            Handler(folder, model_dir, ACCESS_TOKEN=TOKEN, WEB_CONCURRENCY="1")
        )


@pytest.mark.stack
@pytest.mark.parametrize(("path", "label"), SNIPPETS)
def test_snippet_runs_as_it_stands(served: Handler, path: str, label: str) -> None:
    """But for the address; its output is an answer, not a refusal."""
    described = requests.get(f"{served.url}/openapi.json", timeout=30).json()
    [operation] = described["paths"][path].values()
    [source] = [one["source"] for one in operation["x-codeSamples"] if one["label"] == label]
    command = ["bash", "-c"] if label == "curl" else [sys.executable, "-c"]
    ran = subprocess.run(
        [*command, source.replace(ADDRESS, served.url)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "ACCESS_TOKEN": TOKEN},
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()
    assert '"error"' not in ran.stdout
