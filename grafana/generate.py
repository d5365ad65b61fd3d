"""The committed files that follow from the table, written or compared."""

from __future__ import annotations

import json
from pathlib import Path

from grafana import guide
from grafana.dashboard import Json, overview

ROOT = Path(__file__).resolve().parent.parent
PROVISIONED = Path("grafana/dashboards/overview.json")
IMPORTED = Path("grafana_dashboard.json")
GUIDE = Path("docs/grafana_cloud_setup.md")


def rendered() -> dict[Path, str]:
    """Content of each generated file, by its path from the root."""
    return {
        PROVISIONED: _text(overview()),
        IMPORTED: _text(importable()),
        GUIDE: guide.current((ROOT / GUIDE).read_text(encoding="utf-8")),
    }


def importable() -> Json:
    """The Overview dashboard for 'Import' in Grafana, which then asks for the data source."""
    name = "DS_PROMETHEUS"
    return {
        "__inputs": [
            {
                "name": name,
                "label": "Prometheus",
                "description": "Where the handler's metrics are",
                "type": "datasource",
                "pluginId": "prometheus",
                "pluginName": "Prometheus",
            }
        ],
        "__requires": [
            {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "12.0.0"},
            {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
            {"type": "panel", "id": "timeseries", "name": "Time series", "version": ""},
            {"type": "panel", "id": "bargauge", "name": "Bar gauge", "version": ""},
        ],
        **overview(datasource_uid=f"${{{name}}}"),
    }


def write(root: Path = ROOT) -> list[Path]:
    """Write the generated files; those that changed."""
    changed = outdated(root)
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(rendered()[path], encoding="utf-8")
    return changed


def outdated(root: Path = ROOT) -> list[Path]:
    """Generated files that are missing or do not say what the table says."""
    return [path for path, text in rendered().items() if _read(root / path) != text]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _text(content: Json) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
