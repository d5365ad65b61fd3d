"""Whole runs against a real service: what is counted, told, and with which code they end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from simulator.main import main
from simulator.target.model_info_parser import parse_model_info
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.request_plan import plan_requests

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch):
    for name in ("SIMULATOR_TARGET", "ACCESS_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def simulate(target: ScoringServer, capsys: pytest.CaptureFixture[str]):
    """Runs the simulator in this process; its exit code and its JSON summary."""

    def run(*arguments):
        code = main(["--url", target.url, "--json", "--quiet", *map(str, arguments)])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def started(target: ScoringServer):
    """Starts the simulator as a program of its own."""
    running = []

    def start(*arguments, url=target.url, before=(), **environ):
        command = [
            *before,
            sys.executable,
            "-m",
            "simulator",
            "--url",
            url,
            *map(str, arguments),
        ]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        synthetic_process.kill()
        synthetic_process.communicate()


def unused_port():
    """A port on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def test_run_counts_what_the_target_received(simulate, target: ScoringServer) -> None:
    """Every number of the summary agrees with the other side, and with each other."""
    code, told = simulate("--rate", 60, "--count", 300, "--seed", 7, "--faulty", 0.1)

    assert code == 0 and told["exit_code"] == 0
    assert told["sent"] == told["answered"] == len(target.received) == 300
    assert told["by_kind"]["valid"] == 270
    assert told["by_status"] == {"200": 270, "400": 25, "413": 5}
    assert told["predictions"]["total"] == 270
    assert sum(told["error_types"].values()) == 30
    assert told["unanswered"] == told["not_sent"] == {}
    assert told["unexpected"] == []
    fraud = told["predictions"]["by_class"]["fraud"]
    assert told["fraud_share"] == fraud / 270
    labels = Counter()
    for row in told["predictions"]["by_labels"]:
        labels[row["user_type"]] += row["count"]
    assert labels == told["predictions"]["by_user_type"]


def test_run_sends_the_plan_byte_by_byte(simulate, target: ScoringServer) -> None:
    """What arrives is what the seed says, whatever the target answers."""
    target.before_answer = lambda number: 503 if number % 3 == 0 else None

    simulate("--rate", 300, "--count", 120, "--seed", 11, "--faulty", 0.1, "--large-body", 70000)

    info = parse_model_info(target.model_info)
    planned = plan_requests(info, 11, LoadProfile(300, 120), InvalidShare(0.1, 70_000))
    assert Counter(target.received) == Counter(r.body + b" " * r.padding for r in planned)


def test_run_keeps_the_pace_of_its_arrivals_against_a_stall(
    simulate, target: ScoringServer
) -> None:
    """A target that stops for a second does not slow the arrivals, and every request that fell
    into the stall counts from when it was due: at 100/s about 100 of them waited, evenly spread
    up to a second. A closed loop of one connection would have seen a single slow request."""
    stalled_until = []

    def stall(number):
        if number == 50:
            stalled_until.append(time.monotonic() + 1)
        if stalled_until:
            time.sleep(max(0.0, stalled_until[0] - time.monotonic()))

    target.before_answer = stall

    code, told = simulate("--rate", 100, "--count", 300, "--seed", 1, "--faulty", 0)

    assert code == 0
    assert told["duration_seconds"] == pytest.approx(3, abs=2)
    assert told["answered"] == 300
    assert 0.6 < told["latency_seconds"]["p95"] < 2.5
    assert told["latency_seconds"]["p95"] > 3 * told["latency_seconds"]["p50"]


def test_run_never_delays_silently_when_too_many_are_under_way(
    simulate, target: ScoringServer
) -> None:
    """Beyond the bound a request is counted as not sent."""
    target.before_answer = lambda number: time.sleep(1.5)

    code, told = simulate("--rate", 100, "--count", 100, "--max-in-flight", 10, "--seed", 1)

    assert told["due"] == 100
    assert told["sent"] + told["not_sent"]["too_many_in_flight"] == 100
    assert len(target.received) == told["sent"] == told["answered"]
    assert 10 <= told["sent"] <= 20
    assert code == 3


