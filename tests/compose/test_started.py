"""docker-compose.yml truly started, by `docker compose` and by the older `docker-compose`.

Grafana and Tempo are left out: there are no images to stand in for them, so their files are checked
elsewhere. Run by `make test-compose`; the figures are printed.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from bench.panels import ask_all
from prometheus.client.http import Client
from prometheus.client.query import Prometheus
from tests.compose.engine import Engine
from tests.compose.project import (
    PULLED,
    STARTED,
    Project,
    docker_compose_v1,
    docker_compose_v2,
    engine_with_images,
    project,
)
from tests.lab.polling import answers, until
from tests.lab.ports import free_port

pytestmark = [pytest.mark.compose, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def engine(root: Path) -> Iterator[Engine]:
    with engine_with_images(root) as started:
        yield started


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Prints a figure, also where output is captured."""

    def print_line(line: str) -> None:
        with capsys.disabled():
            print(f"\n    {line}", end="", flush=True)

    return print_line


@pytest.fixture(name="project", params=[docker_compose_v2, docker_compose_v1])
def started_project(
    request: pytest.FixtureRequest, engine: Engine, root: Path
) -> Iterator[Project]:
    name = request.param.__name__.replace("_", "")
    with project(engine, request.param(engine, root), name, root) as made:
        yield made


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
    asked = list(ask_all(Prometheus(Client(project.prometheus)), time.time()))
    report(f"{len(asked)} queries of the dashboards, {sum(not one.series for one in asked)} empty")
    assert [one.what for one in asked if one.is_fault] == []
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
