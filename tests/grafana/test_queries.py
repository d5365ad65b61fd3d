"""Every query of every panel, asked of a real Prometheus, against what the requests say.

The series are fed with the times of a service that has pushed every 15 s until now.
"""

from __future__ import annotations

import math
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from grafana import __main__ as cli
from grafana.cloud.budget import measure
from grafana.cloud.verify import DEFAULTS, Finding, choices, verify
from grafana.panels import dashboards
from grafana.promql import EVERYTHING, fill_in
from grafana.render.board import render
from grafana.render.variables import WINDOWS
from prometheus.client.http import Client
from prometheus.client.query import Prometheus, Sample
from telemetry.metrics import EUROS, REQUEST_SECONDS
from tests.grafana.conftest import METRICS_ID, POLICY_TOKEN
from tests.grafana.server import guarded_prometheus, program, prometheus
from tests.grafana.service import PUSH_SECONDS, Request, Service, Worker, tally, traffic

pytestmark = pytest.mark.stack

DASHBOARDS = dashboards()
DASHBOARD = DASHBOARDS["overview"]
QUERIES = [query for panel in DASHBOARD.panels for query in panel.queries]
# Where no rule has run and no label came, these have something to show.
ALWAYS = {query.legend for query in QUERIES if not query.empty}
OLD, NEW = "1-0a1b2c3d", "2-4e5f6a7b"
WORKERS = (
    Worker("shop-0", OLD, {"queue_size": 3, "system_cpu_usage_percent": 70, "model_recall": 0.6}),
    Worker("shop-1", NEW, {"queue_size": 4, "system_cpu_usage_percent": 20, "model_recall": 0.9}),
)
MINUTES = 10


def now() -> float:
    return float(int(time.time()))


def figures(findings: list[Finding]) -> dict[str, float]:
    """Values by legend, for the queries that give one."""
    return {f.query.legend: f.samples[0].value for f in findings if len(f.samples) == 1}


def faults(findings: list[Finding]) -> dict[str, str]:
    """What is empty or NaN, by legend."""
    return {f.query.legend: f.fault for f in findings if f.fault}


