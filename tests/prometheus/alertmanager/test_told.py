"""Who is told what, seen at the other end: a webhook, Slack's stand-in, a mail server."""

from __future__ import annotations

import base64
import json
import re
import socketserver
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest
import yaml

from prometheus.generator import generate
from tests.lab.alertmanager import START, Alertmanager
from tests.lab.polling import until
from tests.lab.ports import free_port
from tests.lab.prometheus import Prometheus
from tests.lab.rules import read_alerts, severity_of
from tests.lab.webhook import Webhook, webhook_receiver

pytestmark = pytest.mark.stack
QUICK = {"ALERT_GROUP_WAIT": "2s", "ALERT_GROUP_INTERVAL": "1s"}
DOWN = {"alertname": "ServiceDown", "severity": "page", "job": "fraud-handler"}
DRIFT = {"alertname": "FeatureDrift", "severity": "ticket", "job": "fraud-handler"}


@contextmanager
def running(program: Alertmanager) -> Iterator[Alertmanager]:
    try:
        yield program.start()
    finally:
        program.terminate()


def quick(tools: Path, folder: Path, **settings: str) -> Alertmanager:
    return Alertmanager(tools, folder, **QUICK, **settings)


def told(inbox: Webhook) -> set[tuple[str, str, bool]]:
    return {(m.alert, dict(m.labels)["job"], m.firing) for m in inbox.messages}


