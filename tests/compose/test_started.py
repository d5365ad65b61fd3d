"""docker-compose.yml truly started, by `docker compose` and by the older `docker-compose`.

Grafana and Tempo are left out: there are no images to stand in for them, so their files are checked
elsewhere. Run by `make test-compose`; the figures are printed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.compose.engine import Engine, own_engine
from tests.compose.stub_images import make_stub_images
from tests.lab.polling import answers, until
from tests.lab.ports import free_port

pytestmark = [pytest.mark.compose, pytest.mark.timeout(3600)]

STARTED = ("alertmanager", "collector", "handler", "prometheus", "simulator")
PULLED = ("alertmanager", "prometheus")
LABEL = "label=com.docker.compose.project"


@pytest.fixture(scope="module")
def engine(root: Path, compose: dict[str, Any]) -> Iterator[Engine]:
    with own_engine(root / ".run" / "compose-engine") as started:
        images = (compose["services"][name]["image"] for name in ("prometheus", "alertmanager"))
        make_stub_images(started, root, *images)
        yield started


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure, also where output is captured."""

    def print_line(line: str) -> None:
        with capsys.disabled():
            print(f"\n    {line}", end="", flush=True)

    return print_line


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

    def query(self, promql: str) -> float:
        port, query = self.ports["PROMETHEUS_PORT"], urllib.parse.quote(promql)
        url = f"http://127.0.0.1:{port}/api/v1/query?query={query}"
        with urllib.request.urlopen(url, timeout=5) as answer:
            result = json.load(answer)["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0


@pytest.fixture(params=[docker_compose_v2, docker_compose_v1])
def project(request: pytest.FixtureRequest, engine: Engine, root: Path) -> Iterator[Project]:
    names = ("PORT", "PROMETHEUS_PORT", "ALERTMANAGER_PORT")
    ports = {name: str(free_port()) for name in names}
    name = request.param.__name__.replace("_", "")
    started = Project(engine, request.param(engine, root), name, ports, root)
    yield started
    started.compose("down", "-v")


def test_stack_gets_well_counts_and_leaves_nothing(
    project: Project, report: Callable[[str], None]
) -> None:
    built = time.monotonic()
    project.compose("build", *(s for s in STARTED if s not in PULLED))
    report(f"{project.name}: images built in {time.monotonic() - built:.0f} s")

    started = time.monotonic()
    project.compose("up", "-d", "--build", *STARTED)
    until(lambda: all(project.is_healthy(s) for s in STARTED), 120, "all are healthy", 0.5)
    report(f"all healthy after {time.monotonic() - started:.1f} s")

    until(lambda: project.query("sum(predictions_total)") >= 1, 120, "predictions are counted")
    report(f"predictions in Prometheus after {time.monotonic() - started:.1f} s")
    first = project.query("sum(predictions_total)")
    until(lambda: project.query("sum(predictions_total)") > first, 60, "the count grows")
    assert project.query('up{job="otel-collector"}') == 1

    def is_one(promql: str) -> bool:
        return project.query(promql) == 1

    for found in ('up{job="alertmanager"}', "prometheus_notifications_alertmanagers_discovered"):
        until(partial(is_one, found), 60, f"{found} is 1")
    assert "sent nowhere" in project.compose("logs", "alertmanager")
    assert all(project.is_healthy(s) for s in STARTED)
    for command in project.read_guide_commands():
        subprocess.run(["bash", "-c", f"{command} --fail"], check=True, capture_output=True)
    assert "handler" in project.compose("ps", "-a")
    assert "/predict" in project.compose("logs", "--tail", "50")

    project.compose("down", "-v")
    assert project.list_leftovers() == []


@dataclass(frozen=True)
class HandlerContainer:
    """A container of the handler's image, hardened as the compose file does it."""

    engine: Engine
    identity: str
    seconds_to_ready: float

    def inside(self, script: str) -> str:
        words = ["exec", self.identity, "sh", "-c", f"{script} 2>&1"]
        return self.engine.docker(*words, check=False).strip()


@pytest.fixture(scope="module")
def handler(engine: Engine, root: Path) -> Iterator[HandlerContainer]:
    engine.run(
        [engine.client, "build", "-q", "--target", "handler", "-t", "handler-alone", "."], cwd=root
    )
    port = free_port()
    silent = ("-e", "OTEL_METRICS_EXPORTER=none", "-e", "OTEL_TRACES_EXPORTER=none")
    settings = (*silent, "-e", "ALLOW_OPEN=true")
    hardened = ("--read-only", "--tmpfs", "/tmp:size=64m,mode=1777", "--cap-drop", "ALL")
    limits = ("--security-opt", "no-new-privileges:true", "--memory", "512m")
    published = ("-p", f"127.0.0.1:{port}:5000")
    started = time.monotonic()
    identity = engine.docker(
        "run", "-d", *settings, *hardened, *limits, *published, "handler-alone"
    )
    until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), 60, "the handler is ready")
    yield HandlerContainer(engine, identity.strip(), time.monotonic() - started)
    engine.docker("rm", "-f", identity.strip())


