"""An endpoint is routed, counted, described and documented: none of the places is forgotten."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from telemetry.metrics import ENDPOINTS
from tests.json_client import JsonClient
from tests.lab.paths import ROOT

# Pages for people count as one endpoint and are not part of the API.
_PAGES = re.compile(r"^/$|^/openapi\.json$|^/docs|^/model_card|^/favicon\.ico$")


@pytest.fixture
def routes(app: Flask) -> dict[str, set[str]]:
    """Each route of the API with its methods."""
    found: dict[str, set[str]] = {}
    for rule in app.url_map.iter_rules():
        if not _PAGES.match(rule.rule):
            found.setdefault(rule.rule, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    return found


def test_every_route_is_counted_under_its_own_name(routes: dict[str, set[str]]) -> None:
    forgotten = sorted(set(routes) - set(ENDPOINTS))
    assert forgotten == [], f"add {forgotten} to ENDPOINTS in telemetry/metrics.py"


def test_every_counted_endpoint_is_routed(routes: dict[str, set[str]]) -> None:
    forgotten = sorted(set(ENDPOINTS) - {"/"} - set(routes))
    assert forgotten == [], f"add a view for {forgotten} to service/routes.py"


def test_every_route_is_described(client: JsonClient, routes: dict[str, set[str]]) -> None:
    described = {
        path: {method.upper() for method in methods}
        for path, methods in client.get("/openapi.json").json["paths"].items()
    }
    assert described == routes, "describe the endpoint in service/openapi.py"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_every_endpoint_is_documented(endpoint: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{endpoint}`" in readme, f"add {endpoint} to the table of endpoints in README.md"
