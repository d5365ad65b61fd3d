"""The measurements of docs/reliability.md, short: what must hold on any machine."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.faults import report, slow_clients
from bench.faults.broken_parts import black_hole, do_nothing, kill_worker, measure
from bench.faults.cardinality import count_series, send_rubbish
from bench.faults.load import send_open_loop
from bench.faults.report import PAGE, Report, write_report
from bench.faults.surroundings import SteppedClock
from tests.lab.fixtures import StartHandler
from tests.lab.handler import Handler


def test_table_takes_its_place_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- soak -->\nold\n<!-- end -->\nafter <!-- end -->\n")
    monkeypatch.setattr(report, "PAGE", page)
    write_report(Report("Soak", ("time", "failed"), [("1 min", "0")]))
    table = "| time | failed |\n| --- | --- |\n| 1 min | 0 |\n"
    expected = f"before\n<!-- soak -->\n{table}<!-- end -->\nafter <!-- end -->\n"
    assert page.read_text() == expected
    with pytest.raises(ValueError, match="no place for 'Other'"):
        write_report(Report("Other", (), []))


def test_page_has_a_place_for_each_measurement() -> None:
    text = PAGE.read_text(encoding="utf-8")
    places = (
        "slow-and-silent-clients", "overload", "faults", "cardinality", "neighbours", "soak",
    )  # fmt: skip
    assert [place for place in places if text.count(f"<!-- {place} -->\n") != 1] == []


@pytest.mark.stack
def test_strangers_add_no_series(start_handler: StartHandler) -> None:
    """Random paths, methods, headers and fields, after each kind was there once."""
    handler = start_handler(LOG_LEVEL="error")
    assert send_rubbish(handler.port, 800, 0) == 800
    before = count_series(handler)
    assert send_rubbish(handler.port, 4000, 1) == 4000
    assert count_series(handler) == before


@pytest.mark.stack
@pytest.mark.parametrize("kind", slow_clients.KINDS)
def test_slow_clients_fail_nobody_and_leave_no_descriptor(
    start_handler: StartHandler, kind: str
) -> None:
    handler = start_handler(LOG_LEVEL="error")
    result = asyncio.run(slow_clients.measure(handler, kind, 100, 2))
    assert result.connections == 100
    assert len(result.beside.seconds) == 2 * slow_clients.HONEST_RATE and not result.beside.failed
    assert result.freed_after < 30


@pytest.mark.stack
def test_killed_worker_loses_no_count_of_an_answer(start_handler: StartHandler) -> None:
    handler = start_handler(LOG_LEVEL="warning")
    result = asyncio.run(measure("killed", handler, kill_worker, 5))
    assert result.lost == 0
    assert len(result.outcome.accepted) > result.outcome.sent / 2
    assert result.label.startswith("200")


@pytest.mark.stack
def test_store_that_never_answers_refuses_labels_and_nothing_else(
    start_handler: StartHandler,
) -> None:
    with black_hole() as port:
        handler = start_handler(REDIS_URL=f"redis://127.0.0.1:{port}/0", LOG_LEVEL="warning")
        result = asyncio.run(measure("no store", handler, do_nothing, 3, at=0))
    assert set(result.outcome.statuses) == {200} and not result.outcome.failed_at
    assert result.label.startswith("503")
    assert "labels cannot be counted" in result.said


def test_clock_is_stepped_and_the_monotonic_one_is_not(tmp_path: Path) -> None:
    clock = SteppedClock(tmp_path)
    tell = "import time; print(time.time(), time.monotonic())"
    for seconds in (0, 3600, -3600):
        clock.step(seconds)
        done = subprocess.run(
            [sys.executable, "-c", tell], env=clock.settings, capture_output=True, check=True
        )
        wall, monotonic = map(float, done.stdout.split())
        assert abs(wall - time.time() - seconds) < 60
        assert abs(monotonic - time.monotonic()) < 60


@pytest.mark.stack
@pytest.mark.parametrize(("seconds", "label"), [(3600, "200"), (-3600, "503")], ids=str)
def test_stepped_clock_fails_no_request_and_loses_no_count(
    start_handler: StartHandler, tmp_path: Path, seconds: int, label: str
) -> None:
    """A receipt of what is the future now is refused for the time being."""
    clock = SteppedClock(tmp_path / "clock")
    handler = start_handler(LOG_LEVEL="warning", **clock.settings)

    async def step(_: Handler) -> None:
        clock.step(seconds)

    result = asyncio.run(measure("clock", handler, step, 3, at=1))
    assert result.outcome.statuses == {200: 120} and result.lost == 0
    assert result.label.startswith(label)


@pytest.mark.stack
def test_open_loop_sends_what_it_promised(start_handler: StartHandler) -> None:
    handler = start_handler(LOG_LEVEL="error")
    outcome = asyncio.run(send_open_loop(handler.url, 50, 2))
    assert outcome.sent == 100
    refused = asyncio.run(send_open_loop(handler.url, 50, 1, lambda _: b"{}"))
    assert refused.statuses == {400: 50}
