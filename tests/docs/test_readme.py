"""README tells the truth: settings, metrics, endpoints, queries, links."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from service.settings import TABLE
from telemetry.metrics import ENDPOINTS, METRICS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_setting_is_listed_with_default_and_meaning(setting):
    default = f"`{setting.default}`" if setting.default else ""
    assert f"| `{setting.name}` | {default} | {setting.meaning} |" in README


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.exposed)
def test_metric_is_listed(metric):
    assert f"`{metric.exposed}`" in README


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_endpoint_is_listed(endpoint):
    assert endpoint in README


@pytest.mark.parametrize(
    "entry", yaml.safe_load((ROOT / "prometheus/queries.yml").read_text()), ids=lambda e: e["name"]
)
def test_query_is_the_tested_one(entry):
    """tests/prometheus computes the answer of each query of prometheus/queries.yml."""
    assert f"`{entry['query'].strip()}`" in README


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_packages_have_python_as_the_project_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert "Python 3.11 or newer" in README
