"""Each receiver's message (a stand-in for Slack, a mail server); its secret is in no log."""

from __future__ import annotations

import base64
import json
import re
import socketserver
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from tests.lab.alertmanager import SEEN
from tests.lab.polling import until
from tests.lab.ports import free_port
from tests.lab.webhook import Webhook
from tests.prometheus.alertmanager.programs import DOWN, DRIFT, make_quick, run_alertmanager

pytestmark = pytest.mark.stack


def test_the_secret_is_in_no_log_and_no_command_line(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    url = inbox.url + "token-of-the-tests"
    with run_alertmanager(make_quick(tools, tmp_path, ALERT_WEBHOOK_URL=url)) as alertmanager:
        alertmanager.send(DOWN)
        until(lambda: bool(inbox.messages), 20, "the page is sent")
        assert alertmanager.process is not None
        proc = Path(f"/proc/{alertmanager.process.pid}")
        assert "token-of-the-tests" not in alertmanager.output()
        assert b"token-of-the-tests" not in (proc / "cmdline").read_bytes()
    mode = stat.S_IMODE((tmp_path / "alertmanager.yml").stat().st_mode)
    assert mode == 0o600


def test_the_secret_is_in_no_log_when_nobody_answers_there(tools: Path, tmp_path: Path) -> None:
    """The log names the way that fails, for whoever looks for the reason."""
    gone = f"http://127.0.0.1:{free_port()}/token-of-the-tests"
    hooks = {"ALERT_WEBHOOK_URL": gone, "ALERT_SLACK_WEBHOOK_URL": gone}
    with run_alertmanager(make_quick(tools, tmp_path, **hooks)) as alertmanager:
        alertmanager.send(DOWN)
        for way in ("webhook", "slack"):
            until(lambda way=way: f"{way}[0]" in alertmanager.output(), 30, f"{way} fails")  # type: ignore[misc]
        assert "token-of-the-tests" not in alertmanager.output()


@contextmanager
def _slack() -> Iterator[tuple[dict[str, str], list[bytes]]]:
    """A stand-in for Slack: the setting that leads there, and what it is sent."""
    bodies: list[bytes] = []

    class Slack(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slack)
    Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/services/x"
    yield {"ALERT_SLACK_WEBHOOK_URL": url}, bodies
    server.shutdown()
    server.server_close()


def test_slack_gets_summary_value_panel_and_runbook(tools: Path, tmp_path: Path) -> None:
    runbooks = {"RUNBOOK_BASE_URL": "https://example.org/repo/"}
    with (
        _slack() as (settings, bodies),
        run_alertmanager(make_quick(tools, tmp_path, **settings, **runbooks)) as alertmanager,
    ):
        alertmanager.send(DOWN, {**DOWN, "job": "another"})
        until(lambda: len(bodies) == 2, 20, "Slack has both: a message is of one service")
    messages = [one for body in bodies for one in json.loads(body)["attachments"]]
    shown, other = sorted(messages, key=lambda one: "another" in one["title"])
    assert shown["title"] == "FIRING page: ServiceDown of fraud-handler"
    assert other["title"] == "FIRING page: ServiceDown of another"
    assert "summary of ServiceDown value" in shown["text"]
    assert "https://example.org/repo/docs/runbooks/ServiceDown.md" in shown["text"]
    assert shown["title_link"] == f"{SEEN}/user/?d=fraud-model#panel-9"
    assert f"Panel: {shown['title_link']}\n" in shown["text"]
    assert str(alertmanager.port) not in json.dumps(shown), "an address that only holds here"


def test_with_a_grafana_messages_lead_to_its_panels(tools: Path, tmp_path: Path) -> None:
    """Where no Prometheus serves the live view; the runbook is a path then, no address."""
    grafana = {"GRAFANA_EXTERNAL_URL": "https://example.org/it's/grafana/"}
    with (
        _slack() as (settings, bodies),
        run_alertmanager(make_quick(tools, tmp_path, **settings, **grafana)) as alertmanager,
    ):
        alertmanager.send({**DOWN, "job": "staging/fraud-handler"})
        until(lambda: bool(bodies), 20, "Slack has the message")
    [shown] = json.loads(bodies[0])["attachments"]
    panel = "https://example.org/it's/grafana/d/fraud-model?viewPanel=9"
    assert shown["title_link"] == f"{panel}&var-job=staging%2Ffraud-handler"
    assert f"Panel: {shown['title_link']}\nRunbook: docs/runbooks/ServiceDown.md" in shown["text"]
    assert SEEN not in json.dumps(shown)


class _Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a sender needs, signing in included."""

    ANSWERS: ClassVar[dict[str, str]] = {
        "EHLO": "250-here\r\n250 AUTH PLAIN",
        "AUTH": "235 welcome",
        "QUIT": "221 bye",
    }
    received: ClassVar[list[str]] = []
    signed_in: ClassVar[list[str]] = []

    def handle(self) -> None:
        self._say("220 ready")
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "AUTH":
                self.signed_in.append(base64.b64decode(line.split()[2]).decode())
            if word == "DATA":
                self._say("354 go on")
                self.received.append(self._text())
            self._say(self.ANSWERS.get(word, "250 ok"))

    def _text(self) -> str:
        text = ""
        while (part := self.rfile.readline().decode()) != ".\r\n":
            text += part
        return text

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


def test_a_mail_server_gets_an_e_mail(tools: Path, tmp_path: Path) -> None:
    """To each of two people, signed in by a password that YAML and the shell would like to read."""
    _Mail.received.clear()
    _Mail.signed_in.clear()
    password = "it's: #$(id) \\n"
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mail)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    settings = {
        "ALERT_EMAIL_TO": "oncall@example.org, second@example.org",
        "ALERT_SMTP_FROM": "alerts@example.org",
        "ALERT_SMTP_SMARTHOST": f"127.0.0.1:{server.server_address[1]}",
        "ALERT_SMTP_USERNAME": "alerts",
        "ALERT_SMTP_PASSWORD": password,
        "ALERT_SMTP_TLS": "off",
    }
    with run_alertmanager(make_quick(tools, tmp_path, **settings)) as alertmanager:
        alertmanager.send(DRIFT)
        until(lambda: bool(_Mail.received), 20, "the mail has come")
    server.shutdown()
    server.server_close()
    [mail] = _Mail.received
    assert _Mail.signed_in == [f"\0alerts\0{password}"]
    assert re.search(r"Subject: .*FIRING", mail)
    assert "oncall@example.org" in mail and "second@example.org" in mail
    for part in ("summary of FeatureDrift", "value", f"{SEEN}/user/runbooks/FeatureDrift.md"):
        assert part in mail
    assert f"Panel: {SEEN}/user/?d=3Dfraud-model#panel-9" in mail, "= is quoted on its way"
