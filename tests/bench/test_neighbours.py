"""The tail beside neighbours: the client that measures it, and how it is judged."""

from __future__ import annotations

import pytest

from bench.faults.report import Report
from bench.neighbours import DISTURBANCES, WITHOUT, make_report
from bench.open_loop import Paced, send_paced
from tests.lab.fixtures import StartHandler
from tests.lab.polling import until


def judge(slowest_ms: float) -> dict[str, tuple[str, ...]]:
    """The report's rows where 1 in 100 answers beside each disturbance takes so long."""
    tails = {name: Paced([0.002] * 990 + [slowest_ms / 1000] * 10) for name in DISTURBANCES}
    tails[WITHOUT] = Paced([0.002] * 1000)
    report: Report = make_report(tails)
    return {row[0]: tuple(row) for row in report.rows}


def test_tail_is_judged_by_its_ratio_to_the_one_without() -> None:
    assert {row[-1] for name, row in judge(5.9).items() if name != WITHOUT} == {"≤ 3: reached"}
    assert {row[-1] for name, row in judge(6.1).items() if name != WITHOUT} == {"≤ 3: **missed**"}
    assert judge(6.1)[WITHOUT][-1] == ""


@pytest.mark.stack
def test_paced_client_outlives_the_workers_that_end(start_handler: StartHandler) -> None:
    """Kept connections are told to close, and none of the requests fails."""
    handler = start_handler(WEB_CONCURRENCY="2", LOG_LEVEL="error", WORKER_MAX_REQUESTS="60")
    first = set(handler.workers())
    paced = send_paced(handler.port, 50, 4)
    assert (len(paced.seconds), paced.failed) == (200, 0)
    until(lambda: first.isdisjoint(handler.workers()), 30, "both workers were replaced")
