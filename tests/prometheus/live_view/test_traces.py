"""A kept trace in the live view: from a dot, from its id, from the page's address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser

from tests.lab.chromium import View, view
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.prometheus.live_view.conftest import PUSHES

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]

SECONDS = "prediction_latency_seconds_bucket or http_request_duration_seconds_bucket"
READ = (
    "async (id) => (await (await import('./js/traces.js')).readTrace(id))"
    ".map((s) => [s.name, s.attributes['http.response.status_code'] ?? ''])"
)


@pytest.fixture
def desk(browser: Browser) -> Iterator[View]:
    with view(browser) as opened:
        yield opened


def exemplar_ids(served: Prometheus) -> list[str]:
    """Trace ids of all exemplars of response times."""
    return sorted(
        {each["labels"]["trace_id"] for each in served.exemplars(SECONDS.split(" or ")[1])}
    )


def test_trace_of_every_exemplar_is_found(served: Prometheus, desk: View) -> None:
    """With its server span, and the two within it where it was scored: no dot leads nowhere."""
    desk.open(f"{served.url}/user/")
    ids = exemplar_ids(served)
    assert len(ids) >= PUSHES

    def written() -> bool:
        listed = requests.get(f"{served.url}/user/traces/traces.jsonl", timeout=10).text
        return all(each in listed for each in ids)

    until(written, 30, "the Collector has decided about them")
    for trace_id in ids:
        spans = dict(desk.page.evaluate(READ, trace_id))
        assert next(iter(spans)) == "POST /predict", trace_id
        if spans["POST /predict"] == "200":
            assert {"validate", "score"} <= set(spans), trace_id
    assert desk.complaints == []


def test_address_shows_a_trace_and_escape_closes_it(served: Prometheus, desk: View) -> None:
    trace_id = exemplar_ids(served)[0]
    desk.open(f"{served.url}/user/?trace={trace_id}")
    dialog = desk.page.locator("dialog[open]")
    dialog.wait_for()
    assert trace_id in dialog.inner_text()
    assert dialog.locator("tbody th").all_inner_texts()[0] == "POST /predict"
    widths = dialog.locator(".track i").evaluate_all(
        "(bars) => bars.map((bar) => bar.getBoundingClientRect().width)"
    )
    assert len(widths) >= 3 and widths[0] == max(widths) > 100
    desk.page.keyboard.press("Escape")
    assert desk.page.locator("dialog[open]").count() == 0


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("ffffffffffffffffffffffffffffffff", "is not kept"),
        ("<b>x</b>", "is no trace's id"),
        ("", "is no trace's id"),
        ("ff", "is no trace's id"),
    ],
)
def test_id_that_names_none_is_answered(
    served: Prometheus, desk: View, wanted: str, said: str
) -> None:
    desk.open(f"{served.url}/user/")
    desk.page.fill("#find input", wanted)
    desk.page.press("#find input", "Enter")
    dialog = desk.page.locator("dialog[open]")
    dialog.wait_for()
    assert said in dialog.inner_text()
    assert dialog.locator("b").count() == 0


def test_click_on_a_dot_shows_its_trace(served: Prometheus, desk: View) -> None:
    """The dots are drawn on a canvas: the page says where one is."""
    desk.open(f"{served.url}/user/?d=fraud-service&from=now-15m")
    plot = desk.page.locator(".panel.heatmap .u-over")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    for step in range(0, int(box["width"]), 6):
        x = box["width"] - 1 - step
        for y in range(4, int(box["height"]), 8):
            desk.page.mouse.move(box["x"] + x, box["y"] + y)
            if "trace " in desk.page.locator(".panel.heatmap .legend").inner_text():
                desk.page.mouse.click(box["x"] + x, box["y"] + y)
                desk.page.locator("dialog[open]").wait_for()
                assert "POST /predict" in desk.page.locator("dialog[open]").inner_text()
                return
    raise AssertionError("no dot was found")
