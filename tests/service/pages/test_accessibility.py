"""The service's pages by axe-core and by the contrast of every text, in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.lab.axe import find_violations, measure_contrast
from tests.lab.chromium import View, view
from tests.service.pages.conftest import Served, open_page, score_example

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def coloured(request: pytest.FixtureRequest, browser: Browser) -> Iterator[View]:
    with view(browser, dark=request.param) as opened:
        yield opened


def assert_readable(page: Page, axe: Path, texts: int) -> None:
    """Axe finds nothing, and each of at least `texts` texts has the contrast of WCAG AA."""
    measured = measure_contrast(page)
    assert [one for one in measured if one["ratio"] < one["wanted"]] == []
    assert len(measured) >= texts
    assert find_violations(page, axe) == []


@pytest.mark.parametrize("example", ["usual", "suspicious", "fraud"])
def test_start_page_with_an_answer(served: Served, coloured: View, axe: Path, example: str) -> None:
    page = open_page(coloured, served.handler)
    score_example(page, example)
    page.get_by_role("button", name="This was fraud").click()
    expect(page.locator("#counted")).not_to_be_empty()
    assert_readable(page, axe, texts=45)


def test_start_page_with_a_refusal(served: Served, coloured: View, axe: Path) -> None:
    page = open_page(coloured, served.handler)
    page.fill("#age", "17")
    page.press("#age", "Enter")
    page.wait_for_selector("[aria-invalid]")
    assert_readable(page, axe, texts=25)


def test_model_card(served: Served, coloured: View, axe: Path) -> None:
    """With its plots drawn."""
    page = coloured.page
    page.goto(f"{served.handler.url}/model_card")
    drawn = "[...document.images].map((one) => one.naturalWidth > 100)"
    assert page.evaluate(drawn) == [True, True, True]
    assert_readable(page, axe, texts=80)
    assert coloured.complaints == []


def test_contrast_that_is_too_low_is_found(coloured: View) -> None:
    """The measure itself: grey on white, and half-transparent black on white."""
    coloured.page.set_content(
        '<body style="background: #fff"><p style="color: #999">grey</p>'
        '<p style="color: rgba(0, 0, 0, 0.9)">black</p></body>'
    )
    grey, black = measure_contrast(coloured.page)
    assert grey["ratio"] == pytest.approx(2.85, abs=0.01)
    assert black["ratio"] > 15
