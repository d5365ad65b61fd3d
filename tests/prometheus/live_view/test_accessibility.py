"""The live view by axe-core, the engine of most accessibility checkers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.lab.chromium import view
from tests.lab.prometheus import Prometheus

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

AXE = "axe-core@4.10.3"
RUN = "async () => (await axe.run(document)).violations.map((one) => [one.id, one.nodes[0].html])"


@pytest.fixture(scope="module")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """axe.min.js, fetched by npm and not kept."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm, which fetches axe-core, is not installed")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), AXE]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (archive,) = folder.glob("*.tgz")
    shutil.unpack_archive(archive, folder)
    return folder / "package" / "axe.min.js"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", ["overview", "model", "service", "pipeline"])
def test_axe_finds_nothing(
    served: Prometheus, browser: Browser, axe: Path, name: str, dark: bool
) -> None:
    with view(browser, dark=dark) as opened:
        opened.open(f"{served.url}/user/?d=fraud-{name}&from=now-15m")
        opened.page.add_script_tag(path=axe)
        assert opened.page.evaluate(RUN) == []
