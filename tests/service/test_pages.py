"""What people get: a start page, the API's description and its reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openapi_spec_validator import validate

from telemetry.metrics import ENDPOINTS
from tests.json_client import JsonClient


@pytest.fixture
def described(client: JsonClient) -> Any:
    return client.get("/openapi.json").json


def test_description_is_valid_openapi(described: dict[str, Any]) -> None:
    validate(described)


def test_description_follows_the_card(described: dict[str, Any]) -> None:
    schema = described["components"]["schemas"]["Transaction"]
    assert schema["required"] == [
        "amount",
        "age",
        "account_balance",
        "transaction_frequency",
        "location_risk",
    ]
    assert schema["properties"]["amount"] == {"type": "number", "minimum": 0, "maximum": 50000}
    assert schema["properties"]["age"]["type"] == "integer"


def test_example_of_the_description_is_accepted(
    client: JsonClient, described: dict[str, Any]
) -> None:
    [example] = described["components"]["schemas"]["Transaction"]["examples"]
    assert client.post("/predict", json=example).status_code == 200


def test_every_described_path_exists(client: JsonClient, described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        for method in methods:
            assert client.open(path, method=method.upper(), json={}).status_code not in (404, 405)


def test_described_statuses_are_those_of_the_table(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert set(operation["responses"]) == set(ENDPOINTS[path].statuses()), path


def test_start_page_is_html_that_loads_nothing_from_elsewhere(client: JsonClient) -> None:
    page = client.get("/")
    assert page.mimetype == "text/html"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "://" not in page.text


def test_reader_shows_our_description(client: JsonClient) -> None:
    page = client.get("/docs/")
    assert page.status_code == 200
    assert "swagger-ui" in page.text
    with client.get("/docs/swagger-ui-bundle.js") as script:
        assert script.status_code == 200


def test_pages_count_as_one_endpoint(client: JsonClient, counted: Callable[..., float]) -> None:
    for path in ("/", "/openapi.json", "/docs/", "/docs/swagger-ui.css"):
        client.get(path).close()
    assert counted("http_requests_total", endpoint="/", status="200") == 4
