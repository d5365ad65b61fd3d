"""The provisioning files fit each other and the dashboards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from grafana import generate
from grafana.panels import dashboards
from grafana.render import board

FOLDER = Path(__file__).resolve().parents[2] / "grafana" / "provisioning"
SOURCES: dict[str, dict[str, Any]] = {
    source["uid"]: source
    for source in yaml.safe_load((FOLDER / "datasources/datasources.yml").read_text())[
        "datasources"
    ]
}
PROVIDERS = yaml.safe_load((FOLDER / "dashboards/dashboards.yml").read_text())["providers"]


def test_data_sources_have_the_uids_that_are_referred_to() -> None:
    """Prometheus is the default, which dashboards ask; Tempo has the traces."""
    assert set(SOURCES) == {"prometheus", "tempo", "alertmanager"}
    assert SOURCES["prometheus"]["isDefault"]
    assert {uid: source["type"] for uid, source in SOURCES.items()} == {
        "prometheus": "prometheus",
        "tempo": "tempo",
        "alertmanager": "alertmanager",
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

    assert provider["folder"] == board.FOLDER_TITLE
    assert provider["folderUid"] == board.FOLDER_UID
    assert provider["allowUiUpdates"] is False
    assert provider["options"] == {"path": "/var/lib/grafana/dashboards"}


def test_every_dashboard_is_in_the_folder_that_is_provisioned() -> None:
    """What `path` is mounted from (docker-compose.yml) holds each declared dashboard, no others."""
    compose = yaml.safe_load((generate.ROOT / "docker-compose.yml").read_text())
    mounts = compose["services"]["grafana"]["volumes"]
    present = {path.stem for path in (generate.ROOT / generate.PROVISIONED).glob("*.json")}

    assert any(
        one.startswith(f"./{generate.PROVISIONED}:/var/lib/grafana/dashboards") for one in mounts
    )
    assert present == set(dashboards())


def test_home_of_grafana_is_the_overview() -> None:
    compose = yaml.safe_load((generate.ROOT / "docker-compose.yml").read_text())
    home = compose["services"]["grafana"]["environment"][
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
    ]

    assert home == f"/var/lib/grafana/dashboards/{generate.locate_dashboard('overview').name}"
