"""What start.sh makes of the environment, without any other program."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from prometheus.generator.generate import alerts
from tests.lab.alertmanager import START

EMAIL = {
    "ALERT_EMAIL_TO": "oncall@example.org",
    "ALERT_SMTP_FROM": "alerts@example.org",
    "ALERT_SMTP_SMARTHOST": "mail.example.org:587",
}


def printed(by: str = "sh", **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*by.split(), str(START), "--print"],
        env={"PATH": os.environ["PATH"]} | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def config(**settings: str) -> dict[str, Any]:
    done = printed(**settings)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = yaml.safe_load(done.stdout)
    return read


def receivers(**settings: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in config(**settings)["receivers"]}


def test_nothing_set_sends_nowhere() -> None:
    names = ("heartbeat", "pages", "tickets")
    assert receivers() == {name: {"name": name} for name in names}


def test_every_way_at_once() -> None:
    found = receivers(
        ALERT_WEBHOOK_URL="https://example.org/hook",
        ALERT_PAGE_WEBHOOK_URL="https://example.org/pager",
        ALERT_HEARTBEAT_URL="https://example.org/alive",
        ALERT_SLACK_WEBHOOK_URL="https://example.org/slack",
        ALERT_SLACK_CHANNEL="#fraud",
        **EMAIL,
    )
    hooks = {name: [w["url"] for w in each["webhook_configs"]] for name, each in found.items()}
    assert hooks == {
        "pages": ["https://example.org/hook", "https://example.org/pager"],
        "tickets": ["https://example.org/hook"],
        "heartbeat": ["https://example.org/alive"],
    }
    for each in (found["pages"], found["tickets"]):
        assert each["slack_configs"][0]["channel"] == "#fraud"
        assert each["email_configs"][0]["to"] == "oncall@example.org"


def test_a_pager_alone_leaves_tickets_at_home() -> None:
    found = receivers(ALERT_PAGE_WEBHOOK_URL="https://example.org/pager")
    assert "webhook_configs" in found["pages"] and set(found["tickets"]) == {"name"}


@pytest.mark.parametrize("secret", ["it's", 'a"b', "x: y # z", "- [!]", "$(id)`id`", "\\n"])
def test_a_secret_is_data(secret: str) -> None:
    read = config(**EMAIL, ALERT_SMTP_USERNAME="u", ALERT_SMTP_PASSWORD=secret)
    assert read["global"]["smtp_auth_password"] == secret


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ALERT_SLACK_WEBHOOK_URL": "http://"}, "ALERT_SLACK_WEBHOOK_URL must be an address"),
        ({"RUNBOOK_BASE_URL": "docs/"}, "RUNBOOK_BASE_URL must be an address"),
        ({"GRAFANA_EXTERNAL_URL": "grafana"}, "GRAFANA_EXTERNAL_URL must be an address"),
        ({"ALERT_WEBHOOK_URL": "http://a\nroute:"}, "ALERT_WEBHOOK_URL must be one line"),
        ({"ALERT_SLACK_CHANNEL": "{{ .x }}"}, "ALERT_SLACK_CHANNEL must be one line without {{"),
        ({"ALERT_EMAIL_TO": "somebody"}, "ALERT_EMAIL_TO must be an e-mail address"),
        ({"ALERT_EMAIL_TO": "a@b"}, "ALERT_EMAIL_TO also needs ALERT_SMTP_FROM"),
        (
            {"ALERT_EMAIL_TO": "a@b", "ALERT_SMTP_FROM": "c@d", "ALERT_SMTP_SMARTHOST": "host"},
            "ALERT_SMTP_SMARTHOST as host:port, got 'host'",
        ),
        ({**EMAIL, "ALERT_SMTP_TLS": "no"}, "ALERT_SMTP_TLS must be on or off, got 'no'"),
        ({**EMAIL, "ALERT_SMTP_USERNAME": "u"}, "ALERT_SMTP_USERNAME also needs ALERT_SMTP_PASS"),
        ({**EMAIL, "ALERT_SMTP_PASSWORD": "p"}, "ALERT_SMTP_PASSWORD also needs ALERT_SMTP_USER"),
        ({"ALERT_GROUP_WAIT": "soon"}, "ALERT_GROUP_WAIT must be a duration"),
        ({"ALERT_GROUP_WAIT": "5m1h"}, "ALERT_GROUP_WAIT must be a duration"),
        ({"ALERT_GROUP_INTERVAL": "0s"}, "ALERT_GROUP_INTERVAL must be a duration above 0"),
    ],
)
def test_a_wrong_setting_stops_the_start(settings: dict[str, str], said: str) -> None:
    done = printed(**settings)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("alertmanager: ") and said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "address",
    [
        "s3cret",
        "http:///s3cret",
        "ftp://example.org/s3cret",
        "http://exa mple.org/s3cret",
        "http://example.org:port/s3cret",
        "http://[::1/s3cret",
        "http://example.org/%zz/s3cret",
        "http://example.org/s3cret\r",
    ],
)
def test_a_wrong_address_stops_the_start_and_is_not_shown(address: str) -> None:
    """Alertmanager would refuse these as well, and write them into its log."""
    done = printed(ALERT_WEBHOOK_URL=address)
    assert done.returncode == 2 and done.stdout == ""
    assert "ALERT_WEBHOOK_URL must be" in done.stderr and "s3cret" not in done.stderr


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "busybox sh"])
def test_every_shell_writes_the_same(shell: str) -> None:
    """The container's image has busybox alone."""
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"no {shell} here")
    settings = {**EMAIL, "ALERT_SMTP_USERNAME": "u", "ALERT_SMTP_PASSWORD": "it's \\n $(id) `id`"}
    settings["ALERT_WEBHOOK_URL"] = "https://user:pass@[::1]:8080/a%20b?x=1#f"
    written = {printed(**settings, by=by).stdout for by in ("sh", shell)}
    assert len(written) == 1 and "a%20b" in written.pop()


def test_what_is_silenced_is_what_the_alerts_say() -> None:
    """`caused_by` of each alert, and that a page silences its ticket; nothing else."""
    [own, *others] = config()["inhibit_rules"]
    assert own["source_matchers"] == ['severity="page"']
    silenced = {
        (target, _alert_names(rule["source_matchers"])[0], tuple(rule.get("equal", ())))
        for rule in others
        for target in _alert_names(rule["target_matchers"])
    }
    equal = {alert.name: alert.equal for alert in alerts()}
    said = {(alert.name, cause, equal[cause]) for alert in alerts() for cause in alert.caused_by}
    assert silenced == said and ("FeatureDrift", "ServiceDown", ("job",)) in said


def _alert_names(matchers: list[str]) -> list[str]:
    [matcher] = matchers
    name, _, value = matcher.replace("=~", "=").partition("=")
    assert name == "alertname"
    return value.strip('"').split("|")
