"""Scenarios against the real application: the simulator's summary is what the service counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from simulator.main import main
from tests.simulator.handler.outcomes import Before, ReadOutcomes, summed_outcomes
from tests.simulator.runs import Simulate


def test_concept_breaks_the_relation_and_keeps_the_rate(
    simulate: Simulate, outcomes: ReadOutcomes
) -> None:
    """Half of all is fraud as before, but the model finds far fewer of them."""
    _, steady = simulate("--count 300 --faulty 0 --labels-after 0.2")
    before = outcomes()
    _, concept = simulate("--count 300 --faulty 0 --labels-after 0.2 --scenario concept")

    assert outcomes() - before == summed_outcomes(concept)
    assert steady["labels"]["recall"] > 0.68
    assert concept["labels"]["recall"] < 0.66


def test_late_labels_come_when_it_is_over(simulate: Simulate, before: Before) -> None:
    """None arrives while it lasts."""
    start, moments = time.monotonic(), []
    before["/feedback"] = lambda: moments.append(time.monotonic() - start)

    arguments = "--duration 6 --labels-after 0.2 --scenario late-labels --scenario-after 1"
    code, summary = simulate(f"--faulty 0 {arguments} --scenario-for 4")

    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert max(gaps) > 1.5
    assert code == 0 and summary["labels"]["by_result"] == {"counted": summary["sent"]}


@pytest.mark.parametrize("settings", [{"FAULT_HEADERS": "on"}], indirect=True)
def test_slow_and_errors_happen_for_real(simulate: Simulate, counted: Callable[..., float]) -> None:
    """Where the service obeys."""
    slow, slow_summary = simulate("--count 60 --faulty 0 --scenario slow")
    errors, errors_summary = simulate("--count 60 --faulty 0 --scenario errors")

    assert (slow, errors) == (0, 0)
    assert slow_summary["latency_seconds"]["max"] >= 0.4
    assert (
        counted("http_request_duration_seconds_sum", endpoint="/predict")
        >= 0.4 * (slow_summary["by_kind"]["asked_slow"])
    )
    assert errors_summary["by_status"]["500"] == errors_summary["by_kind"]["asked_error"] > 5
    assert counted("errors_total", type="internal") == errors_summary["by_kind"]["asked_error"]


@pytest.mark.parametrize("scenario", ["slow", "errors"])
def test_service_without_fault_injection_is_named(
    url: str, capsys: pytest.CaptureFixture[str], scenario: str
) -> None:
    """Plainly, and by the exit code, also where few requests are concerned."""
    words = f"--url {url} --rate 60 --seed 3 --count 90 --faulty 0 --quiet"
    late = "--scenario-after 1.2"

    code = main(f"{words} --scenario {scenario} {late}".split())

    assert code == 3
    text = capsys.readouterr().out
    assert (
        "requests for an injected fault were ignored: start the service with FAULT_HEADERS=on"
        in text
    )


def test_bad_data_is_refused_and_counted(simulate: Simulate, counted: Callable[..., float]) -> None:
    """In few fields, with the statuses that they should have."""
    code, summary = simulate("--count 200 --faulty 0 --scenario bad-data")

    bad = summary["sent"] - summary["by_kind"]["valid"]
    assert code == 0 and bad == 60 == summary["by_status"]["400"]
    assert sum(
        counted("data_quality_total", feature=name) for name in ("amount", "location_risk")
    ) == pytest.approx(60)


def test_fraud_burst_comes_from_what_the_model_scores_high(
    simulate: Simulate, counted: Callable[..., float]
) -> None:
    """500 transactions are asked first; every tenth request then is one of the 20 highest."""
    code, summary = simulate("--count 200 --faulty 0 --scenario fraud-burst")

    assert code == 0
    assert counted("predictions_total", endpoint="/predict") == 700
    assert summary["predictions"]["by_risk_level"]["high"] > 20


def test_drift_is_seen_in_the_counted_bins(
    simulate: Simulate, counted: Callable[..., float]
) -> None:
    """The most important feature leaves its baseline."""
    simulate("--count 300 --faulty 0 --scenario drift")
    exposed = {
        n: counted("feature_values_total", feature="amount", bin=f"{n:02}") for n in range(1, 11)
    }

    assert sum(exposed.values()) == 300
    assert sum(exposed[n] for n in range(6, 11)) > 200


def test_outage_pauses_the_traffic(simulate: Simulate) -> None:
    """About a third of the time nothing is sent."""
    code, summary = simulate(
        "--duration 3 --faulty 0 --scenario outage --scenario-after 1 --scenario-for 1"
    )

    assert code == 0 and 80 < summary["sent"] < 160
    assert summary["duration_seconds"] > 2.5


@pytest.mark.parametrize("settings", [{"MAX_BODY_BYTES": "1024"}], indirect=True)
def test_fraud_burst_of_a_service_that_takes_small_bodies(
    simulate: Simulate, counted: Callable[..., float]
) -> None:
    """20 transactions have too many bytes, as with hundreds of features: they go in parts."""
    _, summary = simulate("--count 60 --faulty 0 --scenario fraud-burst")

    assert summary["by_status"] == {"200": 60}
    assert counted("predictions_total", endpoint="/predict") == 560
    assert counted("errors_total", type="too_large") > 0
