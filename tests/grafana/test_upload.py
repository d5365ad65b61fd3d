"""`python -m grafana upload`: the requests that Grafana and Mimir document, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from grafana import __main__ as cli
from grafana.cloud.access import (
    FOR_DASHBOARDS,
    FOR_METRICS,
    grafana_access,
    read_settings,
    ruler_access,
)
from grafana.cloud.ruler import NAMESPACE
from grafana.cloud.upload import plan_dashboards
from grafana.errors import GrafanaError
from grafana.panels import dashboards
from grafana.render.board import panels_of
from prometheus.client import http
from prometheus.client.http import Client
from tests.grafana.conftest import METRICS_ID, POLICY_TOKEN, SERVICE_TOKEN, Cloud
from tests.grafana.rule_groups import ALERTS, RECORDING

UIDS = [dashboard.uid for dashboard in dashboards().values()]
TITLES = [dashboard.title for dashboard in dashboards().values()]


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, cloud: Cloud) -> None:
    """The environment of somebody who has an account."""
    for name in (*FOR_DASHBOARDS, *FOR_METRICS, "GRAFANA_DATASOURCE_UID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder with two rule files."""
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump({"groups": [ALERTS]}))
    (tmp_path / "recording.yml").write_text(yaml.safe_dump({"groups": [RECORDING]}))
    return tmp_path


def upload(rules: Path, *options: str) -> int:
    return cli.main(["upload", "--rules", str(rules), *options])


def test_upload_brings_dashboard_and_rules(cloud: Cloud, rules: Path) -> None:
    """The folder, the dashboards in it with the cloud's data source, and each rule group."""
    assert upload(rules) == 0

    board = cloud.dashboards["fraud-overview"]
    panels = panels_of(board["spec"])
    source, *_ = board["spec"]["templating"]["list"]
    assert cloud.folders["fraud-detection"]["spec"] == {"title": "Fraud detection"}
    assert board["metadata"]["annotations"]["grafana.app/folder"] == "fraud-detection"
    assert sorted(cloud.dashboards) == sorted(each.uid for each in dashboards().values())
    assert len(panels) == 16
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert (source["name"], source["current"]["value"]) == ("datasource", "grafanacloud-prom")
    assert {t["interval"] for panel in panels for t in panel["targets"]} == {"1m"}
    assert cloud.rules == {NAMESPACE: {"shares": RECORDING, "errors: every one": ALERTS}}


