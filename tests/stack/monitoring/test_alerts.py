"""What a start and `status` tell of alerts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import yaml

from prometheus.generator.alerts.telemetry import OF_THE_STACK
from stack.errors import StackError
from stack.monitoring import alerts
from stack.monitoring.alerts import check_settings, describe_firing, with_receivers
from stack.settings import Settings, read_settings
from tests.lab.ports import free_port
from tests.stack.conftest import ROOT

Serve = Callable[[Callable[[], str]], str]
JOB = "fraud-handler"
HOOK = {"ALERT_WEBHOOK_URL": "https://example.org/hook"}


@pytest.fixture
def settings() -> Settings:
    return read_settings(ROOT, {})


def configured(*, pages: str = "", tickets: str = "") -> str:
    """What Alertmanager answers to /api/v2/status."""
    receivers = [
        {"name": "heartbeat", "webhook_configs": [{"url": "<secret>"}]},
        {"name": "pages"}
        | {f"{way}_configs": [{}] * pages.split().count(way) for way in set(pages.split())},
        {"name": "tickets"} | {f"{way}_configs": [{}] for way in tickets.split()},
    ]
    return json.dumps({"config": {"original": yaml.safe_dump({"receivers": receivers})}})


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (configured(), "sent nowhere: set ALERT_WEBHOOK_URL"),
        (configured(pages="webhook email", tickets="webhook email"), "sent by webhook, e-mail"),
        (configured(pages="webhook"), "sent by pager"),
        (
            configured(pages="webhook webhook slack", tickets="webhook slack"),
            "sent by pager, webhook, Slack",
        ),
    ],
)
def test_the_ways_are_those_of_the_running_program(answer: str, said: str, serve: Serve) -> None:
    url = serve(lambda: answer)
    shown = with_receivers({"Handler": "http://localhost:1", "Alerts": url})
    assert shown == {"Handler": "http://localhost:1", "Alerts": f"{url} ({said})"}


def test_a_start_without_alertmanager_has_no_ways() -> None:
    assert with_receivers({"Handler": "http://localhost:1"}) == {"Handler": "http://localhost:1"}


def fires(*alerts: tuple[str, str]) -> str:
    """What Alertmanager answers to /api/v2/alerts."""
    return json.dumps([{"labels": {"alertname": n, "severity": s, "job": JOB}} for s, n in alerts])


def test_pages_come_before_tickets_and_are_counted(
    serve: Serve,
) -> None:
    drift = ("ticket", "FeatureDrift")
    listed = fires(drift, ("none", "Watchdog"), ("page", "ServiceDown"), drift)
    url = serve(lambda: listed)
    assert describe_firing(url, JOB) == "page ServiceDown, ticket FeatureDrift (2)"


def test_alerts_of_another_service_are_left_out(serve: Serve) -> None:
    """Those of the stack concern every service; without a job nobody is left out."""
    jobs = (JOB, "loans", "otel-collector", None)
    labels = [{"alertname": f"Of{n}", "severity": "page", "job": j} for n, j in enumerate(jobs)]
    listed = json.dumps([{"labels": {k: v for k, v in one.items() if v}} for one in labels])
    url = serve(lambda: listed)
    assert describe_firing(url, JOB) == "page Of0, page Of2, page Of3"
    assert describe_firing(url, "") == "page Of0, page Of1, page Of2, page Of3"


def test_jobs_of_the_stack_are_those_of_the_rules() -> None:
    """Here, and in the start page's script."""
    jobs = OF_THE_STACK.split("|")
    assert list(alerts._OF_THE_STACK) == jobs
    script = (ROOT / "service/pages/parts/js/now.js").read_text(encoding="utf-8")
    assert f"const OF_THE_STACK = {json.dumps(jobs)};" in script


def test_a_heartbeat_is_nobodys_trouble(serve: Serve) -> None:
    assert describe_firing(serve(lambda: fires(("none", "Watchdog"))), JOB) == "nothing"


def test_an_alertmanager_that_does_not_answer_is_not_taken_for_peace() -> None:
    assert (
        describe_firing(f"http://127.0.0.1:{free_port()}", JOB)
        == "unknown: Alertmanager does not answer"
    )


def test_a_wrong_setting_is_reported_before_anything_starts(settings: Settings) -> None:
    with pytest.raises(StackError, match=r"^ALERT_SLACK_WEBHOOK_URL must be an address") as refused:
        check_settings(
            settings, HOOK | {"ALERT_SLACK_WEBHOOK_URL": "hooks.slack.com", "PATH": "/usr/bin:/bin"}
        )
    assert refused.value.exit_code == 2


def test_right_settings_pass(settings: Settings) -> None:
    check_settings(settings, HOOK | {"PATH": "/usr/bin:/bin"})
