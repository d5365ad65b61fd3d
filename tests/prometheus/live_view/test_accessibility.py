"""The live view by axe-core, the engine of most accessibility checkers."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.lab.axe import find_violations
from tests.lab.chromium import view
from tests.lab.prometheus import Prometheus

pytestmark = [pytest.mark.stack, pytest.mark.timeout(400)]


LOOKS = {"light": (1360, False), "dark": (1360, True), "phone": (390, False)}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", ["overview", "model", "service", "pipeline"])
def test_axe_finds_nothing(
    served: Prometheus, browser: Browser, axe: Path, name: str, look: str
) -> None:
    width, dark = LOOKS[look]
    with view(browser, width=width, dark=dark) as opened:
        opened.open(f"{served.url}/user/?d=fraud-{name}&from=now-15m")
        assert find_violations(opened.page, axe) == []
