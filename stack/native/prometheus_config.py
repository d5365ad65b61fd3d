"""Prometheus' configuration with the ports of this start, and the pages that it serves."""

from __future__ import annotations

import shutil
from pathlib import Path

from stack.settings import Settings

# Port in prometheus/targets -> the setting that moves it.
_TARGETS = {
    "9090": "PROMETHEUS_PORT",
    "8888": "COLLECTOR_METRICS_PORT",
    "9093": "ALERTMANAGER_PORT",
}
# Where a Prometheus without pages of its own looks for them, from the folder where it
# runs (web/ui/ui.go).
PAGES = Path("static/mantine-ui")
# Every page of Prometheus' own is this one; relative, so that it holds behind a proxy's path too.
TO_LIVE_VIEW = """\
<!doctype html>
<title>Prometheus</title>
<meta http-equiv="refresh" content="0; url=user/">
<a href="user/">Dashboards</a>
"""


def write_prometheus_config(settings: Settings) -> None:
    """.run/prometheus-config, where Prometheus runs: prometheus/ itself, but with the addresses of
    this start, and a page that leads from its own address to the live view."""
    source, folder = settings.root / "prometheus", settings.run / "prometheus-config"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "targets" / "alertmanager").mkdir(parents=True)
    for name in ("prometheus.yml", "rules"):
        (folder / name).symlink_to(source / name)
    for name in ("native.yml", "alertmanager/native.yml"):
        targets = (source / "targets" / name).read_text()
        for default, setting in _TARGETS.items():
            here = f"127.0.0.1:{settings.ports[setting]}"
            targets = targets.replace(f"localhost:{default}", here)
        (folder / "targets" / name).write_text(targets)
    (folder / PAGES).mkdir(parents=True)
    (folder / PAGES / "index.html").write_text(TO_LIVE_VIEW)


def link_live_view(root: Path, folder: Path, traces: Path | None = None) -> None:
    """The folder that Prometheus serves under /user/: the live view with the dashboards that it
    draws and the runbooks of the alerts, as docker-compose.yml mounts them; and where they are
    kept in files, the traces."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for source in (root / "prometheus" / "live_view").iterdir():
        (folder / source.name).symlink_to(source)
    if traces is not None:
        traces.mkdir(parents=True, exist_ok=True)
        (folder / "traces").symlink_to(traces)
    for name, source in (
        ("dashboards", root / "grafana" / "dashboards"),
        ("runbooks", root / "docs" / "runbooks"),
    ):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(source)
