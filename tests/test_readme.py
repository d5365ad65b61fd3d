"""README tells the truth: settings, metrics, endpoints, queries, links, imports."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
import yaml

from settings import TABLE
from telemetry.table import ENDPOINTS, METRICS

ROOT = Path(__file__).parents[1]
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


def imports(package: str) -> set[str]:
    """Top-level names that the files of a package (or a module) import."""
    path = ROOT / package
    files = path.rglob("*.py") if path.is_dir() else [path.with_suffix(".py")]
    found = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found


OURS = {
    "handler", "scoring", "errors", "receipts", "settings", "telemetry", "model", "simulator",
    "stack", "grafana", "bench", "openapi", "pages", "aside", "challenger", "feedback", "ledger",
    "prometheus", "reading", "views", "bookkeeping", "fault_switch",
}  # fmt: skip
ALLOWED = {
    "telemetry": {"telemetry"},
    "model": {"model"},
    "simulator": {"simulator"},
    "stack": {"stack"},
    "grafana": {"grafana", "telemetry"},
    "prometheus": {"prometheus"},
    "errors": set(),
    "settings": set(),
    "receipts": set(),
    "aside": set(),
    "ledger": set(),
    "fault_switch": {"errors"},
    "feedback": {"errors", "ledger", "receipts", "telemetry"},
    "challenger": {"aside", "model", "telemetry"},
    "scoring": {"aside", "challenger", "errors", "receipts", "model", "telemetry"},
    "openapi": {"errors", "model", "telemetry"},
    "pages": {"openapi"},
    "reading": {"errors", "settings", "telemetry"},
    "views": {
        "challenger",
        "errors",
        "feedback",
        "model",
        "reading",
        "scoring",
        "settings",
        "telemetry",
    },
    "bookkeeping": {"errors", "reading", "telemetry", "views"},
    "handler": OURS
    - {"handler", "errors", "reading", "simulator", "stack", "grafana", "bench", "prometheus"},
}


@pytest.mark.parametrize("package", ALLOWED)
def test_imports_point_one_way(package):
    assert imports(package) & OURS <= ALLOWED[package]


def test_packages_have_python_as_the_project_says():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert "Python 3.11 or newer" in README
