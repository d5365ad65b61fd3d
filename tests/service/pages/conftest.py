"""The real service with its start page, an Alertmanager beside it, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.lab.alertmanager import Alertmanager
from tests.lab.chromium import View, view
from tests.lab.handler import Handler

DASHBOARDS = "http://dashboards.example:3000"
PROMETHEUS = "http://prometheus.example:9090"
TOKEN = "a-token-of-the-tests"

# Milliseconds; as long as `view` waits.
expect.set_options(timeout=30_000)


@dataclass(frozen=True)
class Served:
    """A running service and the Alertmanager that its page asks."""

    handler: Handler
    alertmanager: Alertmanager


@pytest.fixture(scope="session")
def served(
    tools: Path, model_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Two workers, open, as a start on one's own machine."""
    folder = tmp_path_factory.mktemp("start-page")
    with ExitStack() as stack:
        alertmanager = stack.enter_context(Alertmanager(tools, folder / "alertmanager"))
        handler = stack.enter_context(
            Handler(
                folder / "handler",
                model_dir,
                DASHBOARDS_URL=DASHBOARDS,
                PROMETHEUS_EXTERNAL_URL=PROMETHEUS,
                ALERTMANAGER_EXTERNAL_URL=alertmanager.url,
            )
        )
        yield Served(handler, alertmanager)


@pytest.fixture(scope="session")
def guarded(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handler]:
    """The service with a token, and nobody who says where the rest is."""
    folder = tmp_path_factory.mktemp("guarded")
    with Handler(folder, model_dir, ACCESS_TOKEN=TOKEN, WEB_CONCURRENCY="1") as handler:
        yield handler


@pytest.fixture
def desk(browser: Browser) -> Iterator[View]:
    """A wide page in light colours."""
    with view(browser) as opened:
        yield opened


def open_page(opened: View, handler: Handler) -> Page:
    """The start page, ready to be used."""
    opened.page.goto(handler.url)
    opened.page.wait_for_selector("#examples button")
    return opened.page


def score_example(page: Page, name: str) -> None:
    """Press the button of an example and wait for its answer."""
    with page.expect_response("**/predict?explain=true") as answered:
        page.get_by_role("button", name=name, exact=True).click()
    assert answered.value.ok
    page.wait_for_selector("#answer:not([hidden])")
