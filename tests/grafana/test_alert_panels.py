"""Where an alert's message leads: to a panel that exists and shows what the alert is about."""

from __future__ import annotations

import re

import pytest

from grafana import generate
from grafana.dashboard import Kind, Panel
from grafana.errors import GrafanaError
from grafana.panels import dashboards
from prometheus.generator.panels import OF_JOB
from tests.grafana.test_dashboard import names_in
from tests.lab.rules import Rule, read_alerts, severity_of

PANELS = {
    (dashboard.uid, panel.id): panel
    for dashboard in dashboards().values()
    for panel in dashboard.panels
}
# Scored transactions are what becomes of the requests that ServiceDown counts; Watchdog reads none.
OTHER_SERIES = {"ServiceDown", "Watchdog"}
RULES = [pytest.param(rule, id=name) for name, rules in read_alerts().items() for rule in rules]
an_alert = pytest.mark.parametrize("rule", RULES)


def panel_of(rule: Rule) -> Panel:
    """The panel that the annotations name."""
    annotations = rule["annotations"]
    return PANELS[annotations["__dashboardUid__"], int(annotations["__panelId__"])]


@an_alert
def test_link_leads_to_a_panel_that_exists(rule: Rule) -> None:
    """The same in the live view as in Grafana; the panel names the alert."""
    link = "{{ $externalURL }}/user/?d=UID" + OF_JOB + "#panel-ID"
    annotations = rule["annotations"]
    link = link.replace("UID", annotations["__dashboardUid__"])
    assert annotations["dashboard_url"] == link.replace("ID", annotations["__panelId__"])
    assert rule["alert"] in panel_of(rule).alerts


@an_alert
def test_panel_shows_series_of_the_alert(rule: Rule) -> None:
    """One of them at least; what has no name of a metric in it is in the alert word by word."""
    if str(rule["alert"]) in OTHER_SERIES:
        return
    alert = rule["expr"]
    for query in panel_of(rule).queries:
        names = names_in(query.expression)
        if names & names_in(alert) or (not names and _bare(query.expression) in _bare(alert)):
            return
    raise AssertionError(f"{rule['alert']}: no series of it is on its panel")


@an_alert
def test_panel_can_leave_green(rule: Rule) -> None:
    """It, or one of its series, has a threshold; states are red by themselves. But for the sign of
    life, which fires always."""
    panel = panel_of(rule)
    if panel.kind is Kind.STATES:
        return
    limits = [panel.thresholds, *(query.thresholds for query in panel.queries)]
    assert any(limits) or severity_of(rule) == "none"


def test_alert_has_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two panels that claim it are named before a rule leads to one of them."""
    twice = {name: board for name, board in dashboards().items() if name == "model"}
    monkeypatch.setattr(generate, "dashboards", lambda: twice | {"again": twice["model"]})
    with pytest.raises(GrafanaError, match="is in `alerts` of two panels"):
        generate.alert_panels()


def _bare(expression: str) -> str:
    return re.sub(r"\s", "", expression)
