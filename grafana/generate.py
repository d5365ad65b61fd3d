"""The committed files that follow from the declared dashboards, written or compared."""

from __future__ import annotations

import json
from pathlib import Path

from grafana import guide
from grafana.errors import GrafanaError
from grafana.panels import dashboards
from grafana.render.board import Json, render

ROOT = Path(__file__).resolve().parent.parent
PROVISIONED = Path("grafana/dashboards")  # mounted into Grafana; one file a dashboard
IMPORTED = Path("grafana_dashboard.json")  # for 'Import' by hand
IMPORTED_DASHBOARD = "overview"
GUIDE = Path("docs/grafana_cloud_setup.md")
ALERT_PANELS = Path("prometheus/generator/alert_panels.json")  # the rules' annotations follow


def render_files() -> dict[Path, str]:
    """Content of each generated file, by its path from the root."""
    return {
        **{
            locate_dashboard(name): _text(render(dashboard))
            for name, dashboard in dashboards().items()
        },
        IMPORTED: _text(render(dashboards()[IMPORTED_DASHBOARD])),
        ALERT_PANELS: _text(alert_panels()),
        GUIDE: guide.with_budget((ROOT / GUIDE).read_text(encoding="utf-8")),
    }


def alert_panels() -> Json:
    """The panel of each alert: {alert: {"dashboard": uid, "panel": id}}.

    GrafanaError names an alert that two panels claim.
    """
    found: Json = {}
    for dashboard in dashboards().values():
        for panel in dashboard.panels:
            for alert in panel.alerts:
                if alert in found:
                    raise GrafanaError(f"{alert} is in `alerts` of two panels: its place is one")
                found[alert] = {"dashboard": dashboard.uid, "panel": panel.id}
    return found


def locate_dashboard(name: str) -> Path:
    """The generated file of the dashboard that grafana/panels/<name>.py declares."""
    return PROVISIONED / f"{name}.json"


def write(root: Path = ROOT) -> list[Path]:
    """Write the generated files and remove those without a source; the ones that changed."""
    changed = find_outdated(root)
    texts = render_files()
    for path in changed:
        if path in texts:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(texts[path], encoding="utf-8")
        else:
            (root / path).unlink()
    return changed


def find_outdated(root: Path = ROOT) -> list[Path]:
    """Generated files that are missing, do not say what their source says, or have none."""
    texts = render_files()
    present = {path.relative_to(root) for path in (root / PROVISIONED).glob("*.json")}
    wrong = [path for path, text in texts.items() if _read(root / path) != text]
    return wrong + sorted(present - texts.keys())


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _text(content: Json) -> str:
    return json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