def test_upload_can_be_repeated(
    cloud: Cloud, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second time nothing is created, and equal rules are left alone."""
    upload(rules)
    cloud.requests.clear()
    capsys.readouterr()

    assert upload(rules) == 0
    path = "/apis/dashboard.grafana.app/v1/namespaces/stacks-7654321/dashboards"
    assert cloud.writes == [f"PUT {path}/{uid}" for uid in UIDS]
    assert capsys.readouterr().out.splitlines() == [
        "unchanged folder 'Fraud detection'",
        *(f"replace   dashboard {title!r}" for title in TITLES),
        "unchanged rule group 'errors: every one' (2 rules)",
        "unchanged rule group 'shares' (1 rules)",
    ]


def test_upload_makes_rules_what_the_files_say(cloud: Cloud, rules: Path) -> None:
    """A changed group is replaced, one without a file deleted, other namespaces are not touched."""
    upload(rules)
    cloud.rules["somebody else's"] = {"theirs": ALERTS}
    (rules / "alerts.yml").unlink()
    changed = {**RECORDING, "interval": "2m"}
    (rules / "recording.yml").write_text(yaml.safe_dump({"groups": [changed]}))

    assert upload(rules, "--only", "rules") == 0
    assert cloud.rules == {NAMESPACE: {"shares": changed}, "somebody else's": {"theirs": ALERTS}}


def test_dry_run_changes_nothing(
    cloud: Cloud, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It reads, says what would be done, and writes nothing."""
    assert upload(rules, "--dry-run") == 0

    assert cloud.writes == []
    assert capsys.readouterr().out.splitlines() == [
        "create    folder 'Fraud detection'",
        *(f"create    dashboard {title!r}" for title in TITLES),
        "create    rule group 'errors: every one' (2 rules)",
        "create    rule group 'shares' (1 rules)",
        "dry run: nothing was changed",
    ]


def test_every_missing_setting_is_named_at_once(
    cloud: Cloud,
    rules: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence names all that is missing, and nothing is asked of any server."""
    for name in cloud.environment:
        monkeypatch.delenv(name)

    assert upload(rules) == 2
    message = capsys.readouterr().err
    assert all(name in message for name in (*FOR_DASHBOARDS, *FOR_METRICS))
    assert cloud.requests == []


def test_only_dashboards_needs_no_setting_of_the_rules(
    cloud: Cloud, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out is not asked for."""
    monkeypatch.delenv("GRAFANA_CLOUD_PROM_URL")

    assert upload(rules, "--only", "dashboards") == 0
    assert cloud.rules == {}


def test_without_rule_files_only_dashboards_are_uploaded(cloud: Cloud, tmp_path: Path) -> None:
    """A project without rules needs no access to the ruler."""
    assert upload(tmp_path) == 0
    assert not any("rules" in request for request in cloud.requests)


def test_rules_have_a_token_of_their_own_if_one_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the Collector's token need not be allowed to change rules."""
    environment = {
        "GRAFANA_CLOUD_PROM_URL": "https://prometheus-prod-01.grafana.net/api/prom/push",
        "GRAFANA_CLOUD_PROM_ID": METRICS_ID,
        "GRAFANA_CLOUD_TOKEN": "glc_collector",
        "GRAFANA_CLOUD_RULES_TOKEN": POLICY_TOKEN,
    }
    client = ruler_access(read_settings(environment, FOR_METRICS))

    assert client.address == "https://prometheus-prod-01.grafana.net"
    assert client.authorization == http.basic(METRICS_ID, POLICY_TOKEN)


REFUSALS = {
    "wrong service account token": (
        {"GRAFANA_SERVICE_ACCOUNT_TOKEN": "glsa_other"},
        "401, the token was not accepted: check GRAFANA_SERVICE_ACCOUNT_TOKEN",
    ),
    "wrong stack": ({"GRAFANA_NAMESPACE": "stacks-1"}, "403, the service account may not do that"),
    "wrong policy token": (
        {"GRAFANA_CLOUD_TOKEN": "glc_other"},
        "401, the token was not accepted: check GRAFANA_CLOUD_PROM_ID",
    ),
    "wrong metrics id": ({"GRAFANA_CLOUD_PROM_ID": "1"}, "check GRAFANA_CLOUD_PROM_ID"),
    "push url without scheme": (
        {"GRAFANA_CLOUD_PROM_URL": "prometheus.grafana.net"},
        "GRAFANA_CLOUD_PROM_URL must be like https://prometheus-",
    ),
    "not an address": (
        {"GRAFANA_URL": "name.grafana.net"},
        "GRAFANA_URL must be an address such as http",
    ),
    "not encrypted": (
        {"GRAFANA_URL": "http://name.grafana.net"},
        "is not https: the token would be readable on the way",
    ),
    "nobody there": ({"GRAFANA_URL": "http://127.0.0.1:1"}, "(GRAFANA_URL) cannot be reached: "),
}


@pytest.mark.parametrize(("changed", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_refusal_says_what_to_check(
    changed: dict[str, str],
    sentence: str,
    cloud: Cloud,
    rules: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence with the setting to look at; nothing was changed, no secret is shown."""
    for name, value in changed.items():
        monkeypatch.setenv(name, value)

    assert upload(rules) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert cloud.writes == []
    for secret in (SERVICE_TOKEN, POLICY_TOKEN, "glsa_other", "glc_other"):
        assert secret not in printed.out + printed.err


def test_token_does_not_follow_a_redirect(
    cloud: Cloud, rules: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the address points elsewhere, it says so instead of carrying the token there."""
    cloud.troubles = [(301, {"Location": f"{cloud.url}/elsewhere"})]

    assert upload(rules) == 2
    assert "points elsewhere" in capsys.readouterr().err
    assert len(cloud.requests) == 1


def test_busy_server_is_asked_again(cloud: Cloud) -> None:
    """429 and 503 are passing: the request is sent again, after the time that was asked for."""
    cloud.troubles = [(429, {"Retry-After": "0"}), (503, {})]
    client = Client(cloud.url, http.bearer(SERVICE_TOKEN), pause=0)
    path = "/apis/folder.grafana.app/v1/namespaces/stacks-7654321/folders/none"

    assert client.get(path).status == 404
    assert cloud.requests == [f"GET {path}"] * 3


def test_server_that_stays_busy_is_given_up(cloud: Cloud) -> None:
    """After four tries the answer is what it is."""
    cloud.troubles = [(503, {})] * 9

    assert Client(cloud.url, pause=0).get("/anything").status == 503
    assert len(cloud.requests) == 4


def test_change_by_somebody_else_meanwhile_is_not_written_over(cloud: Cloud, rules: Path) -> None:
    """The version that was read goes along; if it is no longer the newest, nothing is written."""
    upload(rules, "--only", "dashboards")
    access = grafana_access(read_settings(cloud.environment, FOR_DASHBOARDS))
    *_, replace = plan_dashboards(access)
    cloud.dashboards[UIDS[-1]]["metadata"]["resourceVersion"] = "9"

    assert replace.take is not None
    with pytest.raises(GrafanaError, match="somebody else changed it at the same time"):
        replace.take()
