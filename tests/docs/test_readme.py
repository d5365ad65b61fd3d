"""README.md: what it shows is what the programs answer, and it is short enough for a first look."""

from __future__ import annotations

import json
import tomllib

import pytest
import yaml
from flask.testing import FlaskClient

from telemetry.metrics import ENDPOINTS
from tests.docs.pages import README, ROOT, blocks, rows

TEXT = README.read_text(encoding="utf-8")
QUERIES = yaml.safe_load((ROOT / "prometheus/queries.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_endpoint_is_listed(endpoint: str) -> None:
    calls = [row[0] for row in rows(TEXT)]
    paths = {part.strip("`").split(" ")[-1] for call in calls for part in call.split(", ")}
    assert endpoint in paths, f"README.md has no row for {endpoint} in its table of calls"


@pytest.mark.parametrize("entry", QUERIES, ids=lambda entry: entry["name"])
def test_query_is_the_tested_one(entry: dict[str, str]) -> None:
    """tests/prometheus computes the answer of each query of prometheus/queries.yml."""
    assert f"`{entry['query'].strip()}`" in TEXT


def test_answers_have_the_fields_that_are_shown(
    client: FlaskClient, valid: dict[str, object]
) -> None:
    prediction, refusal = (json.loads(block) for block in blocks(TEXT, "json"))
    assert client.post("/predict", json=valid).get_json().keys() == prediction.keys()
    refused = client.post("/predict", json={**valid, "age": 17}).get_json()
    assert refused["error"].keys() == refusal["error"].keys()
    assert refused["error"]["type"] == refusal["error"]["type"]
    assert refused["error"]["field"] == refusal["error"]["field"]


def test_packages_have_python_as_the_project_says() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"
    assert "Python 3.11 or newer" in TEXT


def test_it_is_short_enough_for_a_first_look() -> None:
    """What needs more room has a page in docs/ and a row in the table `Read on`."""
    assert len(TEXT.splitlines()) <= 130
