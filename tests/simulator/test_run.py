"""Whole runs against a faulty service: what is counted, and with which code they end."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from simulator.main import main
from simulator.target.model_info_parser import parse_model_info
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.request_plan import TrafficSpec, plan_requests
from tests.simulator.faulty_target import ScoringServer
from tests.simulator.runs import ROOT, Simulate, StartProgram


def test_run_counts_what_the_target_received(simulate: Simulate, target: ScoringServer) -> None:
    """Every number of the summary agrees with the other side, and with each other."""
    code, summary = simulate("--rate", 60, "--count", 300, "--seed", 7, "--faulty", 0.1)

    assert code == 0 and summary["exit_code"] == 0
    assert summary["sent"] == summary["answered"] == len(target.received) == 300
    assert summary["by_kind"]["valid"] == 270
    assert summary["by_status"] == {"200": 270, "400": 25, "413": 5}
    assert summary["predictions"]["total"] == 270
    assert sum(summary["error_types"].values()) == 30
    assert summary["unanswered"] == summary["not_sent"] == {}
    assert summary["unexpected"] == []
    fraud = summary["predictions"]["by_class"]["fraud"]
    assert summary["fraud_share"] == fraud / 270
    labels: Counter[str] = Counter()
    for row in summary["predictions"]["by_labels"]:
        labels[row["user_type"]] += row["count"]
    assert labels == summary["predictions"]["by_user_type"]


def test_run_sends_the_plan_byte_by_byte(simulate: Simulate, target: ScoringServer) -> None:
    """What arrives is what the seed says, whatever the target answers."""
    target.before_answer = lambda number: 503 if number % 3 == 0 else None

    simulate("--rate", 300, "--count", 120, "--seed", 11, "--faulty", 0.1, "--large-body", 70000)

    info = parse_model_info(target.model_info)
    spec = TrafficSpec(LoadProfile(300, 120), InvalidShare(0.1, 70_000))
    planned = plan_requests(info, 11, spec)
    assert Counter(target.received) == Counter(r.body + b" " * r.padding for r in planned)


def test_run_keeps_the_pace_of_its_arrivals_against_a_stall(
    simulate: Simulate, target: ScoringServer
) -> None:
    """A target that stops for a second does not slow the arrivals, and every request that fell
    into the stall counts from when it was due: at 100/s about 100 of them waited, evenly spread
    up to a second. A closed loop of one connection would have seen a single slow request."""
    stalled_until: list[float] = []

    def stall(number: int) -> None:
        if number == 50:
            stalled_until.append(time.monotonic() + 1)
        if stalled_until:
            time.sleep(max(0.0, stalled_until[0] - time.monotonic()))

    target.before_answer = stall

    code, summary = simulate("--rate", 100, "--count", 300, "--seed", 1, "--faulty", 0)

    assert code == 0
    assert summary["duration_seconds"] == pytest.approx(3, abs=2)
    assert summary["answered"] == 300
    assert 0.6 < summary["latency_seconds"]["p95"] < 2.5
    assert summary["latency_seconds"]["p95"] > 3 * summary["latency_seconds"]["p50"]


def test_run_never_delays_silently_when_too_many_are_under_way(
    simulate: Simulate, target: ScoringServer
) -> None:
    """Beyond the bound a request is counted as not sent."""
    target.before_answer = lambda number: time.sleep(1.5)

    code, summary = simulate("--rate", 100, "--count", 100, "--max-in-flight", 10, "--seed", 1)

    assert summary["due"] == 100
    assert summary["sent"] + summary["not_sent"]["too_many_in_flight"] == 100
    assert len(target.received) == summary["sent"] == summary["answered"]
    assert 10 <= summary["sent"] <= 20
    assert code == 3


def test_run_does_not_blame_the_target_for_this_machines_limit(
    start: StartProgram, target: ScoringServer
) -> None:
    """Where the system allows few open files, fewer requests are under way at once."""
    target.before_answer = lambda number: time.sleep(3)
    arguments = ("--rate", 400, "--count", 150, "--faulty", 0, "--json", "--seed", 1)

    process = start(*arguments, before=["bash", "-c", 'ulimit -n 100; exec "$@"', "-"])

    summary = json.loads(process.communicate(timeout=30)[0])
    assert summary["unanswered"] == {}
    assert summary["sent"] == summary["answered"] == 36
    assert sum(summary["not_sent"].values()) == 114


def test_run_gives_up_after_the_timeout(simulate: Simulate, target: ScoringServer) -> None:
    """A dead target holds nothing: the run ends, and its waiting counts in the latency."""
    target.before_answer = lambda number: time.sleep(8)
    begin = time.monotonic()

    code, summary = simulate("--rate", 50, "--count", 20, "--timeout", 0.4, "--faulty", 0)

    assert time.monotonic() - begin < 6
    assert summary["unanswered"] == {"timeout": 20}
    assert 0.39 < summary["latency_seconds"]["p50"] < 1
    assert code == 1


def test_run_lists_lost_connections_apart(simulate: Simulate, target: ScoringServer) -> None:
    """What a killed worker never answered is not mixed with anything else, nor sent again."""
    target.before_answer = lambda number: 0 if number % 10 == 0 else None

    code, summary = simulate("--rate", 200, "--count", 100, "--seed", 2, "--faulty", 0)

    assert summary["unanswered"] == {"connection_lost": 10}
    assert summary["answered"] == 90
    assert len(target.received) == 100
    assert summary["unexpected"] == [
        {"kind": "valid", "expected": 200, "got": "connection_lost", "count": 10}
    ]
    assert summary["failed_share"] == 0.1 and code == 0


def test_run_counts_unexpected_statuses(simulate: Simulate, target: ScoringServer) -> None:
    """A service that takes what it should refuse, or fails where it should answer."""
    target.before_answer = lambda number: 500 if number <= 30 else None
    target.largest_body = 10**9

    code, summary = simulate("--rate", 200, "--count", 100, "--seed", 2, "--faulty", 0.3)

    got = {(row["kind"], row["got"]): row["count"] for row in summary["unexpected"]}
    assert summary["by_status"]["500"] == 30
    assert sum(n for (_, status), n in got.items() if status == "500") == 30
    assert got["too_large", "200"] > 0
    assert code == 3


def test_run_notices_answers_without_a_prediction(
    simulate: Simulate, target: ScoringServer
) -> None:
    """A proxy's friendly page is no prediction."""
    target.before_answer = lambda number: 200

    code, summary = simulate("--rate", 200, "--count", 20, "--faulty", 0)

    assert summary["unexpected"][0]["got"] == "200 without a prediction"
    assert summary["predictions"]["total"] == 0 and summary["fraud_share"] is None
    assert code == 3


