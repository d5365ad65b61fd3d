"""`promote --if-better`: the verdict's exit code, and each failure's sentence."""

from __future__ import annotations

import base64
import json
import time

import pytest

from model.cli import main
from model.promotion.cohorts import MaturedOutcomes
from model.promotion.outcomes import fetch_outcomes
from model.promotion.prometheus import Prometheus
from model.registry.writer import RegistryWriter
from tests.model.promotion.conftest import Answer, Server, answer_as_prometheus, ask
from tests.model.promotion.pairs import PAIR


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
