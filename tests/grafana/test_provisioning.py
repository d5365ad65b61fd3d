"""The provisioning files fit each other and the dashboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from grafana import dashboard

FOLDER = Path(__file__).resolve().parents[2] / "grafana" / "provisioning"
SOURCES: dict[str, dict[str, Any]] = {
    source["uid"]: source
    for source in yaml.safe_load((FOLDER / "datasources/datasources.yml").read_text())[
        "datasources"
    ]
}
PROVIDERS = yaml.safe_load((FOLDER / "dashboards/dashboards.yml").read_text())["providers"]


def test_data_sources_have_the_uids_that_are_referred_to() -> None:
    """Prometheus is the dashboard's source and the default, Tempo has the traces."""
    assert set(SOURCES) == {dashboard.LOCAL_DATASOURCE, "tempo"}
    assert SOURCES["prometheus"]["isDefault"]
    assert {uid: source["type"] for uid, source in SOURCES.items()} == {
        "prometheus": "prometheus",
        "tempo": "tempo",
    }


def test_exemplars_lead_to_tempo() -> None:
    """The label that OTLP exemplars carry links to the data source that has the trace."""
    (link,) = SOURCES["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]

    assert (link["name"], link["datasourceUid"]) == ("trace_id", "tempo")


def test_rate_interval_fits_the_push_interval() -> None:
    """$__rate_interval is four times this; handlers push every 15 s by default."""
    assert SOURCES["prometheus"]["jsonData"]["timeInterval"] == "15s"


def test_provider_puts_the_dashboards_into_the_folder_of_the_upload() -> None:
    """Provisioned here and uploaded there, the folder is the same."""
    (provider,) = PROVIDERS

    assert provider["folder"] == dashboard.FOLDER_TITLE
    assert provider["folderUid"] == dashboard.FOLDER_UID
    assert provider["allowUiUpdates"] is False
    assert provider["options"] == {"path": "/var/lib/grafana/dashboards"}
