"""A real Prometheus with the project's configuration, and what is asked of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import requests

from tests.lab.grafana_cloud import TOKEN, TOKEN_BCRYPT, USER
from tests.lab.paths import ROOT
from tests.lab.polling import answers
from tests.lab.ports import free_port
from tests.lab.program import Program

Series = tuple[tuple[str, str], ...]
"""The labels of one series, the name among them, sorted."""
OFFSET = "rule_query_offset: 30s"


class PrometheusApi:
    """What is asked of anything that answers as a Prometheus does, at `url`."""

    url: str
    auth: tuple[str, str] | None = None

    def get(self, path: str, **parameters: str | float) -> Any:
        """The data of a call of its HTTP API, such as `rules` or `alerts`."""
        answer = requests.get(
            f"{self.url}/api/v1/{path}", params=parameters, auth=self.auth, timeout=10
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def query(self, promql: str, at: float | None = None) -> list[tuple[dict[str, str], float]]:
        """The instant vector as (labels, value)."""
        result = self.get("query", query=promql, **({} if at is None else {"time": at}))["result"]
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
        result = self.get("query", query=f"{selector}[{seconds}s]")["result"]
        return {
            tuple(sorted(each["metric"].items())): [(t, float(v)) for t, v in each["values"]]
            for each in result
        }

    def series(self, selector: str = '{job="fraud-handler"}') -> set[Series]:
        """The labels of every series selected."""
        found = self.get("series", **{"match[]": selector})
        return {tuple(sorted(each.items())) for each in found}

    def exemplars(self, promql: str) -> list[dict[str, Any]]:
        """The exemplars of the last hour."""
        now = time.time()
        found = self.get("query_exemplars", query=promql, start=now - 3600, end=now + 60)
        return [exemplar for each in found for exemplar in each["exemplars"]]


class Prometheus(PrometheusApi, Program):
    """The local Prometheus; with `cloud` one that stands in for Grafana Cloud."""

    ready_seconds = 60

    def __init__(
        self, tools: Path, folder: Path, *, cloud: bool = False, rule_offset: str = "0s"
    ) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.auth = (USER, TOKEN) if cloud else None
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "prometheus.yml"
        text = (ROOT / "prometheus/prometheus.yml").read_text()
        # Tests push each second and do not wait.
        config.write_text(text.replace(OFFSET, f"rule_query_offset: {rule_offset}"))
        super().__init__(self._command(tools, folder, cloud), folder / "log", {})

    def _command(self, tools: Path, folder: Path, cloud: bool) -> list[str]:
        config = folder / "prometheus.yml"
        command = [
            str(tools / "prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-otlp-receiver",
            "--web.enable-remote-write-receiver",
            "--enable-feature=exemplar-storage",
        ]
        if cloud:
            web = folder / "web.yml"
            web.write_text(f'basic_auth_users:\n  "{USER}": "{TOKEN_BCRYPT}"\n')
            command.append(f"--web.config.file={web}")
        return command

    def is_ready(self) -> bool:
        """It can be queried."""
        return answers(f"{self.url}/-/ready", self.auth)
