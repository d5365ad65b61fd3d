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
    """Stats and legends of the overview, against the same ranges asked again."""
    asked: list[Request] = []
    desk.page.on("request", lambda request: asked.append(request))
    desk.open(address(served, "overview"))
    spans = {
        fields["query"][0]: {name: each[0] for name, each in fields.items()}
        for request in asked
        if request.url.endswith("/query_range")
        for fields in [parse_qs(request.post_data or "")]
    }
    compared = 0
    for card in desk.page.locator(".panel.stat, .panel.timeseries").all():
        drawn = card.locator(".body b, .legend b").all_text_contents()
        queries = card.locator(".why code").all_text_contents()
        answered = [value for query in queries for value in _last(served, spans[query])]
        title = card.locator("h2").text_content()
        assert [_value(text) for text in drawn] == pytest.approx(answered, rel=0.01, abs=1e-4), (
            title
        )
        compared += len(drawn)
    assert compared >= FIGURES


def _value(text: str) -> float:
    """In Prometheus' unit; percent as a share."""
    found = re.match(r"(-?[\d.,]+)\s*(\S*)", text)
    assert found, text
    return float(found[1].replace(",", "")) * FACTORS[found[2]]


def _last(prometheus: Prometheus, span: dict[str, str]) -> list[float]:
    """The last value of each series; percent as a share."""
    part = 0.01 if re.search(r"\b100 \*|_percent\b", span["query"]) else 1
    histories = [each["values"] for each in prometheus.get("query_range", **span)["result"]]
    numbers = [[float(text) for _, text in one if text != "NaN"] for one in histories]
    return [part * one[-1] for one in numbers if one]


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
