"""Whole runs against the real application: the simulator's summary is what the service counted.

Its model is conftest's: the fraud probability is `location_risk`, so nobody here knows its process
and labels are drawn with the answers.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.wsgi import LimitedStream

from service.settings import Settings, read_settings
from simulator.main import main
from tests.simulator.runs import Simulate, Summary

SMALL = {"MAX_BATCH": "20", "MAX_BODY_BYTES": "4096"}
CLASS_NAMES = ("fraud", "legitimate")

Outcome = tuple[str, str]
ReadOutcomes = Callable[[], Counter[Outcome]]
Before = dict[str, Callable[[], str | None]]


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """Small limits, so that a batch of labels meets both; what else the test says."""
    return read_settings({**SMALL, **getattr(request, "param", {})})


@pytest.fixture
def before() -> Before:
    """before[path]: what happens to a request on it first, for a test to fill in."""
    return {}


@pytest.fixture
def url(app: Flask, before: Before) -> Iterator[str]:
    """The application on a free port of loopback."""
    inner = app.wsgi_app

    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        act = before.get(environ["PATH_INFO"])
        refusal = act() if act else None
        if refusal is None:
            # As gunicorn does: a body that is read to its end must have one.
            length = int(environ.get("CONTENT_LENGTH") or 0)
            environ["wsgi.input"] = LimitedStream(environ["wsgi.input"], length)
            return inner(environ, start_response)
        start_response(refusal, [("Content-Length", "0")])
        return [b""]

    server = make_server("127.0.0.1", 0, outer, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def simulate(url: str, capsys: pytest.CaptureFixture[str]) -> Simulate:
    """Runs the simulator: its exit code and its JSON."""

    def run(*arguments: object) -> tuple[int, Summary]:
        words = f"--url {url} --rate 60 --seed 3 --large-body 6000 --json --quiet"
        code = main([*words.split(), *" ".join(map(str, arguments)).split()])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def outcomes(counted: Callable[..., float]) -> ReadOutcomes:
    """What the service has counted, by predicted class and truth."""

    def read() -> Counter[Outcome]:
        counts = {
            (predicted, truth): int(
                counted("outcomes_total", class_name=predicted, truth=truth, role="champion")
            )
            for predicted in CLASS_NAMES
            for truth in CLASS_NAMES
        }
        return +Counter(counts)

    return read


def summed_outcomes(summary: Summary) -> Counter[Outcome]:
    """What the summary says, by predicted and true class."""
    return Counter(
        {(o["predicted"], o["truth"]): o["count"] for o in summary["labels"]["outcomes"]}
    )


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


def test_labels_of_a_share(simulate: Simulate) -> None:
    """The others get none."""
    _, summary = simulate("--count 200 --faulty 0 --labels-after 0.2 --labels 0.25")

    assert 30 <= summary["labels"]["known"] <= 70
    assert summary["labels"]["by_result"] == {"counted": summary["labels"]["known"]}


def test_late_labels_come_when_it_is_over(simulate: Simulate, before: Before) -> None:
    """None arrives while it lasts."""
    start, moments = time.monotonic(), []
    before["/feedback"] = lambda: moments.append(time.monotonic() - start)

    arguments = "--duration 4 --labels-after 0.2 --scenario late-labels --scenario-after 1"
    code, summary = simulate(f"--faulty 0 {arguments} --scenario-for 2")

    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert max(gaps) > 1.5
    assert code == 0 and summary["labels"]["by_result"] == {"counted": summary["sent"]}


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


def test_replay_sends_the_labels_of_the_file(
    simulate: Simulate, outcomes: ReadOutcomes, tmp_path: Path
) -> None:
    """Rows, labels and outcomes agree; a row that the service refuses is counted."""
    rows = [f"{30 + n},100,{n},2,{n / 50},{n % 2}" for n in range(50)]
    head = "age,amount,account_balance,transaction_frequency,location_risk,fraud"
    file = tmp_path / "rows.csv"
    file.write_text("\n".join([head, *rows, "17,100,1,2,0.9,1"]))

    code, summary = simulate(f"--replay {file} --target fraud")

    expected = Counter(
        ("fraud" if n / 50 >= 0.5 else "legitimate", "fraud" if n % 2 else "legitimate")
        for n in range(50)
    )
    assert code == 0 and summary["sent"] == 51 and summary["replayed"] == str(file)
    assert outcomes() == summed_outcomes(summary) == expected
    assert summary["unexpected"] == [{"kind": "valid", "expected": 200, "got": "400", "count": 1}]


@pytest.mark.parametrize("settings", [{"MAX_BODY_BYTES": "1024"}], indirect=True)
def test_fraud_burst_of_a_service_that_takes_small_bodies(
    simulate: Simulate, counted: Callable[..., float]
) -> None:
    """20 transactions have too many bytes, as with hundreds of features: they go in parts."""
    _, summary = simulate("--count 60 --faulty 0 --scenario fraud-burst")

    assert summary["by_status"] == {"200": 60}
    assert counted("predictions_total", endpoint="/predict") == 560
    assert counted("errors_total", type="too_large") > 0


@pytest.mark.parametrize("number", [2**63, 2**64, 10**30, 10**300])
def test_replay_of_integers_beyond_64_bits(
    simulate: Simulate, tmp_path: Path, counted: Callable[..., float], number: int
) -> None:
    """Sent digit by digit; the service refuses them as out of range, and nothing breaks."""
    file = tmp_path / "rows.csv"
    head = "age,amount,account_balance,transaction_frequency,location_risk"
    file.write_text(f"{head}\n{number},1,1,2,0.2\n30,1,1,{number},0.2\n30,{number},1,2,0.2\n")

    code, summary = simulate(f"--replay {file}")

    assert code == 3 and summary["by_status"] == {"400": 3}
    assert summary["error_types"] == {"out_of_range": 3}


def test_replay_of_a_table_with_a_fault_sends_nothing(
    url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, counted: Callable[..., float]
) -> None:
    """One sentence, code 1."""
    file = tmp_path / "rows.csv"
    file.write_text("age,amount\n3,4\n")

    assert main(f"--url {url} --replay {file}".split()) == 1
    assert "has no column 'account_balance'" in capsys.readouterr().err
    assert counted("predictions_total") == 0
