"""What people get: a start page, the API's description and its reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openapi_spec_validator import validate

from handler import create_app
from service.receipts import Receipts
from service.settings import SettingError, read_settings
from telemetry.lifecycle import Telemetry
from telemetry.metrics import ENDPOINTS
from tests.conftest import LocationRiskScorer
from tests.json_client import JsonClient, make_client


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


def page_of(scorer: LocationRiskScorer, recorded: Telemetry, **settings: str) -> Any:
    """The start page of a service with these settings."""
    app = create_app(scorer, recorded, Receipts(["key"]), read_settings(settings))
    return make_client(app).get("/")


def test_start_page_links_to_what_the_settings_name(
    scorer: LocationRiskScorer, recorded: Telemetry
) -> None:
    """And may ask Alertmanager, whose origin is in the policy; nothing else."""
    page = page_of(
        scorer,
        recorded,
        PROMETHEUS_EXTERNAL_URL="https://prometheus.example/p/",
        ALERTMANAGER_EXTERNAL_URL="http://alerts.example:9093/a",
    )
    assert 'href="https://prometheus.example/p/user/"' in page.text
    assert 'href="http://alerts.example:9093/a"' in page.text
    assert 'data-traces="https://prometheus.example/p/user/?trace="' in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "connect-src 'self' http://alerts.example:9093;" in policy


def test_dashboards_elsewhere_take_the_place_of_the_live_view(
    scorer: LocationRiskScorer, recorded: Telemetry
) -> None:
    page = page_of(
        scorer,
        recorded,
        PROMETHEUS_EXTERNAL_URL="https://prometheus.example",
        DASHBOARDS_URL="https://team.grafana.example/d/fraud-overview",
    )
    assert 'href="https://team.grafana.example/d/fraud-overview"' in page.text
    assert 'href="https://prometheus.example' not in page.text


@pytest.mark.parametrize(
    "address",
    ["localhost:9090", "javascript:alert(1)", "http://a b", "http://a;script-src *", 'http://a"b'],
)
def test_address_that_is_none_stops_the_start(address: str) -> None:
    """It would be a link, and a part of the page's policy."""
    with pytest.raises(SettingError, match=r"^DASHBOARDS_URL must be an address like"):
        read_settings({"DASHBOARDS_URL": address})