def test_run_does_not_blame_the_target_for_this_machines_limit(
    started, target: ScoringServer
) -> None:
    """Where the system allows few open files, fewer requests are under way at once."""
    target.before_answer = lambda number: time.sleep(3)
    arguments = ("--rate", 400, "--count", 150, "--faulty", 0, "--json", "--seed", 1)

    process = started(*arguments, before=["bash", "-c", 'ulimit -n 100; exec "$@"', "-"])

    told = json.loads(synthetic_process.communicate(timeout=30)[0])
    assert told["unanswered"] == {}
    assert told["sent"] == told["answered"] == 36
    assert sum(told["not_sent"].values()) == 114


def test_run_gives_up_after_the_timeout(simulate, target: ScoringServer) -> None:
    """A dead target holds nothing: the run ends, and its waiting counts in the latency."""
    target.before_answer = lambda number: time.sleep(8)
    start = time.monotonic()

    code, told = simulate("--rate", 50, "--count", 20, "--timeout", 0.4, "--faulty", 0)

    assert time.monotonic() - start < 6
    assert told["unanswered"] == {"timeout": 20}
    assert 0.39 < told["latency_seconds"]["p50"] < 1
    assert code == 1


def test_run_lists_lost_connections_apart(simulate, target: ScoringServer) -> None:
    """What a killed worker never answered is not mixed with anything else, nor sent again."""
    target.before_answer = lambda number: 0 if number % 10 == 0 else None

    code, told = simulate("--rate", 200, "--count", 100, "--seed", 2, "--faulty", 0)

    assert told["unanswered"] == {"connection_lost": 10}
    assert told["answered"] == 90
    assert len(target.received) == 100
    assert told["unexpected"] == [
        {"kind": "valid", "expected": 200, "got": "connection_lost", "count": 10}
    ]
    assert told["failed_share"] == 0.1 and code == 0


def test_run_tells_statuses_that_should_not_be(simulate, target: ScoringServer) -> None:
    """A service that takes what it should refuse, or fails where it should answer."""
    target.before_answer = lambda number: 500 if number <= 30 else None
    target.largest_body = 10**9

    code, told = simulate("--rate", 200, "--count", 100, "--seed", 2, "--faulty", 0.3)

    got = {(row["kind"], row["got"]): row["count"] for row in told["unexpected"]}
    assert told["by_status"]["500"] == 30
    assert sum(n for (_, status), n in got.items() if status == "500") == 30
    assert got["too_large", "200"] > 0
    assert code == 3


def test_run_notices_answers_without_a_prediction(simulate, target: ScoringServer) -> None:
    """A proxy's friendly page is no prediction."""
    target.before_answer = lambda number: 200

    code, told = simulate("--rate", 200, "--count", 20, "--faulty", 0)

    assert told["unexpected"][0]["got"] == "200 without a prediction"
    assert told["predictions"]["total"] == 0 and told["fraud_share"] is None
    assert code == 3


def test_run_does_not_follow_redirects(simulate, target: ScoringServer) -> None:
    """They would turn a POST into a GET, and the count of requests into a guess."""
    target.before_answer = lambda number: 301

    code, told = simulate("--rate", 200, "--count", 20, "--faulty", 0)

    assert told["by_status"] == {"301": 20}
    assert code == 3


def test_run_share_that_may_fail_is_a_setting(simulate, target: ScoringServer) -> None:
    """The same run is fine for whoever allows it."""
    target.before_answer = lambda number: 503 if number % 4 == 0 else None

    strict, _ = simulate("--rate", 200, "--count", 80, "--faulty", 0)
    lenient, _ = simulate("--rate", 200, "--count", 80, "--faulty", 0, "--max-failed", 0.3)

    assert (strict, lenient) == (3, 0)


