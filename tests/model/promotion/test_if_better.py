"""`promote --if-better`: which outcomes belong to the pair, each failure's sentence, exit codes."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import msgspec
import pytest

from model.cli import main
from model.promotion.cohorts import MaturedOutcomes
from model.promotion.increases import PairCounter, Shown
from model.promotion.outcomes import count_outcomes, fetch_outcomes
from model.promotion.prometheus import Prometheus
from model.promotion.sequential_test import PairedOutcomes
from model.registry.writer import RegistryWriter
from model.serving.registry import Published
from prometheus.client.query import History
from tests.conftest import make_card

Answer = tuple[int, object]

PAIR = ("1-aaaaaaaa", "2-bbbbbbbb")
BOTH = frozenset({("champion", PAIR[0]), ("challenger", PAIR[1])})
EARLIER = frozenset({("champion", "0-cccccccc"), ("challenger", PAIR[1])})
COUNTED = {"metric": {}, "value": [0, "2"]}
CAUGHT = {"champion": "legitimate", "challenger": "fraud", "truth": "fraud"}


def make_series(
    values: list[float | None], instance: str = "a", cell: Mapping[str, str] = CAUGHT
) -> History:
    samples = [(float(at), value) for at, value in enumerate(values) if value is not None]
    return History({"instance": instance, **cell}, tuple(samples))


def count(series: list[History], shown: Shown) -> PairedOutcomes:
    return count_outcomes(PairCounter(PAIR).take(series, shown))


@pytest.mark.parametrize(
    ("values", "shown", "expected"),
    [
        ([0, 2, 5], [BOTH] * 3, 5),
        ([7, 7, 9], [BOTH] * 3, 2),
        ([4, 6, 1, 3], [BOTH] * 4, 5),
        ([0, 10, 13, 14], [EARLIER, EARLIER, BOTH, BOTH], 1),
        ([0, 10, 13, 14], [BOTH, BOTH, BOTH | EARLIER, EARLIER], 10),
        ([0, 10, None, 14, 15], [BOTH] * 5, 15),
        ([0, 10], [frozenset({("champion", PAIR[0])})] * 2, 0),
        ([0, 10], [], 0),
    ],
    ids=[
        "all", "not what was there before", "began anew", "not of an earlier pair",
        "not of a later one, nor while both are shown", "over a silence", "no challenger",
        "nothing shown",
    ],
)  # fmt: skip
def test_increase_belongs_to_the_pair_that_is_shown_before_and_after(
    values: list[float | None], shown: list[frozenset[tuple[str, str]]], expected: float
) -> None:
    paired = count(
        [make_series(values)], {"a": {float(at): models for at, models in enumerate(shown)}}
    )
    assert (paired.frauds_better, paired.outcomes) == (expected, expected)


def test_workers_are_added_up_each_by_what_it_shows() -> None:
    loaded: Shown = {
        "a": {0: BOTH, 1: BOTH},
        "b": {0: EARLIER, 1: EARLIER},
        "c": {0: BOTH, 1: BOTH},
    }
    series = [make_series([0, 1], "a"), make_series([0, 10], "b"), make_series([0, 100], "c")]
    assert count(series, loaded).outcomes == 101


@pytest.mark.parametrize(
    ("champion", "challenger", "truth", "field"),
    [
        ("legitimate", "fraud", "fraud", "frauds_better"),
        ("fraud", "legitimate", "fraud", "frauds_worse"),
        ("fraud", "legitimate", "legitimate", "alarms_better"),
        ("legitimate", "fraud", "legitimate", "alarms_worse"),
        ("fraud", "fraud", "fraud", "alike"),
        ("fraud", "fraud", "legitimate", "alike"),
        ("legitimate", "legitimate", "fraud", "alike"),
        ("legitimate", "legitimate", "legitimate", "alike"),
    ],
)
def test_cell_is_for_whoever_was_right(
    champion: str, challenger: str, truth: str, field: str
) -> None:
    cell = {"champion": champion, "challenger": challenger, "truth": truth}
    paired = count([make_series([0, 3], cell=cell)], {"a": {0: BOTH, 1: BOTH}})
    assert getattr(paired, field) == paired.outcomes == 3


class Server:
    """Answers as Prometheus would, and keeps the headers and parameters that it was sent."""

    def __init__(self) -> None:
        self.headers: list[str | None] = []
        self.asked: list[dict[str, str]] = []
        self.answer: Callable[[dict[str, str]], Answer] = lambda asked: (
            200,
            {"data": {"result": []}},
        )
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                asked = {name: values[0] for name, values in parse_qs(body).items()}
                outer.asked.append(asked)
                outer.headers.append(self.headers["Authorization"])
                status, content = outer.answer(asked)
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr("urllib3.util.Retry.sleep", lambda *_: None)
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryWriter:
    """A folder with a champion and another version, without files: enough to decide."""
    for name in ("CHALLENGER", "PROMETHEUS_URL", "PROMETHEUS_USER", "PROMETHEUS_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    registry = RegistryWriter(tmp_path / "models")
    empty = tmp_path / "empty"
    empty.mkdir()
    for seed in (1, 2):
        card = registry.name_card(msgspec.structs.replace(make_card(), seed=seed))
        registry.publish(card, empty, Published(trained_at=time.time() - 600, training_seconds=1))
    registry.promote(registry.versions()[0])
    return registry


def answer_as_prometheus(
    models: RegistryWriter, better: int, worse: int, alike: int
) -> Callable[[dict[str, str]], Answer]:
    """Answers in which both versions of `models` are loaded and have so many labelled outcomes."""
    champion, challenger = models.versions()

    def answer(asked: dict[str, str]) -> Answer:
        if asked["query"].startswith("count("):
            return 200, {"data": {"resultType": "vector", "result": [COUNTED]}}
        end, seconds = float(asked["time"]), int(asked["query"].rpartition("[")[2][:-3]) / 1000

        def series(labels: dict[str, str], *values: float) -> dict[str, object]:
            times = [end - seconds / 2 + number for number in range(len(values))]
            points = [[at, str(value)] for at, value in zip(times, values, strict=True)]
            return {"metric": {"instance": "a", **labels}, "values": points}

        if asked["query"].startswith("model_version"):
            roles = {"champion": champion, "challenger": challenger}
            found = [series({"role": r, "version": v}, 1, 1) for r, v in roles.items()]
        else:
            other = {"champion": "fraud", "challenger": "legitimate", "truth": "fraud"}
            same = {"champion": "fraud", "challenger": "fraud", "truth": "fraud"}
            pairs = ((CAUGHT, better), (other, worse), (same, alike))
            found = [series(cell, 0, value) for cell, value in pairs]
        return 200, {"data": {"result": found}}

    return answer


def ask(models: RegistryWriter, server: Server, *more: str) -> int:
    base = ["promote", "--models", str(models.root), "--if-better", "--prometheus", server.url]
    return main([*base, "--maturity", "0", *more])


@pytest.mark.parametrize(
    ("counts", "code", "says"),
    [
        ((60, 10, 1000), 0, "is better: promote it (nothing was changed)"),
        ((10, 60, 1000), 3, "is worse"),
        ((30, 28, 1000), 4, "not enough labels yet"),
        ((0, 0, 0), 4, "not enough labels yet"),
    ],
)
def test_exit_code_is_the_verdict(
    models: RegistryWriter,
    server: Server,
    capsys: pytest.CaptureFixture[str],
    counts: tuple[int, int, int],
    code: int,
    says: str,
) -> None:
    server.answer = answer_as_prometheus(models, *counts)
    assert ask(models, server, models.versions()[1], "--dry-run") == code
    said = capsys.readouterr().out
    assert says in said
    assert f"{sum(counts):,} labelled for both" in said
    assert models.champion() == models.versions()[0]


def test_json_has_the_numbers(
    models: RegistryWriter, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = answer_as_prometheus(models, 60, 10, 1000)
    ask(models, server, models.versions()[1], "--dry-run", "--json", "--cost-ratio", "4")
    answer = json.loads(capsys.readouterr().out)
    assert (answer["verdict"], answer["promoted"], answer["cost_ratio"]) == ("promote", False, 4)
    assert (answer["frauds_better"], answer["frauds_worse"], answer["outcomes"]) == (60, 10, 1070)
    assert 0 < answer["gain_low"] < answer["gain"] < answer["gain_high"]


def test_challenger_of_the_service_is_meant(
    models: RegistryWriter,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """CHALLENGER, as the service reads it."""
    monkeypatch.setenv("CHALLENGER", models.versions()[1])
    server.answer = answer_as_prometheus(models, 60, 10, 1000)
    assert ask(models, server, "--dry-run") == 0
    assert models.versions()[1] in capsys.readouterr().out


def test_version_that_cannot_be_served_is_not_promoted(
    models: RegistryWriter, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """These versions have no files: the better one is refused, and the champion stays."""
    server.answer = answer_as_prometheus(models, 60, 10, 1000)
    assert ask(models, server, models.versions()[1]) == 1
    assert "published without model.onnx" in capsys.readouterr().err
    assert models.champion() == models.versions()[0]


def mature(monkeypatch: pytest.MonkeyPatch, labelled_alike: float) -> None:
    """10,000 predictions that all call legitimate, of which so many are labelled, and 70 frauds
    that the challenger alone catches."""
    matured = MaturedOutcomes(
        {("legitimate", "fraud"): 70.0, ("legitimate", "legitimate"): 10_000.0},
        {
            ("legitimate", "fraud", "fraud"): 70.0,
            ("legitimate", "legitimate", "legitimate"): labelled_alike,
        },
        weeks=3,
        next_at=1_796_256_000.0,
    )
    monkeypatch.setattr("model.promotion.if_better.fetch_matured", lambda *_: matured)


def test_matured_weeks_decide(
    models: RegistryWriter,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mature(monkeypatch, 10_000)
    server.answer = answer_as_prometheus(models, 0, 0, 0)
    assert ask(models, server, models.versions()[1], "--dry-run", "--maturity", "30d") == 0
    said = capsys.readouterr().out
    assert "10,070 labelled for both since" in said
    assert "in weeks that ended 30 days ago; the next one counts from 2026-12-03" in said


def test_labels_that_are_no_fair_sample_decide_nothing(
    models: RegistryWriter,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mature(monkeypatch, 5_000)
    server.answer = answer_as_prometheus(models, 0, 0, 0)
    asked = [models.versions()[1], "--dry-run", "--maturity", "30d"]
    assert ask(models, server, *asked) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "labelled are 50.0% of the predictions that the champion calls legitimate" in line
    assert "no fair sample, so nothing is decided" in line
    assert ask(models, server, *asked, "--unlabelled", "legitimate") == 0


def test_maturity_beyond_what_is_counted_by_week_is_refused(
    models: RegistryWriter, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = answer_as_prometheus(models, 0, 0, 0)
    assert ask(models, server, models.versions()[1], "--maturity", "43d") == 1
    assert "--maturity is at most 42d" in capsys.readouterr().err


def test_store_that_forgot_the_beginning_is_refused(
    models: RegistryWriter, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its first sample is of today."""
    newest = answer_as_prometheus(models, 60, 10, 1000)

    def answer(asked: dict[str, str]) -> Answer:
        if asked["query"].startswith("count(") and time.time() - float(asked["time"]) > 86_400:
            return 200, {"data": {"resultType": "vector", "result": []}}
        return newest(asked)

    server.answer = answer
    since = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 10 * 86_400))
    assert ask(models, server, models.versions()[1], "--since", since) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "the first stored sample of fraud-handler is of" in line
    assert models.champion() == models.versions()[0]


