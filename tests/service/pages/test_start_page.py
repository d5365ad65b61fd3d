"""The start page in a real Chromium: what it shows is what the service answered."""

from __future__ import annotations

import json
import re
from itertools import accumulate
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, Response, expect

from tests.lab.chromium import View, view
from tests.lab.handler import Handler
from tests.lab.polling import until
from tests.service.pages.conftest import (
    DASHBOARDS,
    PROMETHEUS,
    TOKEN,
    Served,
    open_page,
    score_example,
)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

PHONE = 390
EXAMPLES = {"usual": "low", "suspicious": "medium", "fraud": "high"}
# In pixels: a browser rounds.
CLOSE = 1.5
WIDTHS = """() => ({
  gauge: document.getElementById("gauge").getBoundingClientRect(),
  level: document.getElementById("level").getBoundingClientRect(),
  threshold: document.getElementById("threshold").getBoundingClientRect(),
})"""
BARS = """() => [...document.querySelectorAll("#reasons tr")].map((row) => {
  const place = (one) => row.querySelector(one).getBoundingClientRect();
  const [track, bar] = [place(".track"), place("i")];
  return { name: row.cells[0].textContent, text: row.cells[2].textContent,
           from: (bar.left - track.left) / track.width,
           to: (bar.right - track.left) / track.width };
})"""
MINUS = "\N{MINUS SIGN}"


def answer_of(page: Page, name: str) -> Any:
    """The service's answer to the example, as it was sent to the page."""
    with page.expect_response("**/predict?explain=true") as answered:
        page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_selector("#answer:not([hidden])")
    return answered.value.json()


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_scored_as_it_is_called(served: Served, desk: View, name: str) -> None:
    """And the gauge is as full as the probability says, with a mark at the threshold."""
    page = open_page(desk, served.handler)
    answer = answer_of(page, name)
    info = requests.get(f"{served.handler.url}/model_info", timeout=30).json()

    assert answer["risk_level"] == EXAMPLES[name]
    assert (answer["prediction"] == "fraud") == (answer["fraud_probability"] >= info["threshold"])
    assert page.inner_text("#decision").startswith(answer["prediction"])
    drawn = page.evaluate(WIDTHS)
    width = drawn["gauge"]["width"]
    assert drawn["level"]["width"] == pytest.approx(width * answer["fraud_probability"], abs=2)
    mark = drawn["threshold"]["left"] - drawn["gauge"]["left"]
    assert mark == pytest.approx(width * info["threshold"], abs=CLOSE)
    assert desk.complaints == []


def test_reasons_lead_from_the_base_value_to_the_score(served: Served, desk: View) -> None:
    """Each bar begins where the one before ends; texts are in percentage points."""
    page = open_page(desk, served.handler)
    answer = answer_of(page, "fraud")
    explained = answer["explanation"]
    base, *steps, score = page.evaluate(BARS)

    sizes = [abs(explained["contributions"][one["name"].replace(" ", "_")]) for one in steps]
    assert sizes == sorted(sizes, reverse=True)
    assert len(steps) == len(explained["contributions"])
    changes = [explained["contributions"][one["name"].replace(" ", "_")] for one in steps]
    level = explained["base_value"]
    # The track reaches from the lowest to the highest level on the way.
    levels = [0.0, *accumulate(changes, initial=level)]
    low, high = min(levels), max(levels)
    for one, change in zip(steps, changes, strict=True):
        ends = sorted((each - low) / (high - low) for each in (level, level + change))
        assert [one["from"], one["to"]] == pytest.approx(ends, abs=0.02), one
        assert one["text"] == f"{'+' if change >= 0 else MINUS}{abs(100 * change):.2f} pp"
        level += change
    assert level == pytest.approx(answer["fraud_probability"], abs=1e-6)
    reached = (answer["fraud_probability"] - low) / (high - low)
    assert base["name"] == "base value" and score["to"] == pytest.approx(reached, abs=0.02)


