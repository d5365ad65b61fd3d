"""A start of docker-compose.yml under a name and on ports of its own, with stand-ins for images.

Grafana and Tempo are left out: there are no images to stand in for them.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.compose.engine import Engine, own_engine
from tests.compose.stub_images import make_stub_images
from tests.lab.polling import until
from tests.lab.ports import free_port

STARTED = ("alertmanager", "collector", "handler", "prometheus", "simulator")
PULLED = ("alertmanager", "prometheus")
LABEL = "label=com.docker.compose.project"


@contextmanager
def engine_with_images(root: Path) -> Iterator[Engine]:
    """An engine of its own that has a stand-in for each image that would be pulled."""
    services = yaml.safe_load((root / "docker-compose.yml").read_text())["services"]
    with own_engine(root / ".run" / "compose-engine") as started:
        make_stub_images(
            started, root, *(services[n]["image"] for n in ("prometheus", "alertmanager"))
        )
        yield started


def docker_compose_v1(_: Engine, __: Path) -> list[str]:
    found = shutil.which("docker-compose")
    assert found, "docker-compose is missing: apt-get install docker-compose"
    return [found]


def docker_compose_v2(engine: Engine, root: Path) -> list[str]:
    """The plugin, built from its module where the client has none."""
    plugin = Path(engine.environ["DOCKER_CONFIG"]) / "cli-plugins" / "docker-compose"
    if not engine.docker("compose", "version", check=False):
        subprocess.run(
            ["go", "build", "-trimpath", "-o", str(plugin), "github.com/docker/compose/v2/cmd"],
            cwd=root / "tests" / "compose" / "docker_compose_v2",
            check=True,
        )
    return [engine.client, "compose"]


@dataclass(frozen=True)
class Project:
    """One start of the file, under a name and on ports of its own."""

    engine: Engine
    command: Sequence[str]
    name: str
    ports: dict[str, str]
    root: Path

    def compose(self, *words: str) -> str:
        engine = Engine(self.engine.client, {**self.engine.environ, **self.ports})
        return engine.run([*self.command, "-p", self.name, *words], cwd=self.root)

    def inspect(self, service: str) -> dict[str, Any]:
        wanted = ("--filter", f"{LABEL}={self.name}")
        one = ("--filter", f"label=com.docker.compose.service={service}")
        found = self.engine.docker("ps", "-aq", *wanted, *one).split()
        inspected: dict[str, Any] = json.loads(self.engine.docker("inspect", *found))[0]
        return inspected

    def is_healthy(self, service: str) -> bool:
        """Healthy where the service has a check, running without a restart where it has none."""
        container = self.inspect(service)
        state = container["State"]
        if "Health" in state:
            return bool(state["Health"]["Status"] == "healthy")
        return bool(state["Running"] and container["RestartCount"] == 0)

    def read_guide_commands(self) -> list[str]:
        """The lines of docs/SETUP_GUIDE.md that ask this start something, on its ports."""
        lines = (self.root / "docs" / "SETUP_GUIDE.md").read_text().splitlines()
        asking = [line for line in lines if line.startswith("curl -s localhost:")]
        assert len(asking) == 3
        at = {"5000": self.ports["PORT"], "9090": self.ports["PROMETHEUS_PORT"]}
        return [re.sub(r":(5000|9090)/", lambda m: f":{at[m[1]]}/", line) for line in asking]

    def list_leftovers(self) -> list[str]:
        kinds = (("ps", "-a"), ("volume", "ls"), ("network", "ls"))
        found = [self.engine.docker(*k, "-q", "--filter", f"{LABEL}={self.name}") for k in kinds]
        return " ".join(found).split()

    @property
    def prometheus(self) -> str:
        return f"http://127.0.0.1:{self.ports['PROMETHEUS_PORT']}"

    def query(self, promql: str) -> float:
        url = f"{self.prometheus}/api/v1/query?query={urllib.parse.quote(promql)}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            result = json.load(answer)["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0


@contextmanager
def project(engine: Engine, command: Sequence[str], name: str, root: Path) -> Iterator[Project]:
    """Nothing of it runs yet; what was started is taken down at the end."""
    names = ("PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")
    ports = {name: str(free_port()) for name in names}
    made = Project(engine, command, name, ports, root)
    try:
        yield made
    finally:
        made.compose("down", "-v")


@contextmanager
def running_project(root: Path) -> Iterator[Project]:
    """Built, started and well; by the older `docker-compose` where it is, which is not built."""
    choose = docker_compose_v1 if shutil.which("docker-compose") else docker_compose_v2
    with (
        engine_with_images(root) as engine,
        project(engine, choose(engine, root), "composed", root) as made,
    ):
        made.compose("build", *(s for s in STARTED if s not in PULLED))
        made.compose("up", "-d", *STARTED)
        until(lambda: all(made.is_healthy(s) for s in STARTED), 300, "all are healthy", 0.5)
        yield made
