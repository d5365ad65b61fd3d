"""An installed Grafana, started beside the others: provisioned with the dashboards, on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stack.native import path_programs
from stack.settings import Settings

# Beside the program in a download; elsewhere by Debian's and Fedora's packages, and by Homebrew.
_HOMES = ("/usr/share/grafana", "/usr/local/share/grafana", "/opt/homebrew/share/grafana")
_IN_FORMULA = Path("share/grafana")
# Without it the folder is no home of a Grafana.
_DEFAULTS = Path("conf/defaults.ini")


@dataclass(frozen=True)
class Grafana:
    """The program and the folder with its pages and defaults."""

    path: Path
    home: Path


def find_grafana() -> tuple[Grafana | None, Sequence[str]]:
    """The Grafana of the PATH when it can be taken, and a line about the one that was found."""
    found = path_programs.find(path_programs.GRAFANA)
    if found is None:
        return None, ()
    if not found.fits:
        return None, (found.describe(),)
    install = found.path.resolve().parent.parent
    homes = (install, install / _IN_FORMULA, *(Path(home) for home in _HOMES))
    home = next((home for home in homes if (home / _DEFAULTS).exists()), None)
    if home is None:
        return None, (f"Not taken from the PATH: {found.path}; its {_DEFAULTS} is not found.",)
    return Grafana(found.path, home), (found.describe(),)


def write_provisioning(settings: Settings) -> None:
    """.run/grafana/provisioning: grafana/provisioning, but with the addresses of this start."""
    source = settings.root / "grafana" / "provisioning"
    folder = settings.run / "grafana" / "provisioning"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("dashboards", "datasources", "plugins", "alerting"):
        (folder / name).mkdir(parents=True)
    providers = yaml.safe_load((source / "dashboards" / "dashboards.yml").read_text())
    providers["providers"][0]["options"]["path"] = str(settings.root / "grafana" / "dashboards")
    _write(folder / "dashboards" / "dashboards.yml", providers)
    sources = yaml.safe_load((source / "datasources" / "datasources.yml").read_text())
    sources["datasources"] = [
        _locate(each, settings) for each in sources["datasources"] if each["type"] != "tempo"
    ]
    _write(folder / "datasources" / "datasources.yml", sources)


def _locate(source: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The data source at the address of this start; traces are shown by the live view."""
    options = dict(source["jsonData"])
    if "exemplarTraceIdDestinations" in options:
        url = f"{settings.external['PROMETHEUS_EXTERNAL_URL']}/user/?trace=${{__value.raw}}"
        # Provisioning would fill in ${…} itself.
        options["exemplarTraceIdDestinations"] = [
            {"name": "trace_id", "url": url.replace("$", "$$"), "urlDisplayLabel": "Show the trace"}
        ]
    port = f"{source['type'].upper()}_PORT"
    return source | {"url": settings.url(port), "jsonData": options}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def grafana_environment(settings: Settings, grafana: Grafana) -> dict[str, str]:
    """Its settings; all data is under .run/, and whoever reaches loopback may look."""
    folder = settings.run / "grafana"
    return {
        "STACK_GRAFANA": str(grafana.path),
        "STACK_GRAFANA_HOME": str(grafana.home),
        "GF_SERVER_HTTP_ADDR": "127.0.0.1",
        "GF_SERVER_HTTP_PORT": str(settings.ports["GRAFANA_PORT"]),
        "GF_PATHS_DATA": str(folder / "data"),
        "GF_PATHS_LOGS": str(folder / "logs"),
        "GF_PATHS_PLUGINS": str(folder / "plugins"),
        "GF_PATHS_PROVISIONING": str(folder / "provisioning"),
        "GF_AUTH_ANONYMOUS_ENABLED": "true",
        "GF_ANALYTICS_REPORTING_ENABLED": "false",
        "GF_ANALYTICS_CHECK_FOR_UPDATES": "false",
        "GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH": str(
            settings.root / "grafana" / "dashboards" / "overview.json"
        ),
    }