def test_request_and_trace_are_found_in_the_log(served: Served, desk: View) -> None:
    """By the ids that the page shows."""
    page = open_page(desk, served.handler)
    score_example(page, "usual")
    shown = page.locator("#facts code").all_inner_texts()
    trace = page.get_attribute("#facts a", "href")
    assert trace == f"{PROMETHEUS}/user/?trace={shown[1]}"

    def logged() -> bool:
        lines = served.handler.log.read_text().splitlines()
        found = [json.loads(line) for line in lines if shown[0] in line]
        return [one.get("trace_id") for one in found] == [shown[1]]

    until(logged, 20, "the request's line in the log")


@pytest.mark.parametrize(
    ("example", "label", "judged"),
    [
        ("fraud", "fraud", "a fraud that was found"),
        ("fraud", "legitimate", "a false alarm"),
        ("usual", "fraud", "a fraud that was missed"),
    ],
)
def test_label_is_counted_and_the_page_says_as_what(
    served: Served, desk: View, example: str, label: str, judged: str
) -> None:
    page = open_page(desk, served.handler)
    score_example(page, example)
    before = count_outcomes(served.handler)
    page.get_by_role("button", name=f"This was {label}").click()
    expect(page.locator("#counted")).not_to_be_empty()

    assert page.inner_text("#counted") == f"Counted once: {judged}."
    assert count_outcomes(served.handler) == before + 1
    assert page.locator("#labels button:disabled").count() == 2
    assert desk.complaints == []


def count_outcomes(handler: Handler) -> int:
    lines = handler.exposition().splitlines()
    return sum(int(float(line.split()[-1])) for line in lines if line.startswith("outcomes_total{"))


def test_label_that_was_sent_before_is_not_counted_again(served: Served, desk: View) -> None:
    page = open_page(desk, served.handler)
    receipt = answer_of(page, "usual")["receipt"]
    label = {"receipt": receipt, "label": "legitimate"}
    requests.post(f"{served.handler.url}/feedback", json=label, timeout=30).raise_for_status()
    page.get_by_role("button", name="This was legitimate").click()
    expect(page.locator("#counted")).not_to_be_empty()

    assert page.inner_text("#counted").startswith("Not counted: this receipt has been used before")
    assert page.locator("#labels button:disabled").count() == 2


def test_refused_field_is_marked_and_has_the_focus(served: Served, desk: View) -> None:
    """With the service's own sentence beside it, until the next try."""
    page = open_page(desk, served.handler)
    page.fill("#age", "17")
    page.press("#age", "Enter")
    page.wait_for_selector("#age[aria-invalid=true]")

    assert "age must be a whole number between 18 and 120, got 17" in page.inner_text(
        "#age-problem"
    )
    assert page.evaluate("document.activeElement.id") == "age"
    assert "age-problem" in (page.get_attribute("#age", "aria-describedby") or "")
    assert page.locator("[aria-invalid]").count() == 1
    page.fill("#age", "abc")
    page.press("#age", "Enter")
    expect(page.locator("#age-problem")).to_contain_text("abc")
    page.fill("#age", "35")
    page.press("#age", "Enter")
    page.wait_for_selector("#answer:not([hidden])")
    assert page.locator("[aria-invalid]").count() == 0
    assert page.inner_text("#age-problem") == ""


def test_all_can_be_done_by_keyboard(served: Served, desk: View) -> None:
    """An example, the form, the label: reached by Tab, pressed by Enter, and seen to be there."""
    page = open_page(desk, served.handler)
    press_by_keyboard(page, "suspicious")
    page.wait_for_selector("#answer:not([hidden])")
    assert page.evaluate("document.activeElement.id") == "answer-title"
    press_by_keyboard(page, "This was fraud")
    expect(page.locator("#counted")).to_contain_text("Counted once")
    page.focus("#amount")
    with page.expect_response("**/predict?explain=true"):
        press_by_keyboard(page, "Score")