def test_run_does_not_follow_redirects(simulate: Simulate, target: ScoringServer) -> None:
    """They would turn a POST into a GET, and the count of requests into a guess."""
    target.before_answer = lambda number: 301

    code, summary = simulate("--rate", 200, "--count", 20, "--faulty", 0)

    assert summary["by_status"] == {"301": 20}
    assert code == 3


def test_run_share_that_may_fail_is_a_setting(simulate: Simulate, target: ScoringServer) -> None:
    """The same run is fine for whoever allows it."""
    target.before_answer = lambda number: 503 if number % 4 == 0 else None

    strict, _ = simulate("--rate", 200, "--count", 80, "--faulty", 0)
    lenient, _ = simulate("--rate", 200, "--count", 80, "--faulty", 0, "--max-failed", 0.3)

    assert (strict, lenient) == (3, 0)


def test_run_sends_the_token_of_the_environment(
    simulate: Simulate, target: ScoringServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never on the command line, where others on the machine can read it."""
    monkeypatch.setenv("ACCESS_TOKEN", "a-token")

    simulate("--rate", 100, "--count", 5)

    assert target.authorizations == {"Bearer a-token"}


def test_run_takes_its_target_from_the_environment(
    target: ScoringServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a schedule sets it."""
    monkeypatch.setenv("SIMULATOR_TARGET", target.url + "/")

    assert main(["--rate", "100", "--count", "5", "--json", "--quiet"]) == 0
    assert json.loads(capsys.readouterr().out)["target"] == target.url


def test_run_goes_on_while_the_target_is_away(simulate: Simulate, target: ScoringServer) -> None:
    """Whoever watches an outage wants the traffic to go on."""

    def close() -> None:
        target.before_answer = lambda number: 0
        target.shutdown()
        target.socket.close()

    closing = threading.Timer(0.5, close)
    closing.start()

    code, summary = simulate("--rate", 100, "--duration", 1.2, "--faulty", 0, "--timeout", 2)

    closing.join()
    assert summary["answered"] > 20
    assert summary["unanswered"]["not_connected"] > 20
    assert code == 3


def test_simulator_imports_nothing_of_the_service() -> None:
    """It is an outsider: HTTP is all it shares."""
    program = (
        "import sys, simulator.main\n"
        "own = {'handler', 'service', 'telemetry', 'model', 'stack', 'prometheus', 'grafana'}\n"
        "print(sorted(own & {name.partition('.')[0] for name in sys.modules}))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_summary_that_finds_no_room_does_not_take_the_result_away(
    target: ScoringServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is the run's, not that of a target that was not reached."""
    arguments = ["--url", target.url, "--rate", "100", "--count", "2", "--json", "--quiet"]
    assert main([*arguments, "--summary", "/dev/full"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["sent"] == 2
    assert "the summary cannot be written to /dev/full: No space left" in said.err