def test_handler_starts_quickly(handler: HandlerContainer, report: Callable[[str], None]) -> None:
    """Twenty seconds on a busy machine of two cores; a platform that sleeps waits this long."""
    report(f"handler: ready {handler.seconds_to_ready:.1f} s after `docker run`")
    assert handler.seconds_to_ready < 20


def test_handler_is_small(
    handler: HandlerContainer, root: Path, report: Callable[[str], None]
) -> None:
    """A Free plan on Railway allows 4 GB of image and 0.5 GB of memory."""
    size = int(handler.engine.docker("image", "inspect", "-f", "{{.Size}}", "handler-alone"))
    [name] = re.findall(
        r"^ARG PYTHON_IMAGE=(\S+)$", (root / "Dockerfile").read_text(), re.MULTILINE
    )
    base = int(handler.engine.docker("image", "inspect", "-f", "{{.Size}}", name))
    used = handler.engine.docker(
        "stats", "--no-stream", "--format", "{{.MemUsage}}", handler.identity
    )
    report(
        f"handler: image {size / 1e6:.0f} MB ({base / 1e6:.0f} MB of it the base), memory {used}"
    )
    assert size - base < 250e6
    amount, unit = used.split("/")[0].strip()[:-3], used.split("/")[0].strip()[-3:]
    assert unit == "MiB" and float(amount) < 256


def test_handler_is_not_root_and_cannot_write(handler: HandlerContainer) -> None:
    assert handler.inside("id -u") == "10001"
    assert handler.inside("touch /app/x").endswith("Read-only file system")


def test_handler_has_no_scikit_learn_and_no_pip(handler: HandlerContainer) -> None:
    assert "No module named 'sklearn'" in handler.inside("python -c 'import sklearn'")
    assert "No module named pip" in handler.inside("python -m pip")


def test_handler_has_of_the_model_what_serves(
    handler: HandlerContainer, report: Callable[[str], None]
) -> None:
    found = handler.inside("find model -name '*.py'").split()
    report(f"handler: model/ is {', '.join(sorted(found))}")
    assert "model/serving/scorer.py" in found
    others = {name for name in found if not name.startswith("model/serving/")}
    assert others == {"model/__init__.py"}


def test_handler_stops_at_once(handler: HandlerContainer) -> None:
    """Its last line is its own, not the engine's SIGKILL."""
    started = time.monotonic()
    handler.engine.docker("stop", "-t", "15", handler.identity)
    state = json.loads(handler.engine.docker("inspect", handler.identity))[0]["State"]
    assert state["ExitCode"] == 0
    assert time.monotonic() - started < 13
    assert "SIGABRT" not in handler.engine.docker("logs", handler.identity)