@pytest.mark.parametrize(
    ("user", "token", "sent"),
    [
        ("", "", None),
        ("", "secret", "Bearer secret"),
        ("12", "secret", "Basic " + base64.b64encode(b"12:secret").decode()),
    ],
)
def test_token_is_sent_as_it_is_wanted(
    server: Server, user: str, token: str, sent: str | None
) -> None:
    fetch_outcomes(Prometheus(server.url, user, token), 'j"ob', PAIR, 0, 100)
    assert server.headers == [sent, sent]
    assert 'job="j\\"ob"' in server.asked[0]["query"]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((401, b""), "the token (PROMETHEUS_TOKEN, with PROMETHEUS_USER) is not accepted"),
        ((400, {"error": "too many points"}), "answered 400: too many points"),
        ((503, b"busy"), "answered 503: Service Unavailable"),
        ((200, b"<html>"), "does not answer as Prometheus does"),
        ((200, {"data": 1}), "does not answer as Prometheus does"),
        ((200, {"data": {"result": [{"values": [[1, "x"]]}]}}), "does not answer as Prometheus"),
    ],
)
def test_failure_is_one_sentence_and_changes_nothing(
    models: RegistryWriter,
    server: Server,
    capsys: pytest.CaptureFixture[str],
    answer: Answer,
    says: str,
) -> None:
    server.answer = lambda asked: answer
    assert ask(models, server, models.versions()[1]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert says in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--prometheus", "http://127.0.0.1:1", "{other}"], "cannot be reached"),
        (["--prometheus", "localhost:9090", "{other}"], "must be an address such as http://"),
        (["{other}"], "--if-better needs --prometheus URL"),
        (["--prometheus", "http://127.0.0.1:1"], "name it, or set CHALLENGER"),
        (["--prometheus", "http://127.0.0.1:1", "{champion}"], "is the champion already"),
        (["--prometheus", "http://127.0.0.1:1", "9-99999999"], "9-99999999 is not in"),
    ],
)
def test_wrong_question_is_one_sentence(
    models: RegistryWriter, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    champion, other = models.versions()
    given = [one.format(champion=champion, other=other) for one in arguments]
    assert main(["promote", "--if-better", "--models", str(models.root), *given]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert says in line


def test_promote_without_a_version_is_refused(
    models: RegistryWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["promote", "--models", str(models.root)]) == 1
    assert "name the version to promote" in capsys.readouterr().err
