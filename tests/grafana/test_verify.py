"""`python -m grafana verify`: every panel, asked of a local Prometheus and of the cloud."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grafana import __main__ as cli
from prometheus.client.http import Client
from prometheus.client.query import Sample
from tests.grafana.conftest import METRICS_ID, POLICY_TOKEN
from tests.grafana.scenario import DASHBOARDS, OLD, now, run_for_a_minute
from tests.grafana.server import guarded_prometheus
from tests.grafana.service import Service, Worker, traffic

pytestmark = pytest.mark.stack


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


def test_sample_knows_what_is_no_number() -> None:
    """NaN and the infinities are faults in a panel."""
    assert not Sample({}, math.nan).is_number
    assert not Sample({}, math.inf).is_number
    assert Sample({}, 0.0).is_number