class Running:
    """A service of two workers with different models, ten minutes of traffic behind it."""

    def __init__(self, client: Client, service: Service, end: float) -> None:
        self.address = client.address
        self.store = Prometheus(client)
        self.service = service
        self.end = end
        self.start = end - MINUTES * 60
        self.requests = traffic(seed=4, start=self.start, end=end, rate=5, workers=len(WORKERS))
        service.push(self.start)
        for tick in range(1, MINUTES * 60 // PUSH_SECONDS + 1):
            until = self.start + tick * PUSH_SECONDS
            service.count(r for r in self.requests if until - PUSH_SECONDS < r.at <= until)
            service.push(until)

    def ask(self, **chosen: str) -> dict[str, float]:
        findings = verify(DASHBOARD, self.store, self.end, **chosen)
        assert faults(findings) == {}
        return figures(findings)

    def within(self, seconds: float, worker: int | None = None) -> list[Request]:
        """Requests between the oldest and the newest push of a window."""
        since = self.end - seconds + PUSH_SECONDS
        return [
            one
            for one in self.requests
            if since < one.at <= self.end and worker in (None, one.worker)
        ]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service with ten minutes of traffic, in a Prometheus of its own."""
    with prometheus(tmp_path_factory.mktemp("prometheus")) as client:
        service = Service(client, WORKERS, already=1000)
        yield Running(client, service, now())


def run_for_a_minute(client: Client, seed: int, end: float) -> None:
    """A service of four workers that began 60 s before `end`, asked 0.3 times a second."""
    start = end - 60
    service = Service(client, [Worker(f"shop-{n}", OLD) for n in range(4)])
    requests = traffic(seed, start, end, rate=0.3, workers=4)
    service.push(start)
    for until in range(int(start) + PUSH_SECONDS, int(end) + 1, PUSH_SECONDS):
        service.count(r for r in requests if until - PUSH_SECONDS < r.at <= until)
        service.push(until)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Client]:
    """A Prometheus with nothing in it."""
    with prometheus(tmp_path) as client:
        yield client


def test_queries_parse_as_rules(tmp_path: Path) -> None:
    """promtool accepts each query, with its variables filled in."""
    values = {**DEFAULTS, "feature": "amount"}
    queries = [q for d in DASHBOARDS.values() for panel in d.panels for q in panel.queries]
    rules = [
        {"record": f"query:{number}", "expr": fill_in(query.expression, values)}
        for number, query in enumerate(queries)
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    checked = subprocess.run(
        [program("promtool"), "check", "rules", path], capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    assert f"{len(rules)} rules found" in checked.stdout


@pytest.mark.parametrize("window", WINDOWS.values())
def test_no_query_is_empty_or_nan(running: Running, window: str) -> None:
    """With each window that the reader can choose; by value there are many."""
    assert set(running.ask(window=window)) >= ALWAYS - {"{{le}}", "{{version}}"}


def test_predictions_per_second(running: Running) -> None:
    """Transactions scored between the oldest and newest push of the minute, by their distance."""
    scored = tally(running.within(60), 0, running.end)["scored"]

    assert running.ask()["predictions"] == pytest.approx(scored / 45, rel=1e-9)


def test_fraud_detection_rate(running: Running) -> None:
    """Frauds in a hundred scored transactions."""
    found = tally(running.within(300), 0, running.end)

    share = 100 * found["fraud"] / found["scored"]
    assert running.ask(window="5m")["called fraud"] == pytest.approx(share, rel=1e-9)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_response_times(running: Running, share: float) -> None:
    """The quantile lies in the bucket that holds the true one."""
    asked = sorted(one.seconds for one in running.within(300) if one.endpoint == "/predict")
    true = asked[math.ceil(share * len(asked)) - 1]
    upper = next(bound for bound in REQUEST_SECONDS if true <= bound)
    lower = max((bound for bound in REQUEST_SECONDS if bound < true), default=0.0)

    assert lower <= running.ask(window="5m")[f"P{share * 100:.0f}"] <= upper


def test_model_quality_is_the_lowest_of_the_selected(running: Running) -> None:
    """While two versions serve, the worse one shows; chosen alone, each shows its own."""
    assert running.ask()["recall (card)"] == 0.6
    assert running.ask(version=NEW)["recall (card)"] == 0.9
    assert running.ask()["accuracy (card)"] == 0.98


def test_system_resources_are_those_of_the_fullest(running: Running) -> None:
    """Not the mean, in which one full container would vanish, nor the sum."""
    shown = running.ask()

    assert (shown["CPU"], shown["memory"], shown["disk"]) == (70, 40, 55)


def test_transaction_values(running: Running) -> None:
    """Share of the transactions up to each bound; Grafana shows the differences."""
    findings = verify(DASHBOARD, running.store, running.end)
    (bars,) = [f for f in findings if f.panel.startswith("Transaction Values")]
    values = [one.euros for one in running.requests if one.class_name]
    expected = {bound: sum(v <= bound for v in values) / len(values) for bound in EUROS}

    shown = {float(one.labels["le"]): one.value for one in bars.samples}
    assert shown == pytest.approx({**expected, math.inf: 1.0}, rel=1e-9)


def test_error_rate(running: Running) -> None:
    """Refused and failed answers in a hundred that users asked for; probes do not count."""
    found = tally(running.within(60), 0, running.end)
    shown = running.ask()

    assert found["asked"] > 0
    assert shown["refused (4xx)"] == pytest.approx(100 * found["refused"] / found["asked"])
    assert shown["failed (5xx)"] == pytest.approx(100 * found["failed"] / found["asked"])


def test_queue_size_is_that_of_the_instance_where_most_wait(running: Running) -> None:
    """As its alert has it: one that is stuck would vanish in a mean, and a sum has no limit."""
    assert running.ask()["waiting"] == 4


SELECTIONS = {
    "one version": ({"version": OLD}, 0),
    "the other version": ({"version": NEW}, 1),
    "one instance": ({"instance": "shop-1"}, 1),
    "one of several": ({"version": f"({OLD}|9-none)", "instance": "(shop-0|shop-1)"}, 0),
    "all by name": ({"version": f"({OLD}|{NEW})", "instance": "(shop-0|shop-1)"}, None),
}


@pytest.mark.parametrize(("chosen", "worker"), SELECTIONS.values(), ids=SELECTIONS)
def test_variables_select(running: Running, chosen: dict[str, str], worker: int | None) -> None:
    """A version or an instance narrows every panel to the workers that it names."""
    shown = running.ask(**chosen, window="5m")
    selected = [one for index, one in enumerate(WORKERS) if worker in (None, index)]
    minute = tally(running.within(60, worker), 0, running.end)
    window = tally(running.within(300, worker), 0, running.end)

    assert shown["predictions"] == pytest.approx(minute["scored"] / 45)
    assert shown["called fraud"] == pytest.approx(100 * window["fraud"] / window["scored"])
    assert shown["waiting"] == max(one.gauges["queue_size"] for one in selected)
    assert shown["CPU"] == max(one.gauges["system_cpu_usage_percent"] for one in selected)
    assert shown["recall (card)"] == min(one.gauges["model_recall"] for one in selected)


def test_variables_offer_what_there_is(running: Running) -> None:
    """The lists at the top hold every version and instance."""
    offered = {
        one.name: one.values for one in choices(render(DASHBOARD), running.store, running.end)
    }

    assert offered == {"version": [OLD, NEW], "instance": ["shop-0", "shop-1"]}


def test_contradicting_choice_shows_nothing(running: Running) -> None:
    """An instance that did not serve the version: empty panels, no error and no wrong figure."""
    findings = verify(DASHBOARD, running.store, running.end, version=OLD, instance="shop-1")

    narrowed = [finding for finding in findings if "$instance" in finding.query.expression]
    assert len(narrowed) > 12
    assert [finding.samples for finding in narrowed if finding.samples] == []


def test_exemplars_of_response_times_carry_the_trace(running: Running) -> None:
    """Grafana asks for exemplars by the same query; they name the trace as its link expects."""
    (query,) = [q for q in QUERIES if q.legend == "P99"]
    answer = running.store.exemplars(
        fill_in(query.expression, {**DEFAULTS, "window": "5m"}), running.end - 300, running.end
    )

    assert answer
    assert {one["trace_id"] for one in answer} == {"0af7651916cd43dd8448eb211c80319c"}


@pytest.mark.parametrize("seed", range(5))
def test_no_query_is_empty_or_nan_a_minute_after_a_start_from_nothing(
    empty: Client, seed: int
) -> None:
    """Four workers, 0.3 requests/s, 60 s: every panel shows a figure."""
    end = now()
    run_for_a_minute(empty, seed, end)

    findings = verify(DASHBOARD, Prometheus(empty), end)
    assert len(findings) == len(QUERIES)
    assert faults(findings) == {}


def test_silence_shows_gaps_or_zeros_and_never_nan(empty: Client) -> None:
    """A service that is idle pushes nothing; a quarter of an hour later nothing is NaN, and a
    minute after it has woken up every panel shows a figure again."""
    end = now()
    woken = end - 60
    service = Service(empty, [Worker("shop-0", OLD)])
    before = traffic(1, woken - 1200, woken - 900, rate=0.3, workers=1)
    service.push(woken - 1200)
    service.count(before)
    service.push(woken - 900)
    asleep = verify(DASHBOARD, Prometheus(empty), woken - 60)
    service.push(woken - PUSH_SECONDS)  # the last values, stamped with the last quiet moment
    for index in range(4):
        since = woken + index * PUSH_SECONDS
        service.count(traffic(index, since, since + PUSH_SECONDS, rate=0.6, workers=1))
        service.push(since + PUSH_SECONDS)

    assert "NaN" not in faults(asleep).values()
    assert faults(verify(DASHBOARD, Prometheus(empty), end)) == {}


def test_requests_that_score_nothing_give_zeros(empty: Client) -> None:
    """Only health probes come: no division by zero, and no response time of /predict."""
    end = now()
    service = Service(empty, [Worker("shop-0", OLD)])
    for tick in range(21):
        service.count([Request(end, 0, "/health", "200", 0.001)])
        service.push(end - 300 + tick * PUSH_SECONDS)

    findings = verify(DASHBOARD, Prometheus(empty), end)
    assert faults(findings) == {}
    shown = figures(findings)
    assert not {"P50", "P95", "P99"} & set(shown)
    assert (shown["predictions"], shown["called fraud"], shown["refused (4xx)"]) == (0, 0, 0)


def test_change_of_the_model_in_a_worker_breaks_no_query(empty: Client) -> None:
    """A worker slot that comes back with another model shows both versions for some minutes."""
    end = now()
    service = Service(empty, [Worker("shop-0", OLD, {"model_recall": 0.6})], already=1000)
    requests = traffic(3, end - 300, end, rate=2, workers=1)
    for tick in range(21):
        until = end - 300 + tick * PUSH_SECONDS
        if tick == 18:
            service.upgrade(0, NEW, model_recall=0.9)
        service.count(r for r in requests if until - PUSH_SECONDS < r.at <= until)
        service.push(until)

    store = Prometheus(empty)
    for version in (EVERYTHING, OLD, NEW):
        assert faults(verify(DASHBOARD, store, end, version=version)) == {}
    assert figures(verify(DASHBOARD, store, end))["recall (card)"] == 0.9


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


def test_command_line_shows_every_panel(empty: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """`verify` lists the variables and each panel's figures, and is 0 if none is missing."""
    run_for_a_minute(empty, seed=6, end=now())

    assert cli.main(["verify", "--prometheus", empty.address]) == 0
    printed = capsys.readouterr().out
    assert f"variable version: {OLD}\n" in printed
    assert all(p.title in printed for d in DASHBOARDS.values() for p in d.panels)
    assert printed.endswith("0 empty or NaN\n")


def test_command_line_fails_where_a_panel_is_empty(
    empty: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing in the store: every variable, and every query that does not say why, is counted."""
    assert cli.main(["verify", "--prometheus", empty.address]) == 1
    printed = capsys.readouterr().out
    *_, last = printed.splitlines()
    assert last.endswith(" empty or NaN")
    assert int(last.split()[0]) == len(re.findall(r"\b(?:EMPTY|NAN)$", printed, re.MULTILINE)) > 20


def test_command_line_tells_the_budget(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    """`budget` is 0 within the plan, 1 over it, and says by how much."""
    series = running.service.series()

    assert cli.main(["budget", "--prometheus", running.address]) == 0
    assert f"{series:,} active series, {series:,} samples a minute" in capsys.readouterr().out
    assert cli.main(["budget", "--prometheus", running.address, "--limit", str(series - 7)]) == 1
    assert "OVER the plan by 7" in capsys.readouterr().out


@pytest.fixture
def cloud_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A Prometheus that stands in for Grafana Cloud's, and the environment that leads to it."""
    bcrypt = "$2b$04$jVoxjXKBEDPFV.Il.IWyRuvrCFVgeZz5st2Wc//IL7B4FotSX.X8q"
    with guarded_prometheus(tmp_path, METRICS_ID, POLICY_TOKEN, bcrypt) as client:
        monkeypatch.setenv("GRAFANA_CLOUD_PROM_URL", f"{client.address}/push")
        monkeypatch.setenv("GRAFANA_CLOUD_PROM_ID", METRICS_ID)
        monkeypatch.setenv("GRAFANA_CLOUD_RULES_TOKEN", POLICY_TOKEN)
        yield client


def test_command_line_asks_the_cloud(
    cloud_store: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a sample a minute, as pushed to the cloud, every panel shows a figure there too."""
    end = now()
    service = Service(cloud_store, [Worker("shop-0", OLD)])
    requests = traffic(2, end - 600, end, rate=0.3, workers=1)
    for until in range(int(end) - 600, int(end) + 1, 60):
        service.count(r for r in requests if until - 60 < r.at <= until)
        service.push(until)

    assert cli.main(["verify", "--cloud"]) == 0
    assert capsys.readouterr().out.endswith("0 empty or NaN\n")
    assert cli.main(["budget", "--cloud"]) == 0


def test_cloud_with_a_wrong_token_says_so(
    cloud_store: Client, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, without the token."""
    monkeypatch.setenv("GRAFANA_CLOUD_RULES_TOKEN", "glc_other")

    assert cli.main(["verify", "--cloud"]) == 2
    message = capsys.readouterr().err
    assert "401: the token was not accepted or lacks the scope metrics:read" in message
    assert "glc_other" not in message


@pytest.mark.parametrize("option", [["--limit", "0"], ["--interval", "soon"], ["--limit", "-1"]])
def test_command_line_refuses_bad_numbers(
    option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Named with the value that was given."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["budget", *option])
    assert f"must be a whole number from 1 on, got '{option[1]}'" in capsys.readouterr().err


def test_sample_knows_what_is_no_number() -> None:
    """NaN and the infinities are faults in a panel."""
    assert not Sample({}, math.nan).is_number
    assert not Sample({}, math.inf).is_number
    assert Sample({}, 0.0).is_number
