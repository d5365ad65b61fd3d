"""What a start and `status` tell of alerts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stack.alerting import alerts_shown, check, firing
from stack.errors import StackError
from stack.settings import Settings, read_settings

from .conftest import ROOT, free_port

HOOK = {"ALERT_WEBHOOK_URL": "https://example.org/hook"}


@pytest.fixture
def settings() -> Settings:
    return read_settings(ROOT, {"ALERTMANAGER_PORT": "9876"})


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """serve(alerts): the address of an Alertmanager with these."""
    servers: list[ThreadingHTTPServer] = []

    def start(*alerts: tuple[str, str]) -> str:
        body = [{"labels": {"alertname": name, "severity": level}} for level, name in alerts]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_nothing_set_is_said(settings: Settings) -> None:
    shown = alerts_shown(settings, {})
    assert shown == "http://localhost:9876 (sent nowhere: set ALERT_WEBHOOK_URL)"


def test_the_ways_are_named_and_no_address_is(settings: Settings) -> None:
    shown = alerts_shown(settings, HOOK | {"ALERT_EMAIL_TO": "oncall@example.org"})
    assert shown == "http://localhost:9876 (sent by webhook, e-mail)"


def test_pages_come_before_tickets_and_are_counted(serve: Callable[..., str]) -> None:
    drift = ("ticket", "FeatureDrift")
    url = serve(drift, ("none", "Watchdog"), ("page", "ServiceDown"), drift)
    assert firing(url) == "page ServiceDown, ticket FeatureDrift (2)"


def test_a_heartbeat_is_nobodys_trouble(serve: Callable[..., str]) -> None:
    assert firing(serve(("none", "Watchdog"))) == "nothing"


def test_an_alertmanager_that_does_not_answer_is_not_taken_for_peace() -> None:
    assert firing(f"http://127.0.0.1:{free_port()}") == "unknown: Alertmanager does not answer"


def test_a_wrong_setting_is_told_before_anything_starts(settings: Settings) -> None:
    with pytest.raises(StackError, match=r"^ALERT_SLACK_WEBHOOK_URL must be an address") as told:
        check(
            settings, HOOK | {"ALERT_SLACK_WEBHOOK_URL": "hooks.slack.com", "PATH": "/usr/bin:/bin"}
        )
    assert told.value.exit_code == 2


def test_right_settings_pass(settings: Settings) -> None:
    check(settings, HOOK | {"PATH": "/usr/bin:/bin"})