def press_by_keyboard(page: Page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == name:
            outline = "getComputedStyle(document.activeElement).outlineStyle"
            assert page.evaluate(outline) != "none"
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is not reached by Tab")


def test_answer_comes_into_sight_on_a_phone(served: Served, browser: Browser) -> None:
    with view(browser, width=PHONE, height=800) as opened:
        page = open_page(opened, served.handler)
        score_example(page, "fraud")
        expect(page.locator("#decision")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
        assert opened.complaints == []


def test_figures_of_now_are_those_of_the_service(served: Served, desk: View) -> None:
    """Of the one small answer that they are made of; what fires is Alertmanager's own word."""
    served.alertmanager.send(
        {"alertname": "FeatureDrift", "severity": "page", "job": "fraud-handler"},
        {"alertname": "FeatureDrift", "severity": "page", "job": "another"},
        {"alertname": "ServiceDown", "severity": "page", "job": "another"},
        {"alertname": "Watchdog"},
    )
    page = open_page(desk, served.handler)
    asked: list[Response] = []
    desk.page.on("response", lambda got: asked.append(got) if got.url.endswith("/stats") else None)
    score_example(page, "fraud")
    expect(page.locator("#now-firing")).to_have_text("FeatureDrift")
    until(lambda: len(asked) > 0, 20, "a refresh")
    stats = asked[-1].json()

    expect(page.locator("#now-model")).to_have_text(stats["model_version"])
    expect(page.locator("#now-rate")).to_have_text(re.compile(r"^[\d.]+ /s$"))
    assert "%" in page.inner_text("#now-fraud")
    assert page.inner_text("#now-p95").endswith(" ms")
    assert len(asked[-1].body()) < 1000


def test_page_leads_on(served: Served, desk: View) -> None:
    """To dashboards, alerts, the API, the model card; each of the service's own is there."""
    page = open_page(desk, served.handler)
    links = {
        link.inner_text(): link.get_attribute("href") or "" for link in page.locator("nav a").all()
    }
    assert links["Dashboards"] == DASHBOARDS
    assert links["Alerts"] == served.alertmanager.url
    own = [address for address in links.values() if address.startswith("/")]
    assert len(own) == 4
    for address in [*own, "/favicon.ico"]:
        assert requests.get(f"{served.handler.url}{address}", timeout=30).status_code == 200, (
            address
        )


def test_alertmanager_that_cannot_be_reached_is_linked(served: Served, desk: View) -> None:
    desk.page.route("**/api/v2/alerts**", lambda route: route.abort())
    page = open_page(desk, served.handler)
    page.wait_for_selector("#now-firing a")
    assert page.inner_text("#now-firing") == "cannot be reached from here: Alertmanager"


def test_token_is_asked_for_and_then_used(guarded: Handler, desk: View) -> None:
    """First by the figures, without taking the focus; then by the label that somebody sends."""
    page = open_page(desk, guarded)
    page.wait_for_selector("#access:not([hidden])")
    assert page.evaluate("document.activeElement.id") != "token"
    score_example(page, "usual")
    page.get_by_role("button", name="This was legitimate").click()
    expect(page.locator("#token")).to_be_focused()
    assert "<FEEDBACK_TOKEN> or <ACCESS_TOKEN>" in page.inner_text("#counted")
    page.fill("#token", TOKEN)
    page.press("#token", "Enter")
    expect(page.locator("#counted")).to_contain_text("Counted once")
    expect(page.locator("#now-rate")).to_have_text(re.compile(r"^[\d.]+ /s$"))
    assert page.locator("#access").is_hidden()


def test_model_without_reasons_is_asked_once(served: Served, desk: View) -> None:
    """It answers 503 to whoever wants reasons; the page goes on without."""
    refusal = {"type": "unavailable", "message": "no rows", "field": None, "request_id": "1"}
    body = json.dumps({"error": refusal})
    desk.page.route("**/predict?explain=true", lambda route: route.fulfill(status=503, body=body))
    page = open_page(desk, served.handler)
    with page.expect_response("**/predict?explain=false"):
        page.get_by_role("button", name="usual", exact=True).click()
    page.wait_for_selector("#answer:not([hidden])")
    assert page.locator("#why").is_hidden()
    assert page.inner_text("#problem") == ""


def test_page_says_when_the_service_is_gone(model_dir: Any, tmp_path: Any, desk: View) -> None:
    """Old figures are called old, and a transaction gets a sentence."""
    with Handler(tmp_path, model_dir, WEB_CONCURRENCY="1") as handler:
        page = open_page(desk, handler)
        expect(page.locator("#now-state")).not_to_be_empty()
    page.get_by_role("button", name="Score").click()
    expect(page.locator("#problem")).not_to_be_empty()
    assert page.inner_text("#problem") == "The service does not answer."
    expect(page.locator("#now-state")).to_contain_text("are old")
