"""Delayed labels against the real application: what is sent is what the service counts."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.simulator.handler.outcomes import Before, ReadOutcomes, summed_outcomes
from tests.simulator.runs import Simulate


def test_labels_are_counted_as_they_were_sent(
    simulate: Simulate, outcomes: ReadOutcomes, counted: Callable[..., float]
) -> None:
    """Every valid answer once, exactly; batches shrink to what the service takes."""
    code, summary = simulate("--count 200 --faulty 0.1 --labels-after 0.5")

    assert code == 0 and summary["by_kind"]["valid"] == summary["labels"]["known"] == 180
    assert summary["labels"]["by_result"] == {"counted": 180}
    assert outcomes() == summed_outcomes(summary)
    assert counted("feedback_total", result="counted") == 180
    assert summary["labels"]["from_answers"] == 180 and not summary["known_process"]


def test_labels_of_a_share(simulate: Simulate) -> None:
    """The others get none."""
    _, summary = simulate("--count 200 --faulty 0 --labels-after 0.2 --labels 0.25")

    assert 30 <= summary["labels"]["known"] <= 70
    assert summary["labels"]["by_result"] == {"counted": summary["labels"]["known"]}


def test_slow_feedback_delays_no_request(simulate: Simulate, before: Before) -> None:
    """Labels go one batch at a time beside the traffic, which never waits for them."""
    before["/feedback"] = lambda: time.sleep(1.5)

    code, summary = simulate("--count 120 --faulty 0 --labels-after 0")

    assert summary["sent"] == summary["answered"] == 120 and summary["not_sent"] == {}
    assert summary["duration_seconds"] < 6
    assert code == 0 and summary["labels"]["by_result"] == {"counted": 120}


def test_feedback_that_is_away_for_a_while_gets_its_labels(
    simulate: Simulate, before: Before, outcomes: ReadOutcomes
) -> None:
    """Sent again until they are taken."""
    refusals = ["503 Away", "502 Away"]
    before["/feedback"] = lambda: refusals.pop() if refusals else None

    code, summary = simulate("--count 60 --faulty 0 --labels-after 0")

    assert code == 0 and summary["labels"]["failed_posts"].keys() >= {"502", "503"}
    assert sum(outcomes().values()) == 60


def test_service_without_feedback_is_no_success(simulate: Simulate, before: Before) -> None:
    """Predictions were fine, labels were not: code 3, and the reason is in the summary."""
    before["/feedback"] = lambda: "404 Not Found"

    code, summary = simulate("--count 40 --faulty 0 --labels-after 0")

    assert code == 3 and summary["failed_share"] == 0
    assert summary["labels"]["by_result"] == {"refused": 40}
    assert summary["labels"]["failed_posts"].keys() == {"404"}
