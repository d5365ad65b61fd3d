"""How the dashboards' panels are drawn: colours and ranges."""

from __future__ import annotations

from grafana.panels import dashboards
from grafana.render.board import panels_of
from tests.grafana.conftest import read_dashboard


def test_live_quality_and_its_promise_have_one_colour() -> None:
    """Before labels come the promised ones are alone, and would take the colours of the first."""
    [panel] = [panel for panel in dashboards()["overview"].panels if panel.id == 4]
    colours = {query.legend: query.colour for query in panel.queries}
    for measure in ("accuracy", "precision", "recall", "F1"):
        assert colours[measure] == colours[f"{measure} (card)"] != ""
    assert len(set(colours.values())) == 4


def test_what_may_fall_below_zero_is_seen_there() -> None:
    """A challenger that is worse, a budget that is spent; everything else begins at zero."""
    signed = {
        panel["title"]
        for name in dashboards()
        for panel in panels_of(read_dashboard(name))
        if panel["type"] == "timeseries" and "min" not in panel["fieldConfig"]["defaults"]
    }
    assert signed == {"Gain of the challenger", "Budget left, and in a day"}
