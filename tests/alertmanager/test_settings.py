"""What start.sh makes of the environment, without any other program."""

from __future__ import annotations

import os
import subprocess
from typing import Any

import pytest
import yaml

from tests.alertmanager.lab import START

EMAIL = {
    "ALERT_EMAIL_TO": "oncall@example.org",
    "ALERT_SMTP_FROM": "alerts@example.org",
    "ALERT_SMTP_SMARTHOST": "mail.example.org:587",
}


def printed(**settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(START), "--print"],
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
    assert receivers() == {"pages": {"name": "pages"}, "tickets": {"name": "tickets"}}


def test_every_way_at_once() -> None:
    found = receivers(
        ALERT_WEBHOOK_URL="https://example.org/hook",
        ALERT_PAGE_WEBHOOK_URL="https://example.org/pager",
        ALERT_SLACK_WEBHOOK_URL="https://example.org/slack",
        ALERT_SLACK_CHANNEL="#fraud",
        **EMAIL,
    )
    hooks = {name: [w["url"] for w in each["webhook_configs"]] for name, each in found.items()}
    assert hooks == {
        "pages": ["https://example.org/hook", "https://example.org/pager"],
        "tickets": ["https://example.org/hook"],
    }
    for each in found.values():
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
        ({"ALERT_WEBHOOK_URL": "example.org"}, "ALERT_WEBHOOK_URL must be an address"),
        ({"ALERT_SLACK_WEBHOOK_URL": "http://"}, "ALERT_SLACK_WEBHOOK_URL must be an address"),
        ({"RUNBOOK_BASE_URL": "docs/"}, "RUNBOOK_BASE_URL must be an address"),
        ({"ALERT_WEBHOOK_URL": "http://a\nroute:"}, "ALERT_WEBHOOK_URL must be one line"),
        ({"ALERT_SLACK_CHANNEL": "{{ .x }}"}, "ALERT_SLACK_CHANNEL must be one line without {{"),
        ({"ALERT_EMAIL_TO": "somebody"}, "ALERT_EMAIL_TO must be an e-mail address"),
        ({"ALERT_EMAIL_TO": "a@b"}, "ALERT_EMAIL_TO also needs ALERT_SMTP_FROM"),
        (
            {"ALERT_EMAIL_TO": "a@b", "ALERT_SMTP_FROM": "c@d", "ALERT_SMTP_SMARTHOST": "host"},
            "ALERT_SMTP_SMARTHOST as host:port, got 'host'",
        ),
        ({**EMAIL, "ALERT_SMTP_TLS": "no"}, "ALERT_SMTP_TLS must be on or off, got 'no'"),
        ({"ALERT_GROUP_WAIT": "soon"}, "ALERT_GROUP_WAIT must be a duration"),
    ],
)
def test_a_wrong_setting_stops_the_start(settings: dict[str, str], said: str) -> None:
    done = printed(**settings)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("alertmanager: ") and said in done.stderr
    assert done.stderr.count("\n") == 1


def test_every_alert_that_is_silenced_exists() -> None:
    """A renamed alert must not leave a rule of inhibition behind that never holds."""
    rules = START.parents[1] / "rules"
    known = {
        rule["alert"]
        for path in rules.glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    named: set[str] = set()
    for inhibition in config()["inhibit_rules"]:
        for matcher in inhibition["source_matchers"] + inhibition["target_matchers"]:
            name, _, value = matcher.replace("=~", "=").partition("=")
            if name == "alertname":
                named |= set(value.strip('"').split("|"))
    assert named <= known | {"TelemetryLost"}