def test_a_message_comes_when_it_fires_and_when_it_is_over(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    with running(quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(DRIFT)
        until(lambda: bool(inbox.fired(0, 1e12)), 20, "the alert is told")
        alertmanager.send(DRIFT, resolved=True)
        until(lambda: inbox.first("FeatureDrift", firing=False) is not None, 20, "it is over")


def test_many_features_are_one_message(tools: Path, tmp_path: Path, inbox: Webhook) -> None:
    with running(quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(*({**DRIFT, "feature": f"V{n}"} for n in range(20)))
        until(lambda: len(inbox.messages) >= 20, 20, "all are told")
        assert len({message.at for message in inbox.messages}) == 1


def test_a_service_that_is_down_silences_what_follows_from_it(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    other = {**DRIFT, "job": "another"}
    stale = {**DRIFT, "alertname": "ModelStale"}
    with running(quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(DOWN, DRIFT, other, stale)
        until(lambda: len(told(inbox)) >= 3, 20, "three are told")
        assert told(inbox) == {
            ("ServiceDown", "fraud-handler", True),
            ("FeatureDrift", "another", True),
            ("ModelStale", "fraud-handler", True),
        }
        alertmanager.send(DOWN, resolved=True)
        late = ("FeatureDrift", "fraud-handler", True)
        until(lambda: late in told(inbox), 30, "it is told as soon as nothing silences it")


def test_a_page_silences_its_ticket(tools: Path, tmp_path: Path, inbox: Webhook) -> None:
    burn = {"alertname": "LatencyBudgetBurn", "job": "fraud-handler", "slo": "latency"}
    page, ticket = {**burn, "severity": "page"}, {**burn, "severity": "ticket"}
    other = {**ticket, "slo": "another"}
    with running(quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(page, ticket, other)
        until(lambda: len(inbox.messages) >= 2, 20, "two are told")
        seen = {(m.severity, dict(m.labels)["slo"]) for m in inbox.messages}
        assert seen == {("page", "latency"), ("ticket", "another")}


def test_a_silent_collector_silences_what_nobody_can_know(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    """Of any job: the Collector's own is another than the service's."""
    silent = {"alertname": "TelemetrySilent", "severity": "page", "job": "otel-collector"}
    stale = {**DRIFT, "alertname": "ModelStale"}
    with running(quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(silent, DOWN, {**DRIFT, "alertname": "LabelsStalled"}, stale)
        until(lambda: len(told(inbox)) >= 2, 20, "two are told")
        assert {alert for alert, _, _ in told(inbox)} == {"TelemetrySilent", "ModelStale"}


def test_a_heart_beats_on_and_nobody_else_hears_it(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    with webhook_receiver() as elsewhere:
        hooks = {"ALERT_HEARTBEAT_URL": inbox.url, "ALERT_WEBHOOK_URL": elsewhere.url}
        with running(quick(tools, tmp_path, **hooks)) as alertmanager:
            alertmanager.send({"alertname": "Watchdog", "severity": "none", "job": "x"}, DOWN)
            until(lambda: len(inbox.messages) >= 3, 30, "three beats")
            until(lambda: bool(elsewhere.messages), 20, "the page is told")
        assert {message.alert for message in inbox.messages} == {"Watchdog"}
        assert {message.alert for message in elsewhere.messages} == {"ServiceDown"}


def test_a_restart_forgets_no_silence_and_tells_nothing_twice(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    alertmanager = quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)
    with running(alertmanager):
        alertmanager.send(DOWN)
        until(lambda: bool(inbox.messages), 20, "the page is told")
        silence(tools, alertmanager, "alertname=ModelStale")
    stale = {**DRIFT, "alertname": "ModelStale"}
    last = {**DRIFT, "job": "another"}
    with running(alertmanager):
        alertmanager.send(DOWN, stale, last)
        until(lambda: len(told(inbox)) >= 2, 20, "the new one is told")
    assert [message.alert for message in inbox.messages] == ["ServiceDown", "FeatureDrift"]


def silence(tools: Path, alertmanager: Alertmanager, matcher: str) -> None:
    """For an hour, as somebody on call does it."""
    url = f"--alertmanager.url={alertmanager.url}"
    options = [url, "silence", "add", "--duration=1h", "--author=tests", "--comment=tests"]
    subprocess.run(
        [str(tools / "amtool"), *options, matcher], check=True, capture_output=True, timeout=20
    )


def test_pages_alone_go_to_the_pager(tools: Path, tmp_path: Path, inbox: Webhook) -> None:
    stale = {"alertname": "ModelStale", "severity": "ticket", "job": "x"}
    with running(quick(tools, tmp_path, ALERT_PAGE_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(stale)
        alertmanager.send(DOWN)
        until(lambda: bool(inbox.messages), 20, "the page is told")
        assert {message.alert for message in inbox.messages} == {"ServiceDown"}


def test_nothing_set_says_so_and_keeps_the_alerts(tools: Path, tmp_path: Path) -> None:
    with running(quick(tools, tmp_path)) as alertmanager:
        alertmanager.send(DOWN)
        assert "sent nowhere: set ALERT_WEBHOOK_URL" in alertmanager.output()


def test_the_secret_is_in_no_log_and_no_command_line(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    url = inbox.url + "token-of-the-tests"
    with running(quick(tools, tmp_path, ALERT_WEBHOOK_URL=url)) as alertmanager:
        alertmanager.send(DOWN)
        until(lambda: bool(inbox.messages), 20, "the page is told")
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
    with running(quick(tools, tmp_path, **hooks)) as alertmanager:
        alertmanager.send(DOWN)
        for way in ("webhook", "slack"):
            until(lambda way=way: f"{way}[0]" in alertmanager.output(), 30, f"{way} fails")  # type: ignore[misc]
        assert "token-of-the-tests" not in alertmanager.output()


def test_slack_gets_summary_value_and_runbook(tools: Path, tmp_path: Path) -> None:
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
    settings = {
        "ALERT_SLACK_WEBHOOK_URL": f"http://127.0.0.1:{server.server_address[1]}/services/x",
        "RUNBOOK_BASE_URL": "https://example.org/repo/",
    }
    with running(quick(tools, tmp_path, **settings)) as alertmanager:
        alertmanager.send(DOWN)
        until(lambda: bool(bodies), 20, "Slack is told")
    server.shutdown()
    server.server_close()
    [shown] = json.loads(bodies[0])["attachments"]
    assert shown["title"] == "FIRING page: ServiceDown"
    assert "summary of ServiceDown value" in shown["text"]
    assert "https://example.org/repo/docs/runbooks/ServiceDown.md" in shown["text"]
    assert shown["title_link"] == "https://example.org/repo/docs/runbooks/ServiceDown.md"
    assert str(alertmanager.port) not in json.dumps(shown), "an address that only holds here"


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
    with running(quick(tools, tmp_path, **settings)) as alertmanager:
        alertmanager.send(DRIFT)
        until(lambda: bool(_Mail.received), 20, "the mail has come")
    server.shutdown()
    server.server_close()
    [mail] = _Mail.received
    assert _Mail.signed_in == [f"\0alerts\0{password}"]
    assert re.search(r"Subject: .*FIRING", mail)
    assert "oncall@example.org" in mail and "second@example.org" in mail
    for part in ("summary of FeatureDrift", "value", "docs/runbooks/FeatureDrift.md"):
        assert part in mail


def test_what_fires_while_alertmanager_is_away_is_told_later(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    alertmanager = quick(tools, tmp_path / "alertmanager", ALERT_WEBHOOK_URL=inbox.url)
    rule = {"alert": "Always", "expr": "vector(1)", "labels": {"severity": "page", "job": "x"}}
    rules = tmp_path / "prometheus" / "rules"
    rules.mkdir(parents=True)
    (rules / "one.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "one", "interval": "1s", "rules": [rule]}]})
    )
    with sending_to(alertmanager, tools, tmp_path / "prometheus") as prometheus:
        until(lambda: prometheus.query('ALERTS{alertstate="firing"}') != [], 20, "it fires")
        with running(alertmanager):
            until(lambda: inbox.fired(0, 1e12) == {"Always"}, 90, "it is told")


def test_a_way_that_fails_is_told_by_another(tools: Path, tmp_path: Path, inbox: Webhook) -> None:
    """By the project's own rule, from the few series that Prometheus keeps of Alertmanager."""
    gone = f"http://127.0.0.1:{free_port()}/"
    hooks = {"ALERT_WEBHOOK_URL": inbox.url, "ALERT_SLACK_WEBHOOK_URL": gone}
    alertmanager = quick(tools, tmp_path / "alertmanager", **hooks)
    generate.write(tmp_path / "prometheus" / "rules", 60)
    with (
        running(alertmanager),
        sending_to(alertmanager, tools, tmp_path / "prometheus") as prometheus,
    ):
        failed = 'alertmanager_notifications_failed_total{integration="slack"}'
        until(lambda: prometheus.query(failed) != [], 20, "it is scraped")
        alertmanager.send(DOWN)
        until(lambda: "AlertsNotSent" in inbox.fired(0, 1e12), 90, "the failure is told")
        assert 0 < (prometheus.number('count({job="alertmanager"})') or 0) <= 30
        [message] = [m for m in inbox.messages if m.alert == "AlertsNotSent"][:1]
        assert dict(message.labels)["why"] == "slack fails"


@contextmanager
def sending_to(alertmanager: Alertmanager, tools: Path, folder: Path) -> Iterator[Prometheus]:
    """A running Prometheus with the project's configuration, made quick."""
    prometheus = Prometheus(tools, folder)
    config = folder / "prometheus.yml"
    config.write_text(config.read_text().replace("_interval: 15s", "_interval: 1s"))
    # A minute unless told.
    prometheus.command.append("--rules.alert.resend-delay=1s")
    targets = folder / "targets" / "alertmanager"
    targets.mkdir(parents=True)
    (targets / "x.yml").write_text(f"- targets: ['127.0.0.1:{alertmanager.port}']\n")
    try:
        yield prometheus.start()
    finally:
        prometheus.terminate()


def test_every_alert_has_its_route_and_the_program_takes_every_configuration(
    tools: Path, tmp_path: Path
) -> None:
    every = {
        "ALERT_WEBHOOK_URL": "http://127.0.0.1:1/x",
        "ALERT_SLACK_WEBHOOK_URL": "http://127.0.0.1:1/y",
        "ALERT_EMAIL_TO": "a@example.org",
        "ALERT_SMTP_FROM": "b@example.org",
        "ALERT_SMTP_SMARTHOST": "127.0.0.1:1",
    }
    file = tmp_path / "alertmanager.yml"
    amtool = str(tools / "amtool")
    for settings in ({}, every):
        shown = subprocess.run(
            ["sh", str(START), "--print"],
            env={"PATH": "/usr/bin:/bin", **settings, "ALERTMANAGER_DIR": str(tmp_path)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        file.write_text(shown.stdout)
        subprocess.run([amtool, "check-config", str(file)], check=True, capture_output=True)
    sent = [(name, severity_of(rule)) for name, rules in read_alerts().items() for rule in rules]
    for alert, severity in sent:
        route = subprocess.run(
            [
                amtool, "config", "routes", "test", f"--config.file={file}",
                f"alertname={alert}", f"severity={severity}",
            ],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert route.stdout.strip() == ("heartbeat" if severity == "none" else f"{severity}s")
