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

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

DASHBOARDS = {
    path.stem: json.loads(path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
}
SUPPORT = "async (dashboard) => (await import('./js/support.js')).findUnsupported(dashboard)"
SPAN = "async (time) => (await import('./js/time.js')).timeSpan(time, 1764276643)"
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


def test_bins_are_named_by_what_they_hold(served: Prometheus, desk: View) -> None:
    """In the order of the bins; the shares are those that were recorded."""
    desk.open(f"{address(served, 'model')}&var-feature=location_risk")
    panel = desk.page.locator(".panel", has_text="Distribution of location_risk")
    texts = panel.locator(".bars > span").all_inner_texts()
    names, shares = texts[0::2], texts[1::2]
    ranges = [each for each in names if " to " in each]
    assert [names[0], *ranges, names[-1]] == names and len(ranges) >= 8
    assert names[0].startswith("below ") and names[-1].startswith("above ")
    starts = [float(each.split(" to ")[0]) for each in ranges]
    assert starts == sorted(starts)
    live = [_value(each.split(" · ")[0]) for each in shares]
    assert sum(live) == pytest.approx(1, abs=0.01)


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


def test_newest_minutes_are_shown_whatever_the_time(served: Prometheus, desk: View) -> None:
    """Whatever the step is: a week has one of forty minutes."""
    desk.open(address(served, "overview"))
    for time in ("now-15m", "now-6h", "now-7d"):
        span = desk.page.evaluate(SPAN, time)
        assert 0 <= 1_764_276_643 - span["end"] < 15
        assert span["end"] - span["start"] == span["range"]


FITTING = "async ([own, age]) => (await import('./js/time.js')).fittingRange(own, age, 0)"


@pytest.mark.parametrize(
    ("own", "seconds", "shown"),
    [
        ("now-7d", 600, "now-15m"),
        ("now-7d", 20_000, "now-6h"),
        ("now-7d", 100_000, "now-7d"),
        ("now-6h", 1_000, "now-30m"),
        ("now-6h", 7_300, "now-6h"),
        ("now-30m", 700, "now-30m"),
        ("now-30m", None, "now-30m"),
    ],
)
def test_after_a_first_start_what_there_is_fills_the_panels(
    served: Prometheus, desk: View, own: str, seconds: int | None, shown: str
) -> None:
    """Ten minutes at the edge of a week look like nothing; once a third is there it is the week."""
    desk.open(address(served, "overview"))
    first = None if seconds is None else -seconds
    assert desk.page.evaluate(FITTING, [own, first]) == shown


def test_time_that_nobody_chose_is_in_no_address(served: Prometheus, desk: View) -> None:
    """So that the dashboard comes back to its own when there is enough to see."""
    desk.open(f"{served.url}/user/?d=fraud-model")
    choices = desk.page.locator("#controls")
    shown = choices.get_by_label("Time").input_value()
    assert shown in {"now-15m", "now-30m", "now-1h", "now-6h"}
    choices.get_by_label("Feature").select_option("age")
    desk.page.wait_for_url("**var-feature=age**")
    assert "from=" not in desk.page.url


COLOURS = """async (names) => {
  const { placeOfColour } = await import('./js/panels/timeseries.js');
  return names.map((name) => placeOfColour(names, name));
}"""


def test_the_same_thing_seen_otherwise_has_its_colour(served: Prometheus, desk: View) -> None:
    desk.open(address(served, "overview"))
    names = ["latency", "freshness", "latency, 5 min", "latency of all", "freshness, 5 min"]
    assert desk.page.evaluate(COLOURS, names) == [0, 1, 0, 3, 1]


PILE = """async () => {
  const { stack } = await import('./js/panels/timeseries.js');
  return stack([{ values: [1, null, null] }, { values: [2, 3, null] }]);
}"""


def test_no_hole_goes_through_a_pile(served: Prometheus, desk: View) -> None:
    """What is not there adds nothing to what is; where nothing is, nothing is drawn."""
    desk.open(address(served, "overview"))
    assert desk.page.evaluate(PILE) == [[1, 0, None], [3, 3, None]]


def test_one_service_is_shown_and_the_choice_stays(served: Prometheus, desk: View) -> None:
    """Where the store has two: every query names the chosen one, and so do the links."""
    both = json.dumps({"status": "success", "data": ["fraud-handler", "loans"]})
    desk.page.route("**/label/job/values**", lambda route: route.fulfill(body=both))
    desk.open(address(served, "overview"))
    asked: list[Request] = []
    desk.page.on("request", lambda request: asked.append(request))
    desk.page.get_by_label("Service").select_option("loans")
    desk.page.wait_for_url("**var-job=loans**")
    desk.page.wait_for_function(
        "document.querySelector('.panel .why code')?.textContent.includes('loans')"
    )
    queries = [parse_qs(each.post_data or "")["query"][0] for each in asked if each.post_data]
    of_services = [text for text in queries if "job=" in text]
    assert of_services and all('"loans' in text for text in of_services)
    menu = desk.page.locator("#dashboards a").evaluate_all("links => links.map((a) => a.search)")
    assert len(menu) == 4 and all("var-job=loans" in link for link in menu)


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
