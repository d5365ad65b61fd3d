"""Bearer tokens by role: what each opens, and what is closed to strangers without any."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from handler import build, create_app
from service.access import check_public_address
from service.feedback import Feedback
from service.receipts import Receipts
from service.settings import SettingError, read_settings
from service.used_receipts import SqliteUsedReceipts
from telemetry.lifecycle import Telemetry
from tests.conftest import LocationRiskScorer
from tests.json_client import JsonClient, make_client
from tests.lab.paths import ROOT
from tests.lab.traffic import TRANSACTION

FEEDBACK, METRICS, PREDICT = "feedback-token-16", "metrics-token-163", "predict-token-163"
ROLES = {"FEEDBACK_TOKEN": FEEDBACK, "METRICS_TOKEN": METRICS, "PREDICT_TOKEN": PREDICT}
ACCESS, OLD = "access-token-of-16", "an-older-token-16"
BOTH = f"{ACCESS}, {OLD}"
ALL = ROLES | {"ACCESS_TOKEN": ACCESS}
PUBLIC = {"HOST": "0.0.0.0"}
BODIES: dict[str, Any] = {
    "/predict": TRANSACTION,
    "/feedback": {"feedback": [{"receipt": "x", "label": "fraud"}]},
    "/metrics": None,
    "/simulate_traffic": {"num_requests": 1},
}


@pytest.fixture
def statuses(scorer: LocationRiskScorer, recorded: Telemetry, tmp_path: Path) -> Any:
    """statuses(environ, token): the status of each endpoint, for a caller with that token."""

    def ask(environ: dict[str, str], token: str | None = None) -> dict[str, int]:
        receipts, used = Receipts(["key"]), SqliteUsedReceipts(tmp_path / "used")
        feedback = Feedback(receipts, used, recorded.recorder, "slot", {}, 60)
        settings = read_settings(environ)
        app = create_app(scorer, recorded, receipts, settings, feedback=feedback)
        return {path: _ask(make_client(app), path, token) for path in BODIES}

    return ask


def _ask(client: JsonClient, path: str, token: str | None) -> int:
    method = "GET" if path == "/metrics" else "POST"
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return int(client.open(path, method=method, json=BODIES[path], headers=headers).status_code)


def opened(statuses: dict[str, int]) -> set[str]:
    assert set(statuses.values()) <= {200, 401}
    return {path for path, status in statuses.items() if status == 200}


@pytest.mark.parametrize(
    ("environ", "token", "expected"),
    [
        pytest.param({}, None, set(BODIES), id="loopback is open"),
        pytest.param(PUBLIC, None, {"/predict"}, id="public is closed"),
        pytest.param(PUBLIC | {"ALLOW_OPEN": "true"}, None, set(BODIES), id="opened on purpose"),
        pytest.param(ALL, None, set(), id="no token"),
        pytest.param(ALL, ACCESS, set(BODIES), id="ACCESS_TOKEN opens all"),
        pytest.param(ALL, FEEDBACK, {"/feedback"}, id="FEEDBACK_TOKEN"),
        pytest.param(ALL, METRICS, {"/metrics"}, id="METRICS_TOKEN"),
        pytest.param(ALL, PREDICT, {"/predict"}, id="PREDICT_TOKEN"),
        pytest.param(ALL, "", set(), id="empty"),
        pytest.param(ALL, ACCESS + "2", set(), id="wrong"),
        pytest.param({"ACCESS_TOKEN": BOTH}, OLD, set(BODIES), id="rotation: old"),
        pytest.param({"ACCESS_TOKEN": BOTH}, ACCESS, set(BODIES), id="rotation: new"),
        pytest.param({"ACCESS_TOKEN": BOTH}, BOTH, {"/predict"}, id="not the list"),
        pytest.param(
            PUBLIC | {"METRICS_TOKEN": METRICS},
            METRICS,
            {"/predict", "/metrics"},
            id="public: what has no token of its own stays closed",
        ),
        pytest.param(
            PUBLIC | {"ALLOW_OPEN": "true", "FEEDBACK_TOKEN": FEEDBACK},
            None,
            {"/predict", "/metrics", "/simulate_traffic"},
            id="opened on purpose, but for labels",
        ),
    ],
)
def test_token_opens_what_it_is_for(
    statuses: Any, environ: dict[str, str], token: str | None, expected: set[str]
) -> None:
    assert opened(statuses(environ, token)) == expected


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]", "10.0.0.5", "handler.example"])
def test_address_that_others_reach_needs_a_token_to_start(host: str) -> None:
    settings = read_settings({"HOST": host})
    with pytest.raises(SettingError, match=r"^ACCESS_TOKEN must be set where others can reach"):
        check_public_address(settings)
    for given in ({"FEEDBACK_TOKEN": FEEDBACK}, {"ACCESS_TOKEN": ACCESS}, {"ALLOW_OPEN": "true"}):
        check_public_address(read_settings({"HOST": host} | given))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost"])
def test_loopback_needs_nothing(host: str) -> None:
    settings = read_settings({"HOST": host, "FAULT_HEADERS": "on"})
    check_public_address(settings)
    assert not settings.public


@pytest.mark.parametrize(
    ("published", "public"), [("127.0.0.1", False), ("", True), ("0.0.0.0", True), ("::", True)]
)
def test_container_is_public_where_its_port_is_published(published: str, public: bool) -> None:
    """In a container HOST is 0.0.0.0 whoever reaches it."""
    assert read_settings(PUBLIC | {"PUBLISHED_ADDRESS": published}).public == public


def test_railway_is_public_whatever_is_said() -> None:
    said = {"PUBLISHED_ADDRESS": "127.0.0.1", "RAILWAY_ENVIRONMENT_NAME": "production"}
    assert read_settings(PUBLIC | said).public


def test_fault_headers_are_refused_where_others_reach_them() -> None:
    with pytest.raises(SettingError, match="FAULT_HEADERS must be off"):
        read_settings(PUBLIC | {"FAULT_HEADERS": "on", "ACCESS_TOKEN": ACCESS})


def test_build_does_not_start_open(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build(PUBLIC)
    assert "ACCESS_TOKEN must be set" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environ", "options"),
    [
        pytest.param(PUBLIC, [], id="HOST"),
        pytest.param({}, ["--bind", "0.0.0.0:0"], id="--bind"),
        pytest.param({}, ["--bind", "127.0.0.1:0", "--bind", "[::]:0"], id="the second --bind"),
        pytest.param({"GUNICORN_CMD_ARGS": "--bind 0.0.0.0:0"}, [], id="GUNICORN_CMD_ARGS"),
    ],
)
def test_gunicorn_does_not_start_open(
    tmp_path: Path, environ: dict[str, str], options: list[str]
) -> None:
    """One sentence and the end, before any worker is made."""
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py"]
    command = [*gunicorn, *options, "handler:build()"]
    environ = os.environ | {"STATE_DIR": str(tmp_path)} | environ
    ended = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert "ACCESS_TOKEN must be set" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", list(ALL))
def test_short_token_is_refused(name: str) -> None:
    with pytest.raises(SettingError, match=rf"^{name} must be made of secrets .* got \(secret\)$"):
        read_settings({name: "short"})


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/deployment_options.md"])
def test_every_endpoint_is_on_the_pages_about_the_outside(app: Flask, page: str) -> None:
    """What strangers reach is listed; what a page loads is part of it."""
    text = (ROOT / page).read_text(encoding="utf-8")
    parts = ("/docs/", "/model_card/", "/favicon.ico")
    paths = {rule.rule for rule in app.url_map.iter_rules() if not rule.rule.startswith(parts)}
    assert {path for path in paths | {"/docs"} if f"`{path}`" not in text} == set()
