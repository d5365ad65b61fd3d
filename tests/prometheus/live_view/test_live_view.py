"""The live view in a real Chromium: it draws the dashboards, and its figures are the API's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, Request

from tests.lab.chromium import View, view
from tests.lab.paths import ROOT
from tests.lab.prometheus import Prometheus

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

DASHBOARDS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
}
SUPPORT = "async (dashboard) => (await import('./js/support.js')).findUnsupported(dashboard)"
FACTORS = {
    "": 1, "/s": 1, "%": 0.01, "ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86400,
}  # fmt: skip
NONE = "\N{EN DASH}"
FIGURES = 10
PHONE = 390


@pytest.fixture
def desk(browser: Browser) -> Iterator[View]:
    """A wide page in light colours."""
    with view(browser) as opened:
        yield opened


def address(prometheus: Prometheus, name: str, time: str = "now-15m") -> str:
    """The page of a dashboard."""
    return f"{prometheus.url}/user/?d={DASHBOARDS[name]['uid']}&from={time}"


@pytest.mark.parametrize("name", DASHBOARDS)
@pytest.mark.parametrize(
    ("width", "dark"), [(1360, False), (1360, True), (PHONE, False)], ids=["light", "dark", "phone"]
)
def test_dashboard_is_drawn_without_a_complaint(
    served: Prometheus, browser: Browser, name: str, width: int, dark: bool
) -> None:
    """Every panel shows something: a drawing, a figure, or why there is none."""
    with view(browser, width=width, dark=dark) as opened:
        opened.open(address(served, name))
        bodies = opened.page.locator("details[open] .panel .body")
        assert bodies.count() > 8
        assert opened.page.locator("details[open] .panel .body:empty").count() == 0
        assert opened.page.locator(".failed").all_inner_texts() == []
        assert opened.page.inner_text("#problem") == ""
        across = "() => document.documentElement.scrollWidth"
        assert opened.page.evaluate(across) <= width
        assert opened.complaints == []


def test_every_type_and_option_that_the_dashboards_use_is_supported(
    served: Prometheus, desk: View
) -> None:
    """The page's own list against the dashboards; what is not known is told by name."""
    desk.open(address(served, "overview"))
    for name, content in DASHBOARDS.items():
        assert desk.page.evaluate(SUPPORT, content) == [], name
    unknown = [
        _changed(type="geomap"),
        _changed(options={"legend": {"displayMode": "table"}}),
        _changed(fieldConfig={"defaults": {"unit": "velocityknot"}, "overrides": []}),
        _changed(transformations=[{"id": "reduce", "options": {}}]),
    ]
    told = [" ".join(desk.page.evaluate(SUPPORT, content)) for content in unknown]
    words = ("geomap", "legend.displayMode", "velocityknot", "reduce")
    assert [word for word, text in zip(words, told, strict=True) if word not in text] == []


def _changed(**panel: object) -> dict[str, Any]:
    """The overview with one more panel that has something unknown."""
    first = {**DASHBOARDS["overview"]["panels"][1], **panel}
    return {**DASHBOARDS["overview"], "panels": [first]}


def test_page_knows_the_dashboards_that_there_are(served: Prometheus, desk: View) -> None:
    desk.open(address(served, "overview"))
    names = desk.page.evaluate("async () => (await import('./js/dashboards.js')).NAMES")
    assert sorted(names) == sorted(DASHBOARDS)
    assert desk.page.locator("#dashboards a").count() == len(DASHBOARDS)


def test_figures_are_the_answers_of_the_api(served: Prometheus, desk: View) -> None:
    """Stats and first legends of the overview, against the same range asked again."""
    asked: list[Request] = []
    desk.page.on("request", lambda request: asked.append(request))
    desk.open(address(served, "overview"))
    spans = [parse_qs(r.post_data or "") for r in asked if r.url.endswith("/query_range")]
    compared = 0
    for card in desk.page.locator(".panel.stat, .panel.timeseries").all():
        figure = card.locator(".stat .body b, .legend b")
        if figure.count() == 0:
            continue
        query = card.locator(".why code").first.text_content()
        (span, *_) = [one for one in spans if one["query"] == [query]]
        drawn = figure.first.text_content() or ""
        assert drawn == NONE or _value(drawn) == pytest.approx(
            _last(served, span), rel=0.01, abs=1e-4
        ), (card.locator("h2").text_content(), drawn)
        compared += drawn != NONE
    assert compared >= FIGURES


def _value(text: str) -> float:
    found = re.match(r"(-?[\d.,]+)\s*(\S*)", text)
    assert found, text
    return float(found[1].replace(",", "")) * FACTORS[found[2]]


def _last(prometheus: Prometheus, span: dict[str, list[str]]) -> float:
    result = prometheus.get("query_range", **{name: each[0] for name, each in span.items()})
    first = result["result"][0]["values"]
    value = [float(text) for _, text in first if text != "NaN"][-1]
    query = span["query"][0]
    return value / 100 if re.search(r"\b100 \*|_percent\b", query) else value


def test_firing_alert_is_a_line_on_top_that_leads_on(served: Prometheus, desk: View) -> None:
    """To its runbook, served beside the page, and to the panel of its place."""
    desk.open(address(served, "overview"))
    line = desk.page.locator("#alerts li")
    assert line.count() == 1
    assert "FeatureDrift The amounts are not those of training." in line.inner_text()
    runbook, panel = line.locator("a").all()
    answer = desk.page.request.get(f"{served.url}/user/{runbook.get_attribute('href')}")
    assert "# FeatureDrift" in answer.text()
    panel.click()
    desk.page.wait_for_selector(".panel.target", state="attached")
    assert desk.page.locator(".panel.target h2").inner_text() == panel.inner_text()


def test_prometheus_goes_and_comes_back(served: Prometheus, desk: View) -> None:
    """The page says so, keeps what it has drawn, and goes on by itself."""
    desk.open(address(served, "overview"))
    served.kill()
    desk.page.evaluate("dispatchEvent(new PopStateEvent('popstate'))")
    desk.page.wait_for_function(
        "document.getElementById('problem').textContent.includes('Prometheus does not answer')"
    )
    served.start()
    desk.page.wait_for_function("document.getElementById('problem').textContent === ''")
    assert desk.page.locator(".panel.stat b").count() > 0
