"""Debian's Chromium, driven by Playwright: pages as people see them, and their complaints."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, sync_playwright

DRAWN = "html[data-drawn]"
_SECONDS = 30


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser, closed at the end."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    assert found, "chromium is missing: apt-get install chromium"
    with sync_playwright() as playwright:
        # Its sandbox wants rights that containers do not have; it opens the tests' own pages only.
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class View:
    """An open page, with what it has complained of: errors on its console and refused requests."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        """Returns when all of it was asked for and drawn."""
        self.page.goto(url)
        self.page.wait_for_selector(DRAWN, state="attached")


@contextmanager
def view(
    browser: Browser, *, width: int = 1360, height: int = 900, dark: bool = False
) -> Iterator[View]:
    """A fresh page of its own, without stored choices."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
    )
    context.set_default_timeout(1000 * _SECONDS)
    made = View(context.new_page())
    note = made.complaints.append
    made.page.on(
        "console", lambda said: note(said.text) if said.type in ("error", "warning") else None
    )
    made.page.on("pageerror", lambda error: note(str(error)))
    made.page.on(
        "response", lambda got: note(f"{got.status} {got.url}") if got.status >= 400 else None
    )
    yield made
    context.close()
