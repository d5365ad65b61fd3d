"""The programs take what their pods are given: files as mounted, arguments, variables."""

from __future__ import annotations

import re
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import redis
import requests

from tests.kubernetes.checks import OVERLAYS
from tests.kubernetes.faults import container, pick
from tests.kubernetes.mounts import lay_out
from tests.kubernetes.test_manifests import read
from tests.kubernetes.workloads import Manifest, environment
from tests.lab.fixtures import MakeCollector
from tests.lab.grafana_cloud import cloud_settings
from tests.lab.paths import ROOT
from tests.lab.polling import answers, until
from tests.lab.ports import free_port
from tests.lab.program import Program

pytestmark = pytest.mark.stack


def variables(manifests: list[Manifest], name: str) -> dict[str, str]:
    """What the container's environment has in clear, its ConfigMaps' values among it."""
    given: dict[str, str] = {}
    for source in container(manifests, name).get("envFrom", ()):
        if "configMapRef" in source:
            given |= pick(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    own = environment(container(manifests, name))
    return given | {key: one["value"] for key, one in own.items() if "value" in one}


class Prometheus(Program):
    """As its pod runs it, but for the places of its files and its port."""

    def __init__(self, tools: Path, root: Path, arguments: list[str]) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        placed = [re.sub(r"=(?=/\w)", f"={root}", one) for one in arguments]
        own = [f"--web.listen-address=127.0.0.1:{port}"]
        super().__init__([str(tools / "prometheus"), *placed, *own], root / "log", {})

    def is_ready(self) -> bool:
        return answers(f"{self.url}/-/ready")


def jobs(url: str) -> set[str]:
    """Of the targets that it scrapes."""
    found = requests.get(f"{url}/api/v1/targets", timeout=10).json()["data"]["activeTargets"]
    return {one["labels"]["job"] for one in found}


def test_prometheus_has_rules_targets_and_live_view_as_in_compose(
    tools: Path, tmp_path: Path
) -> None:
    manifests = read("prometheus")
    root = lay_out(manifests, "prometheus", tmp_path)
    arguments = [
        one.replace("$(PROMETHEUS_EXTERNAL_URL)", "http://localhost:9090")
        for one in container(manifests, "prometheus")["args"]
    ]
    with Prometheus(tools, root, arguments) as prometheus:
        asked = requests.get(f"{prometheus.url}/api/v1/rules", timeout=10).json()["data"]
        files = {Path(group["file"]).name for group in asked["groups"]}
        assert files == {path.name for path in (ROOT / "prometheus/rules").glob("*.yml")}
        wanted = {"prometheus", "otel-collector", "alertmanager"}
        until(lambda: jobs(prometheus.url) == wanted, 20, "it knows its targets")
        for path, file in (
            ("index.html", "prometheus/live_view/index.html"),
            ("js/panels/stat.js", "prometheus/live_view/js/panels/stat.js"),
            ("dashboards/overview.json", "grafana/dashboards/overview.json"),
            ("runbooks/ServiceDown.md", "docs/runbooks/ServiceDown.md"),
        ):
            served = requests.get(f"{prometheus.url}/user/{path}", timeout=10)
            assert served.content == (ROOT / file).read_bytes(), path


def test_agent_beside_cortex_can_read_its_configuration(tools: Path, tmp_path: Path) -> None:
    root = lay_out(read("cortex"), "agent", tmp_path)
    config = root / "etc/agent/agent.yml"
    command = [str(tools / "promtool"), "check", "config", "--agent", str(config)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "WARN" not in ran.stdout + ran.stderr


def test_alertmanager_starts_by_the_script(tmp_path: Path) -> None:
    root = lay_out(read("prometheus"), "alertmanager", tmp_path)
    script = root / "etc/alertmanager/start.sh"
    own = variables(read("prometheus"), "alertmanager")
    ran = subprocess.run(
        ["sh", str(script), "--print"], env=own, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "inhibit_rules:" in ran.stdout


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_collector_takes_its_variables(make_collector: MakeCollector, overlay: str) -> None:
    given = variables(read(overlay), "collector") | {"OTLP_TOKEN": "x" * 24}
    if overlay == "grafana-cloud":
        given |= cloud_settings("https://metrics.example", "remote-write")
    ran = make_collector(**given).run("validate")
    assert ran.returncode == 0, ran.stderr


class Redis(Program):
    """Ready once it takes connections."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self.port = free_port()
        placed = [one.replace("/data", str(folder)) for one in arguments]
        own = ["--port", str(self.port), "--bind", "127.0.0.1"]
        super().__init__([*placed, *own], folder / "log", {})

    def is_ready(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def test_redis_wants_its_password_and_forgets_nothing(tmp_path: Path) -> None:
    arguments = container(read("prometheus"), "redis")["args"]
    given = [one.replace("$(REDIS_PASSWORD)", "secret") for one in arguments]
    with Redis(tmp_path, given) as server:
        with (
            closing(redis.Redis(port=server.port)) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
        with closing(redis.Redis(port=server.port, password="secret")) as client:
            policy = client.config_get("maxmemory-policy")
            assert "noeviction" in str(policy)
            assert "yes" in str(client.config_get("appendonly"))
