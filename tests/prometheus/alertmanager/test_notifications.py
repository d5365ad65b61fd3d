"""Which notifications are sent, seen at the other end: a webhook."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from prometheus.generator import generate
from tests.lab.alertmanager import START, Alertmanager
from tests.lab.polling import until
from tests.lab.ports import free_port
from tests.lab.rules import read_alerts, severity_of
from tests.lab.webhook import Webhook, webhook_receiver
from tests.prometheus.alertmanager.programs import (
    DOWN,
    DRIFT,
    list_notified,
    make_quick,
    run_alertmanager,
    run_prometheus,
)

pytestmark = pytest.mark.stack


def test_a_message_comes_when_it_fires_and_when_it_is_over(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    with run_alertmanager(make_quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(DRIFT)
        until(lambda: bool(inbox.fired(0, 1e12)), 20, "the notification")
        alertmanager.send(DRIFT, resolved=True)
        until(lambda: inbox.first("FeatureDrift", firing=False) is not None, 20, "it is over")


def test_many_features_are_one_message(tools: Path, tmp_path: Path, inbox: Webhook) -> None:
    with run_alertmanager(make_quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)) as alertmanager:
        alertmanager.send(*({**DRIFT, "feature": f"V{n}"} for n in range(20)))
        until(lambda: len(inbox.messages) >= 20, 20, "all notifications")
        assert len({message.at for message in inbox.messages}) == 1


def test_a_heart_beats_on_and_nobody_else_hears_it(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    with webhook_receiver() as elsewhere:
        hooks = {"ALERT_HEARTBEAT_URL": inbox.url, "ALERT_WEBHOOK_URL": elsewhere.url}
        with run_alertmanager(make_quick(tools, tmp_path, **hooks)) as alertmanager:
            alertmanager.send({"alertname": "Watchdog", "severity": "none", "job": "x"}, DOWN)
            until(lambda: len(inbox.messages) >= 3, 30, "three beats")
            until(lambda: bool(elsewhere.messages), 20, "the page is sent")
        assert {message.alert for message in inbox.messages} == {"Watchdog"}
        assert {message.alert for message in elsewhere.messages} == {"ServiceDown"}


def test_a_restart_forgets_no_silence_and_sends_nothing_twice(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    alertmanager = make_quick(tools, tmp_path, ALERT_WEBHOOK_URL=inbox.url)
    with run_alertmanager(alertmanager):
        alertmanager.send(DOWN)
        until(lambda: bool(inbox.messages), 20, "the page is sent")
        silence(tools, alertmanager, "alertname=ModelStale")
    stale = {**DRIFT, "alertname": "ModelStale"}
    last = {**DRIFT, "job": "another"}
    with run_alertmanager(alertmanager):
        alertmanager.send(DOWN, stale, last)
        until(lambda: len(list_notified(inbox)) >= 2, 20, "the new one is sent")
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
    with run_alertmanager(
        make_quick(tools, tmp_path, ALERT_PAGE_WEBHOOK_URL=inbox.url)
    ) as alertmanager:
        alertmanager.send(stale)
        alertmanager.send(DOWN)
        until(lambda: bool(inbox.messages), 20, "the page is sent")
        assert {message.alert for message in inbox.messages} == {"ServiceDown"}


def test_nothing_set_says_so_and_keeps_the_alerts(tools: Path, tmp_path: Path) -> None:
    with run_alertmanager(make_quick(tools, tmp_path)) as alertmanager:
        alertmanager.send(DOWN)
        assert "sent nowhere: set ALERT_WEBHOOK_URL" in alertmanager.output()


def test_what_fires_while_alertmanager_is_away_is_sent_later(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    alertmanager = make_quick(tools, tmp_path / "alertmanager", ALERT_WEBHOOK_URL=inbox.url)
    rule = {"alert": "Always", "expr": "vector(1)", "labels": {"severity": "page", "job": "x"}}
    rules = tmp_path / "prometheus" / "rules"
    rules.mkdir(parents=True)
    (rules / "one.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "one", "interval": "1s", "rules": [rule]}]})
    )
    with run_prometheus(alertmanager, tools, tmp_path / "prometheus") as prometheus:
        until(lambda: prometheus.query('ALERTS{alertstate="firing"}') != [], 20, "it fires")
        with run_alertmanager(alertmanager):
            until(lambda: inbox.fired(0, 1e12) == {"Always"}, 90, "it is sent")


def test_a_receiver_that_fails_is_reported_by_another(
    tools: Path, tmp_path: Path, inbox: Webhook
) -> None:
    """By the project's own rule, from the few series that Prometheus keeps of Alertmanager."""
    gone = f"http://127.0.0.1:{free_port()}/"
    hooks = {"ALERT_WEBHOOK_URL": inbox.url, "ALERT_SLACK_WEBHOOK_URL": gone}
    alertmanager = make_quick(tools, tmp_path / "alertmanager", **hooks)
    generate.write(tmp_path / "prometheus" / "rules", 60)
    with (
        run_alertmanager(alertmanager),
        run_prometheus(alertmanager, tools, tmp_path / "prometheus") as prometheus,
    ):
        failed = 'alertmanager_notifications_failed_total{integration="slack"}'
        until(lambda: prometheus.query(failed) != [], 20, "it is scraped")
        alertmanager.send(DOWN)
        until(lambda: "AlertsNotSent" in inbox.fired(0, 1e12), 90, "the failure is reported")
        assert 0 < (prometheus.number('count({job="alertmanager"})') or 0) <= 30
        [message] = [m for m in inbox.messages if m.alert == "AlertsNotSent"][:1]
        assert dict(message.labels)["why"] == "slack fails"


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
