"""The settings of a start: one table; a bad value stops the start with one sentence.

The handler, the Collector and the simulator read their own settings from the same environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError


@dataclass(frozen=True)
class Setting:
    """A line of the table."""

    name: str
    default: str
    meaning: str
    is_port: bool = True


PORTS = (
    Setting("PORT", "5000", "the handler"),
    Setting("PROMETHEUS_PORT", "9090", "Prometheus"),
    Setting("ALERTMANAGER_PORT", "9093", "Alertmanager"),
    Setting("OTLP_PORT", "4318", "the Collector's OTLP receiver"),
    Setting("COLLECTOR_HEALTH_PORT", "13133", "the Collector's health check"),
    Setting("COLLECTOR_METRICS_PORT", "8888", "the Collector's own metrics"),
)
GRAFANA_PORT = Setting("GRAFANA_PORT", "3000", "Grafana")
TABLE = (
    *PORTS,
    GRAFANA_PORT,
    Setting("STACK_TOOLS_DIR", ".tools/bin", "folder of the programs built from Go modules", False),
)
# The ports that each mode of running takes on this machine.
NATIVE_PORTS = tuple(setting.name for setting in PORTS)
MINIMAL_PORTS = ("PORT",)
DOCKER_PORTS = ("PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT", "GRAFANA_PORT")


@dataclass(frozen=True)
class Settings:
    """The table's values, checked; ports by the name of their setting."""

    root: Path
    ports: Mapping[str, int]
    tools: Path

    @property
    def run(self) -> Path:
        """Data and state of the running stack."""
        return self.root / ".run"

    @property
    def logs(self) -> Path:
        """One file for each process."""
        return self.root / "logs"

    def url(self, setting: str) -> str:
        """The loopback address behind a port setting."""
        return f"http://127.0.0.1:{self.ports[setting]}"


def read_settings(root: Path, environ: Mapping[str, str]) -> Settings:
    """Raises StackError for a value that is no port."""
    ports = {setting.name: _port(setting, environ) for setting in TABLE if setting.is_port}
    tools = root / (environ.get("STACK_TOOLS_DIR") or ".tools/bin")
    return Settings(root=root, ports=ports, tools=tools)


def _port(setting: Setting, environ: Mapping[str, str]) -> int:
    # An empty variable means the default, as everywhere in the project.
    text = environ.get(setting.name, "").strip() or setting.default
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise StackError(
            f"{setting.name} must be a port between 1 and 65535, got {text!r}:"
            f" it is the port of {setting.meaning}."
        )
    return int(text)
