"""The settings of a start: one table; a bad value stops the start with one sentence.

The handler, the Collector and the simulator read their own settings from the same environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stack.errors import StackError

# What keeps the metrics of local processes.
PROMETHEUS, CORTEX = STORES = ("prometheus", "cortex")

_ADDRESS = re.compile(r"https?://([\w.-]+|\[[0-9a-fA-F:.]+\])(:\d+)?(/[^\s?#]*)?")


# The label `job`, where OTEL_SERVICE_NAME says nothing else.
SERVICE = "fraud-handler"


@dataclass(frozen=True)
class Setting:
    """A line of the table."""

    name: str
    default: str
    meaning: str
    is_port: bool = True
    count: int = 1
    """Of ports in a row that are taken, this one the first."""


PORTS = (
    Setting("PORT", "5000", "the handler"),
    Setting("PROMETHEUS_PORT", "9090", "Prometheus"),
    Setting("ALERTMANAGER_PORT", "9093", "Alertmanager"),
    Setting("OTLP_PORT", "4318", "the Collector's OTLP receiver"),
    Setting("COLLECTOR_HEALTH_PORT", "13133", "the Collector's health check"),
    Setting("COLLECTOR_METRICS_PORT", "8888", "the Collector's own metrics"),
)
GRAFANA_PORT = Setting("GRAFANA_PORT", "3000", "Grafana")
# By --store cortex only. In a row: HTTP, gRPC and gossip of three nodes each, and the agent.
CORTEX_PORT = Setting("CORTEX_PORT", "9400", "Cortex", count=10)
# What stands before each link in a message; the port is that of the setting named last.
ADDRESSES = (
    (
        Setting(
            "PROMETHEUS_EXTERNAL_URL",
            "http://localhost:9090",
            "where those who get messages reach Prometheus, which has dashboards and runbooks",
            False,
        ),
        "PROMETHEUS_PORT",
    ),
    (
        Setting(
            "ALERTMANAGER_EXTERNAL_URL",
            "http://localhost:9093",
            "where those who get messages reach Alertmanager",
            False,
        ),
        "ALERTMANAGER_PORT",
    ),
)
TABLE = (
    *PORTS,
    GRAFANA_PORT,
    CORTEX_PORT,
    *(setting for setting, _ in ADDRESSES),
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
    external: Mapping[str, str]
    """Addresses in messages, by the name of their setting."""
    tools: Path

    @property
    def run(self) -> Path:
        """Data and state of the running stack."""
        return self.root / ".run"

    @property
    def traces(self) -> Path:
        """What the native Collector writes the last kept traces into."""
        return self.run / "traces"

    @property
    def progress(self) -> Path:
        """What the start still makes, for the service's page."""
        return self.run / "progress.json"

    @property
    def logs(self) -> Path:
        """One file for each process."""
        return self.root / "logs"

    @property
    def moved(self) -> Mapping[str, str]:
        """The external addresses that are not those of docker-compose.yml."""
        usual = {setting.name: setting.default for setting, _ in ADDRESSES}
        return {name: each for name, each in self.external.items() if each != usual[name]}

    def url(self, setting: str) -> str:
        """The loopback address behind a port setting."""
        return f"http://127.0.0.1:{self.ports[setting]}"


def read_settings(root: Path, environ: Mapping[str, str]) -> Settings:
    """Raises StackError for a value that is no port or no address."""
    ports = {setting.name: _port(setting, environ) for setting in TABLE if setting.is_port}
    tools = root / (environ.get("STACK_TOOLS_DIR") or ".tools/bin")
    external = {
        setting.name: _address(setting, environ) or f"http://localhost:{ports[port]}"
        for setting, port in ADDRESSES
    }
    return Settings(root=root, ports=ports, external=external, tools=tools)


def _address(setting: Setting, environ: Mapping[str, str]) -> str:
    text = environ.get(setting.name, "").strip().rstrip("/")
    if text and not _ADDRESS.fullmatch(text):
        raise StackError(
            f"{setting.name} must be an address such as https://monitoring.example.org,"
            f" got {text!r}: it is {setting.meaning}."
        )
    return text


def _port(setting: Setting, environ: Mapping[str, str]) -> int:
    # An empty variable means the default, as everywhere in the project.
    text = environ.get(setting.name, "").strip() or setting.default
    last = 65536 - setting.count
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= last):
        what = "port" if setting.count == 1 else f"first of {setting.count} ports"
        raise StackError(
            f"{setting.name} must be a port between 1 and {last}, got {text!r}:"
            f" it is the {what} of {setting.meaning}."
        )
    return int(text)
