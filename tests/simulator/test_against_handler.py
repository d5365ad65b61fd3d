"""Whole runs against the real application: what the simulator tells is what the service counted.

Its model is conftest's: the fraud probability is `location_risk`, so nobody here knows its process
and labels are drawn with the answers.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from itertools import pairwise

import pytest
from werkzeug.serving import make_server

from service.settings import read_settings
from simulator.main import main

SMALL = {"MAX_BATCH": "20", "MAX_BODY_BYTES": "4096"}
FRAUDS = ("fraud", "legitimate")


@pytest.fixture
def settings(request):
    """Small limits, so that a batch of labels meets both; X-Fault as the test says."""
    return read_settings({**SMALL, "FAULT_HEADERS": getattr(request, "param", "off")})


@pytest.fixture
def before():
    """before[path]: what happens to a request on it first, for a test to fill in."""
    return {}


@pytest.fixture
def url(app, before):
    """The application on a free port of loopback."""
    inner = app.wsgi_app

    def outer(environ, start_response):
        act = before.get(environ["PATH_INFO"])
        refusal = act() if act else None
        if refusal is None:
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
def simulate(url, capsys: pytest.CaptureFixture[str]):
    """Runs the simulator: its exit code and its JSON."""

    def run(arguments):
        words = f"--url {url} --rate 60 --seed 3 --large-body 6000 --json --quiet {arguments}"
        code = main(words.split())
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def outcomes(counted):
    """What the service has counted, by predicted class and truth."""

    def read():
        counts = {
            (predicted, truth): int(
                counted("outcomes_total", class_name=predicted, truth=truth, role="champion")
            )
            for predicted in FRAUDS
            for truth in FRAUDS
        }
        return +Counter(counts)

    return read


def told_outcomes(told):
    return Counter({(o["predicted"], o["truth"]): o["count"] for o in told["labels"]["outcomes"]})


def test_labels_are_counted_as_they_were_told(simulate, outcomes, counted) -> None:
    """Every valid answer once, exactly; batches shrink to what the service takes."""
    code, told = simulate("--count 200 --faulty 0.1 --labels-after 0.5")

    assert code == 0 and told["by_kind"]["valid"] == told["labels"]["known"] == 180
    assert told["labels"]["by_result"] == {"counted": 180}
    assert outcomes() == told_outcomes(told)
    assert counted("feedback_total", result="counted") == 180
    assert told["labels"]["from_answers"] == 180 and not told["known_process"]


def test_concept_breaks_the_relation_and_keeps_the_rate(simulate, outcomes) -> None:
    """Half of all is fraud as before, but the model finds far fewer of them."""
    _, steady = simulate("--count 300 --faulty 0 --labels-after 0.2")
    before = outcomes()
    _, concept = simulate("--count 300 --faulty 0 --labels-after 0.2 --scenario concept")

    assert outcomes() - before == told_outcomes(concept)
    assert steady["labels"]["recall"] > 0.68
    assert concept["labels"]["recall"] < 0.66


def test_labels_of_a_share(simulate) -> None:
    """The others are never told."""
    _, told = simulate("--count 200 --faulty 0 --labels-after 0.2 --labels 0.25")

    assert 30 <= told["labels"]["known"] <= 70
    assert told["labels"]["by_result"] == {"counted": told["labels"]["known"]}


def test_late_labels_come_when_it_is_over(simulate, before) -> None:
    """None arrives while it lasts."""
    start, moments = time.monotonic(), []
    before["/feedback"] = lambda: moments.append(time.monotonic() - start)

    arguments = "--duration 4 --labels-after 0.2 --scenario late-labels --scenario-after 1"
    code, told = simulate(f"--faulty 0 {arguments} --scenario-for 2")

    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert max(gaps) > 1.5
    assert code == 0 and told["labels"]["by_result"] == {"counted": told["sent"]}


def test_slow_feedback_delays_no_request(simulate, before) -> None:
    """Labels go one batch at a time beside the traffic, which never waits for them."""
    before["/feedback"] = lambda: time.sleep(1.5)

    code, told = simulate("--count 120 --faulty 0 --labels-after 0")

    assert told["sent"] == told["answered"] == 120 and told["not_sent"] == {}
    assert told["duration_seconds"] < 6
    assert code == 0 and told["labels"]["by_result"] == {"counted": 120}


def test_feedback_that_is_away_for_a_while_gets_its_labels(simulate, before, outcomes) -> None:
    """Sent again until they are taken."""
    refusals = ["503 Away", "502 Away"]
    before["/feedback"] = lambda: refusals.pop() if refusals else None

    code, told = simulate("--count 60 --faulty 0 --labels-after 0")

    assert code == 0 and told["labels"]["failed_posts"].keys() >= {"502", "503"}
    assert sum(outcomes().values()) == 60


def test_service_without_feedback_is_no_success(simulate, before) -> None:
    """Predictions were fine, labels were not: code 3, and the reason is told."""
    before["/feedback"] = lambda: "404 Not Found"

    code, told = simulate("--count 40 --faulty 0 --labels-after 0")

    assert code == 3 and told["failed_share"] == 0
    assert told["labels"]["by_result"] == {"refused": 40}
    assert told["labels"]["failed_posts"].keys() == {"404"}


@pytest.mark.parametrize("settings", ["on"], indirect=True)
def test_slow_and_errors_happen_for_real(simulate, counted) -> None:
    """Where the service obeys."""
    slow, told_slow = simulate("--count 60 --faulty 0 --scenario slow")
    errors, told_errors = simulate("--count 60 --faulty 0 --scenario errors")

    assert (slow, errors) == (0, 0)
    assert told_slow["latency_seconds"]["max"] >= 0.4
    assert (
        counted("http_request_duration_seconds_sum", endpoint="/predict")
        >= 0.4 * (told_slow["by_kind"]["asked_slow"])
    )
    assert told_errors["by_status"]["500"] == told_errors["by_kind"]["asked_error"] > 5
    assert counted("errors_total", type="internal") == told_errors["by_kind"]["asked_error"]


@pytest.mark.parametrize("scenario", ["slow", "errors"])
def test_service_that_does_not_obey_is_told(
    url, capsys: pytest.CaptureFixture[str], scenario
) -> None:
    """Plainly, and by the exit code, also where few requests are concerned."""
    words = f"--url {url} --rate 60 --seed 3 --count 90 --faulty 0 --quiet"
    late = "--scenario-after 1.2"

    code = main(f"{words} --scenario {scenario} {late}".split())

    assert code == 3
    text = capsys.readouterr().out
    assert "requests to misbehave were ignored: start the service with FAULT_HEADERS=on" in text


def test_bad_data_is_refused_and_counted(simulate, counted) -> None:
    """In few fields, with the statuses that they should have."""
    code, told = simulate("--count 200 --faulty 0 --scenario bad-data")

    bad = told["sent"] - told["by_kind"]["valid"]
    assert code == 0 and bad == 60 == told["by_status"]["400"]
    assert sum(
        counted("data_quality_total", feature=name) for name in ("amount", "location_risk")
    ) == pytest.approx(60)


def test_fraud_burst_comes_from_what_the_model_scores_high(simulate, counted) -> None:
    """500 transactions are asked first; every tenth request then is one of the 20 highest."""
    code, told = simulate("--count 200 --faulty 0 --scenario fraud-burst")

    assert code == 0
    assert counted("predictions_total", endpoint="/predict") == 700
    assert told["predictions"]["by_risk_level"]["high"] > 20


def test_drift_is_seen_in_the_counted_bins(simulate, counted) -> None:
    """The most important feature leaves its baseline."""
    simulate("--count 300 --faulty 0 --scenario drift")
    exposed = {
        n: counted("feature_values_total", feature="amount", bin=f"{n:02}") for n in range(1, 11)
    }

    assert sum(exposed.values()) == 300
    assert sum(exposed[n] for n in range(6, 11)) > 200


def test_outage_pauses_the_traffic(simulate) -> None:
    """About a third of the time nothing is sent."""
    code, told = simulate(
        "--duration 3 --faulty 0 --scenario outage --scenario-after 1 --scenario-for 1"
    )

    assert code == 0 and 80 < told["sent"] < 160
    assert told["duration_seconds"] > 2.5


def test_replay_tells_the_truth_of_the_file(simulate, outcomes, tmp_path: Path) -> None:
    """Rows, truth and outcomes agree; a row that the service refuses is told."""
    rows = [f"{30 + n},100,{n},2,{n / 50},{n % 2}" for n in range(50)]
    head = "age,amount,account_balance,transaction_frequency,location_risk,fraud"
    file = tmp_path / "rows.csv"
    file.write_text("\n".join([head, *rows, "17,100,1,2,0.9,1"]))

    code, told = simulate(f"--replay {file} --target fraud")

    expected = Counter(
        ("fraud" if n / 50 >= 0.5 else "legitimate", "fraud" if n % 2 else "legitimate")
        for n in range(50)
    )
    assert code == 0 and told["sent"] == 51 and told["replayed"] == str(file)
    assert outcomes() == told_outcomes(told) == expected
    assert told["unexpected"] == [{"kind": "valid", "expected": 200, "got": "400", "count": 1}]


def test_replay_of_a_table_with_a_fault_sends_nothing(
    url, capsys: pytest.CaptureFixture[str], tmp_path: Path, counted
) -> None:
    """One sentence, code 1."""
    file = tmp_path / "rows.csv"
    file.write_text("age,amount\n3,4\n")

    assert main(f"--url {url} --replay {file}".split()) == 1
    assert "has no column 'account_balance'" in capsys.readouterr().err
    assert counted("predictions_total") == 0