def test_run_sends_the_token_of_the_environment(
    simulate, target: ScoringServer, monkeypatch: pytest.MonkeyPatch
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


@pytest.mark.parametrize(
    ("status", "document", "sentence"),
    [
        pytest.param(404, {}, "answered 404, so it is no scoring service", id="other service"),
        pytest.param(401, {}, "asks for a token: set ACCESS_TOKEN", id="token"),
        pytest.param(308, {}, "redirects to /elsewhere: give that address", id="redirect"),
        pytest.param(503, {}, "answered 503", id="unavailable"),
        pytest.param(200, b"<html>", "did not answer with JSON", id="page"),
        pytest.param(200, {"features": 5}, "features must be a list", id="foreign JSON"),
    ],
)
def test_run_target_that_is_no_scoring_service(
    target: ScoringServer, capsys: pytest.CaptureFixture[str], status, document, sentence
) -> None:
    """One sentence, exit code 1, and nothing was sent."""
    target.model_info_status, target.model_info = status, document

    assert main(["--url", target.url, "--count", "3", "--rate", "100"]) == 1
    assert sentence in capsys.readouterr().err
    assert target.received == []


def test_run_target_that_is_down(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Fails loudly, and in the summary that a schedule shows."""
    url, file = f"http://127.0.0.1:{unused_port()}", tmp_path / "summary.md"

    assert main(["--url", url, "--count", "3", "--summary", str(file)]) == 1
    assert f"{url}/model_info cannot be reached: Connection refused\n" in capsys.readouterr().err
    assert "Not reached" in file.read_text()


def test_run_waits_for_a_target_that_starts_later(started, target: ScoringServer) -> None:
    """As in a stack whose parts start together."""
    document, target.model_info = target.model_info, {}
    target.model_info_status = 503
    process = started("--rate", 100, "--count", 10, "--wait-for-target", 30, "--json", "--seed", 1)
    line = synthetic_process.stderr.readline()

    target.model_info, target.model_info_status = document, 200

    assert line.startswith("waiting for the target, ")
    out, _ = synthetic_process.communicate(timeout=30)
    assert json.loads(out)["answered"] == 10 and synthetic_process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_run_ends_at_once_on_a_signal_and_tells_its_summary(
    started, target: ScoringServer, wait_until, number
) -> None:
    """Also with requests under way; they are told apart and are no failures."""
    target.before_answer = lambda n: time.sleep(8) if n > 20 else None
    process = started("--rate", 50, "--json", "--faulty", 0)
    wait_until(lambda: len(target.received) > 30)

    synthetic_process.send_signal(number)
    start = time.monotonic()
    out, _ = synthetic_process.communicate(timeout=30)

    told = json.loads(out)
    assert time.monotonic() - start < 5
    assert synthetic_process.returncode == 0 and told["interrupted"]
    assert told["sent"] == told["answered"] + told["unanswered"]["interrupted"]
    assert told["unanswered"]["interrupted"] >= 10
    assert told["failed_share"] == 0


def test_run_ends_at_once_while_it_waits_for_its_target(started) -> None:
    """A signal is heard before anything was sent too."""
    process = started("--wait-for-target", 60, url=f"http://127.0.0.1:{unused_port()}")
    synthetic_process.stderr.readline()

    synthetic_process.send_signal(signal.SIGTERM)

    _, errors = synthetic_process.communicate(timeout=10)
    assert synthetic_process.returncode == 1
    assert " was reached" in errors
    assert "Traceback" not in errors


def test_run_goes_on_while_the_target_is_away(simulate, target: ScoringServer) -> None:
    """Whoever watches an outage wants the traffic to go on."""

    def close():
        target.before_answer = lambda number: 0
        target.shutdown()
        target.socket.close()

    closing = threading.Timer(0.5, close)
    closing.start()

    code, told = simulate("--rate", 100, "--duration", 1.2, "--faulty", 0, "--timeout", 2)

    closing.join()
    assert told["answered"] > 20
    assert told["unanswered"]["not_connected"] > 20
    assert code == 3


def test_run_tells_a_table_and_markdown(
    target: ScoringServer, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """For people, and for the page of a schedule; Markdown is appended."""
    file = tmp_path / "summary.md"
    file.write_text("before\n")

    main(f"--url {target.url} --rate 100 --count 50 --seed 5 --summary {file}".split())

    table, markdown = capsys.readouterr().out, file.read_text()
    for text in (table, markdown):
        assert "50 in " in text and "200 49" in text and "p99" in text and "seed" in text
        assert "% of 49 predictions" in text
    assert markdown.startswith("before\n## Simulator against http://127.0.0.1")


def test_simulator_imports_nothing_of_the_service() -> None:
    """It is an outsider: HTTP is all it shares."""
    program = (
        "import sys, simulator.main\n"
        "own = {'handler', 'settings', 'errors', 'receipts', 'telemetry', 'model', 'stack'}\n"
        "print(sorted(own & {name.partition('.')[0] for name in sys.modules}))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"
