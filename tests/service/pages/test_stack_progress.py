"""What the start page says of a stack that is still being made, or that is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from service.pages.stack_progress import Progress, read_progress
from stack.native.progress_file import BUILDING, UNWATCHED, WATCHED, building, write_progress
from tests.lab.chromium import View
from tests.lab.handler import Handler
from tests.lab.ports import free_port
from tests.service.pages.conftest import open_page

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]
LINE = "otelcol: building otelcol: 120/800 packages compiled, 1 min 05 s"


@pytest.fixture(scope="module")
def progress(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that the start writes and the service reads."""
    return tmp_path_factory.mktemp("progress") / "progress.json"


@pytest.fixture(scope="module")
def starting(
    model_dir: Path, progress: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Handler]:
    """A service that a start has begun with."""
    folder = tmp_path_factory.mktemp("starting")
    with Handler(folder, model_dir, STACK_PROGRESS_FILE=str(progress)) as handler:
        yield handler


def test_page_says_how_far_the_rest_is_and_then_no_more(
    starting: Handler, progress: Path, desk: View
) -> None:
    """Without a reload; what nobody says is not shown."""
    page = open_page(desk, starting)
    place = page.locator("#now-stack")
    expect(page.locator("#now-model")).not_to_have_text("…")
    expect(place).to_be_hidden()
    write_progress(progress, BUILDING, LINE)
    expect(place).to_contain_text("still being made")
    expect(place.locator("li")).to_have_text([LINE])
    write_progress(progress, WATCHED)
    expect(place).to_be_hidden()
    assert desk.complaints == []


def test_page_says_that_nothing_watches_and_why(
    starting: Handler, progress: Path, desk: View
) -> None:
    write_progress(
        progress, UNWATCHED, "neither Go nor a built Collector is here.", "Install <Go>."
    )
    place = open_page(desk, starting).locator("#now-stack")
    expect(place).to_contain_text("Nothing watches this service")
    expect(place.locator("li").last).to_have_text("Install <Go>.")
    assert desk.complaints == []


def test_what_fires_is_not_asked_of_an_alertmanager_that_is_not_there_yet(
    model_dir: Path, progress: Path, desk: View, tmp_path: Path
) -> None:
    """It would be an error on the console, and read as one on the page."""
    write_progress(progress, BUILDING, LINE)
    nobody = f"http://127.0.0.1:{free_port()}"
    said = {"STACK_PROGRESS_FILE": str(progress), "ALERTMANAGER_EXTERNAL_URL": nobody}
    with Handler(tmp_path, model_dir, **said) as handler:
        expect(open_page(desk, handler).locator("#now-firing")).to_have_text("nobody looks yet")
    assert desk.complaints == []


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{", b'{"state": "other"}', b'{"state": "building", "lines": [1]}', b"\xff"],
)
def test_file_that_cannot_be_read_says_nothing(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "progress.json"
    if content is not None:
        file.write_bytes(content)
    assert read_progress(file) is None
    assert read_progress(None) is None


def test_what_the_start_writes_is_what_the_service_reads(tmp_path: Path) -> None:
    """While it builds the lines of now; the states are those of the reader."""
    file = tmp_path / "progress.json"
    with building(file, lambda: [LINE]):
        assert read_progress(file) == Progress("building", [LINE])
    for state in (WATCHED, UNWATCHED):
        write_progress(file, state)
        read = read_progress(file)
        assert read is not None and read.state == state
