"""Every page: links and paths lead somewhere, and what is named exists."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from opentelemetry.sdk import environment_variables

from service.settings import TABLE
from telemetry.metrics import METRICS, Kind, Metric
from tests.docs.pages import (
    DOCS,
    EVERY_PAGE,
    PAGES,
    README,
    ROOT,
    anchors,
    name_of,
    names_in,
    recorded_series,
)

every_page = pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
own_page = pytest.mark.parametrize("page", PAGES, ids=name_of)

# Where settings are read, or handed on to a program.
READERS = (
    "service", "stack", "telemetry", "model", "simulator", "grafana", "prometheus/alertmanager",
    "otel-collector/distribution", "deploy/kubernetes", ".railway", ".github/workflows",
    "docker-compose.yml", "Dockerfile", "deploy_railway.sh",
)  # fmt: skip
# OpenTelemetry's own, which its SDK reads, and OpenSSL's.
OF_OTHERS = {name for name in vars(environment_variables) if name.startswith("OTEL_")}
OF_OTHERS |= {"SSL_CERT_FILE", "LD_PRELOAD"}
SUFFIXES = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count")}


@cache
def read_names() -> set[str]:
    """The service's settings, and every word in capitals in the files that read others."""
    places = [ROOT / reader for reader in READERS]
    files = [one for place in places for one in ([place] if place.is_file() else place.rglob("*"))]
    kinds = {".py", ".sh", ".go", ".yml", ""}
    texts = [
        one.read_text(encoding="utf-8") for one in files if one.is_file() and one.suffix in kinds
    ]
    found = {name for text in texts for name in re.findall(r"\b[A-Z][A-Z_]{3,}\b", text)}
    return found | {setting.name for setting in TABLE}


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(
        r"\]\((?!https?://|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text(encoding="utf-8")
    )
    for target, anchor in targets:
        linked = page.parent / target if target else page
        assert linked.exists(), f"{name_of(page)} links to {target}"
        if anchor:
            assert anchor in anchors(linked), f"{name_of(page)} links to {target}#{anchor}"


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=name_of)
def test_page_can_be_reached_from_the_readme(page: Path) -> None:
    assert f"]({name_of(page)})" in README.read_text(encoding="utf-8")


@own_page
def test_paths_that_are_named_exist(page: Path) -> None:
    named = re.findall(
        r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|ya?ml|md|sh|json|go|txt|in))`",
        page.read_text(encoding="utf-8"),
    )
    missing = [path for path in named if not (ROOT / path).exists() and "NAME" not in path]
    assert missing == []


@own_page
def test_settings_that_are_named_exist(page: Path) -> None:
    named = names_in(page.read_text(encoding="utf-8")) - OF_OTHERS
    assert named - read_names() == set()


def test_what_is_named_is_found() -> None:
    """The search for settings finds what is known to be there."""
    for page in ("SETUP_GUIDE.md", "deployment_options.md", "configuration.md"):
        assert {"PORT", "ACCESS_TOKEN"} & names_in((DOCS / page).read_text(encoding="utf-8"))


@own_page
def test_series_that_are_named_exist(page: Path) -> None:
    """A query that is copied from a page must find something."""
    text = page.read_text(encoding="utf-8")
    recorded = set(re.findall(r"\b[a-z0-9_]+:[a-z0-9_]+:[a-z0-9_]+\b", text))
    assert recorded <= recorded_series()
    declared = {
        metric.exposed + suffix
        for metric in METRICS
        for suffix in ("", *SUFFIXES.get(metric.kind, ()))
    }
    counted = set(re.findall(r"\b[a-z][a-z0-9_]*(?:_total|_bucket)\b", text))
    assert {name for name in counted if not name.startswith("otelcol_")} <= declared


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.exposed)
def test_metric_is_listed(metric: Metric) -> None:
    text = (DOCS / "telemetry.md").read_text(encoding="utf-8")
    assert f"`{metric.exposed}`" in text, (
        f"docs/telemetry.md lacks {metric.exposed}: run `make generate`"
    )
