"""Which Docker engine is used, or why none is; `docker` is a script with the real one's words."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest

from stack.docker import engine
from stack.docker.engine import Compose
from stack.errors import StackError
from stack.progress import ProgressDisplay
from stack.subprocesses import CommandFailed, SubprocessRunner

CONFIG = """\
services:
  handler: {image: our/handler, build: {context: .}}
  prometheus: {image: prom/prometheus:v3}
  grafana: {image: grafana/grafana:13}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a compose file, on a machine whose PATH holds `bin` alone."""
    (tmp_path / engine.COMPOSE_FILE).write_text("services: {}\n")
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}")
    return tmp_path


def install(root: Path, name: str, cases: str) -> None:
    """A command that notes its arguments and answers by `cases` of a shell's case."""
    script = root / "bin" / name
    noted = f'echo "$*" >> "{root}/{name}.calls"'
    script.write_text(f'#!/bin/sh\n{noted}\ncase "$*" in\n{cases}\n*) exit 1 ;;\nesac\n')
    script.chmod(0o755)


def calls(root: Path, name: str) -> list[str]:
    return (root / f"{name}.calls").read_text().splitlines()


def test_no_docker_is_said(root: Path) -> None:
    with pytest.raises(StackError, match="no Docker on this machine"):
        engine.find_compose(root)


def test_an_engine_that_does_not_answer_is_said(root: Path) -> None:
    install(root, "docker", '"compose version") ;;')
    with pytest.raises(StackError, match="its engine does not answer"):
        engine.find_compose(root)


def test_docker_compose_as_a_plugin_is_preferred(root: Path) -> None:
    install(root, "docker", 'info | "compose version") ;;')
    install(root, "docker-compose", "version) ;;")
    assert engine.find_compose(root).command == ("docker", "compose")


def test_the_older_command_will_do(root: Path) -> None:
    install(root, "docker", "info) ;;")
    install(root, "docker-compose", "version) ;;")
    assert engine.find_compose(root).command == ("docker-compose",)


def test_an_engine_without_compose_is_said(root: Path) -> None:
    install(root, "docker", "info) ;;")
    with pytest.raises(StackError, match="neither `docker compose` nor docker-compose"):
        engine.find_compose(root)


def test_missing_images_are_the_foreign_ones_that_are_not_here(root: Path) -> None:
    """What the project builds itself is no image to pull."""
    (root / "config").write_text(CONFIG)
    cat = f'while IFS= read -r line; do echo "$line"; done < "{root}/config"'
    cases = f'"compose config") {cat} ;;\n"image inspect grafana/"*) ;;'
    install(root, "docker", cases)
    assert Compose(root, ("docker", "compose")).list_missing_images() == ["prom/prometheus:v3"]


def test_an_image_that_cannot_be_pulled_is_named(root: Path) -> None:
    install(root, "docker", "pull*) echo no such host; exit 1 ;;")
    out = io.StringIO()
    with (
        pytest.raises(CommandFailed, match="pulling prom/prometheus:v3 failed"),
        ProgressDisplay(out) as display,
    ):
        Compose(root, ("docker", "compose")).pull(
            ["prom/prometheus:v3"], display, SubprocessRunner()
        )
    assert "✗ image prom/prometheus:v3: not to be had" in out.getvalue()


def test_up_builds_and_stays_in_the_background(root: Path) -> None:
    noted = f'echo "$PROMETHEUS_EXTERNAL_URL" >"{root}/docker.variables"'
    install(root, "docker", f'"compose up -d --build") {noted} ;;')
    with ProgressDisplay(io.StringIO()) as display:
        Compose(root, ("docker", "compose")).up(
            display, SubprocessRunner(), {"PROMETHEUS_EXTERNAL_URL": "http://localhost:9091"}
        )
    assert calls(root, "docker") == ["compose up -d --build"]
    assert "http://localhost:9091" in (root / "docker.variables").read_text()


def test_ended_names_services_that_do_not_run(root: Path) -> None:
    running = '"compose ps --services --filter status=running") echo handler ;;'
    install(root, "docker", f'{running}\n"compose config --services") echo handler; echo tempo ;;')
    assert Compose(root, ("docker", "compose")).list_ended() == ["tempo"]


def test_down_keeps_the_data(root: Path) -> None:
    install(root, "docker", '"compose down") ;;')
    Compose(root, ("docker", "compose")).down()
    assert calls(root, "docker") == ["compose down"], os.environ["PATH"]
