"""`python -m grafana budget`: the series that Grafana Cloud would count."""

from __future__ import annotations

import time

import pytest

from grafana import __main__ as cli
from grafana.cloud.budget import measure
from tests.grafana.scenario import Running

pytestmark = pytest.mark.stack


def test_budget_counts_every_series_once(running: Running) -> None:
    """What the workers brought into being, per metric and worker, as samples at one a minute."""
    found = measure(running.store, running.end)
    brought = running.service.series()

    assert found.series == brought
    assert found.samples_per_minute == brought
    assert found.is_within_limit
    assert len(found.instances) == 2
    assert found.per_instance * 2 == brought
    assert found.instances_that_fit == 10_000 // found.per_instance


def test_budget_that_is_exceeded_fails(running: Running) -> None:
    """By series, and by samples where the push interval is short."""
    series = measure(running.store, running.end).series

    assert not measure(running.store, running.end, limit=series - 1).is_within_limit
    assert measure(running.store, running.end, limit=series).is_within_limit
    assert measure(running.store, running.end, interval_seconds=15).usage == 4 * series


def test_budget_leaves_out_what_never_passes_the_collector(running: Running) -> None:
    """Jobs that this Prometheus scrapes itself are shown apart and do not count."""
    deadline = time.monotonic() + 30
    while not running.store.query('up{job="stack"}') and time.monotonic() < deadline:
        time.sleep(0.1)
    found = measure(running.store)

    assert {job for job, _ in found.local} == {"stack"}
    assert {job for job, _ in found.sent} == {"fraud-handler"}
    assert found.series == running.service.series()


def test_command_line_prints_the_budget(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    """`budget` is 0 within the plan, 1 over it, and says by how much."""
    series = running.service.series()

    assert cli.main(["budget", "--prometheus", running.address]) == 0
    assert f"{series:,} active series, {series:,} samples a minute" in capsys.readouterr().out
    assert cli.main(["budget", "--prometheus", running.address, "--limit", str(series - 7)]) == 1
    assert "OVER the plan by 7" in capsys.readouterr().out


@pytest.mark.parametrize("option", [["--limit", "0"], ["--interval", "soon"], ["--limit", "-1"]])
def test_command_line_refuses_bad_numbers(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Named with the value that was given."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["budget", *option])
    assert f"must be a whole number from 1 on, got '{option[1]}'" in capsys.readouterr().err
