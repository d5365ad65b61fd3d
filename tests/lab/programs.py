"""What the Collector's and Prometheus' tests need: the real programs, real clients, faulty targets.

Every listener is on loopback, at a port that was free; nothing here is used outside the tests.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
USER = "123456"
TOKEN = "token-of-the-tests"
# bcrypt of TOKEN at the lowest cost: Prometheus checks it at every request.
_TOKEN_HASH = "$2b$04$8xWrPWN8cZzrcySLqiju2OLnbhJTncOIS/HANOmfAouUeaBMwv/N."


def free_port() -> int:
    """A port of loopback that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until(promise: Callable[[], bool], seconds: float, what: str, every: float = 0.1) -> None:
    """Returns as soon as the promise holds; fails the test naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if promise():
            return
        time.sleep(every)
    raise AssertionError(f"not within {seconds:g} s: {what}")


def answers(url: str, auth: tuple[str, str] | None = None) -> bool:
    """True when the address answers with 200."""
    try:
        return requests.get(url, timeout=2, auth=auth).status_code == 200
    except requests.RequestException:
        return False


@dataclass
class Program:
    """A started program whose output is kept in a file."""

    command: list[str]
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        """Starts it, appending to its log; without the settings of whoever runs the tests."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, stdout=output, stderr=output, env=clean_environment() | self.env
            )

    def kill(self) -> None:
        """SIGKILL: nothing can be tidied up."""
        self._end(signal.SIGKILL)

    def terminate(self, grace: float = 20) -> float:
        """SIGTERM; gives the seconds until it was gone."""
        began = time.monotonic()
        self._end(signal.SIGTERM, grace)
        return time.monotonic() - began

    def _end(self, with_signal: signal.Signals, grace: float = 10) -> None:
        if self.process is None:
            return
        self.process.send_signal(with_signal)
        try:
            self.process.wait(grace)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None

    def resident_mib(self) -> float:
        """Memory that it holds now."""
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def said(self) -> str:
        """Everything that it has printed."""
        return self.log.read_text(errors="replace")


def clean_environment() -> dict[str, str]:
    """This process' environment without settings of the stack."""
    own = ("OTEL_", "OTLP_", "COLLECTOR_", "GRAFANA_", "TRACES_", "PROMETHEUS_", "TEMPO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


Series = tuple[tuple[str, str], ...]


class Prometheus(Program):
    """A real Prometheus with the project's configuration and other addresses."""

    def __init__(self, tools: Path, folder: Path, *, cloud: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.auth = (USER, TOKEN) if cloud else None
        super().__init__(self._command(tools, folder, cloud), folder / "log")

    def _command(self, tools: Path, folder: Path, cloud: bool) -> list[str]:
        config = folder / "prometheus.yml"
        config.write_text((ROOT / "prometheus/prometheus.yml").read_text())
        command = [
            str(tools / "prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-otlp-receiver",
            "--enable-feature=exemplar-storage",
        ]
        if cloud:
            web = folder / "web.yml"
            web.write_text(f'basic_auth_users:\n  "{USER}": "{_TOKEN_HASH}"\n')
            command += [f"--web.config.file={web}", "--web.enable-remote-write-receiver"]
        return command

    def start(self) -> Prometheus:
        """Returns when it can be asked."""
        self.launch()
        until(lambda: answers(f"{self.url}/-/ready", self.auth), 30, "Prometheus is ready")
        return self

    def _get(self, path: str, **parameters: str | float) -> Any:
        answer = requests.get(
            f"{self.url}/api/v1/{path}", params=parameters, auth=self.auth, timeout=10
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, promql: str, at: float | None = None) -> list[tuple[dict[str, str], float]]:
        """The instant vector as (labels, value)."""
        result = self._get("query", query=promql, **({} if at is None else {"time": at}))["result"]
        return [(each["metric"], float(each["value"][1])) for each in result]

    def number(self, promql: str, at: float | None = None) -> float | None:
        """The value of the one series in the answer; None when there is none."""
        found = self.query(promql, at)
        assert len(found) <= 1, found
        return found[0][1] if found else None

    def samples(
        self, selector: str, seconds: int = 3600
    ) -> dict[Series, list[tuple[float, float]]]:
        """Every stored (time, value) of the selected series of the last `seconds`."""
        result = self._get("query", query=f"{selector}[{seconds}s]")["result"]
        return {
            tuple(sorted(each["metric"].items())): [(t, float(v)) for t, v in each["values"]]
            for each in result
        }

    def series(self, selector: str = '{job="fraud-handler"}') -> set[Series]:
        """The labels of every series selected, the name among them."""
        found = self._get("series", **{"match[]": selector})
        return {tuple(sorted(each.items())) for each in found}

    def exemplars(self, promql: str) -> list[dict[str, Any]]:
        """The exemplars of the last hour."""
        now = time.time()
        found = self._get("query_exemplars", query=promql, start=now - 3600, end=now + 60)
        return [exemplar for each in found for exemplar in each["exemplars"]]


class Collector(Program):
    """The project's own Collector, with the configuration that is inside it."""

    def __init__(self, tools: Path, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.otlp, self.health, self.metrics = free_port(), free_port(), free_port()
        self.queue = folder / "queue"
        addresses = {
            "OTLP_HTTP_ENDPOINT": f"127.0.0.1:{self.otlp}",
            "COLLECTOR_HEALTH_ENDPOINT": f"127.0.0.1:{self.health}",
            "COLLECTOR_METRICS_PORT": str(self.metrics),
            "COLLECTOR_QUEUE_DIR": str(self.queue),
            "COLLECTOR_RETRY_MAX_INTERVAL": "2s",
        }
        super().__init__([str(tools / "otelcol")], folder / "log", addresses | settings)
        self.endpoint = f"http://127.0.0.1:{self.otlp}"

    def start(self) -> Collector:
        """Returns when it takes data."""
        self.launch()
        until(lambda: answers(f"http://127.0.0.1:{self.health}/"), 20, "the Collector is ready")
        return self

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One of its other words, such as `validate`, to its end."""
        return subprocess.run(
            [*self.command, *arguments],
            env=clean_environment() | self.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def own(self, metric: str) -> dict[str, float]:
        """The Collector's own metric by its label string."""
        text = requests.get(f"http://127.0.0.1:{self.metrics}/metrics", timeout=5).text
        starts = (metric + "{", metric + " ")
        lines = [line for line in text.splitlines() if line.startswith(starts)]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    def errors(self) -> list[dict[str, Any]]:
        """What it logged as an error."""
        lines = [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]
        return [line for line in lines if line["level"] == "error"]


def cloud_settings(target: str, metrics: str, token: str = TOKEN) -> dict[str, str]:
    """Settings that send to a Prometheus (or a stand-in for it) as if it were Grafana Cloud."""
    common = {"GRAFANA_CLOUD_METRICS": metrics, "GRAFANA_CLOUD_TOKEN": token}
    if metrics == "otlp":
        return common | {
            "GRAFANA_CLOUD_OTLP_ENDPOINT": f"{target}/api/v1/otlp",
            "GRAFANA_CLOUD_OTLP_ID": USER,
        }
    return common | {
        "GRAFANA_CLOUD_PROM_URL": f"{target}/api/v1/write",
        "GRAFANA_CLOUD_PROM_ID": USER,
    }
