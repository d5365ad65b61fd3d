"""A start on a machine that has to build the programs first: the service does not wait for them."""

from __future__ import annotations

import json
import os
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.lab.polling import until
from tests.stack.conftest import ROOT, Stack, gone

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@pytest.fixture
def slow_go(tmp_path: Path) -> Path:
    """A PATH whose Go builds what was built before, as soon as the file `go-on` is beside it."""
    folder = tmp_path / "slow"
    folder.mkdir()
    go = folder / "go"
    go.write_text(
        '#!/bin/sh\n[ "$1" = build ] || { echo "package example.org/one"; exit 0; }\n'
        "echo example.org/one\n"
        f'while [ ! -e "{folder}/go-on" ]; do sleep 0.1; done\n'
        'while [ "$1" != -o ]; do shift; done\n'
        'name=$(basename "$2" .unfinished)\n'
        f'exec cp "{ROOT}/.tools/bin/${{name#.}}" "$2"\n'
    )
    go.chmod(0o755)
    return folder


def stack_of(handler: str) -> dict[str, Any]:
    """What the service's page is told of the stack."""
    found: dict[str, Any] = json.load(urllib.request.urlopen(f"{handler}/stats", timeout=30))
    return dict(found["stack"])


def test_the_service_is_there_before_what_watches_it_is_built(
    start: Callable[..., Stack], env: dict[str, str], slow_go: Path, tmp_path: Path
) -> None:
    """A cold start: the handler answers, the dashboards' address says how far the rest is, and
    becomes the dashboards; what the handler counted meanwhile is in Prometheus."""
    path = f"{slow_go}:{os.environ['PATH']}"
    stack = start({**env, "PATH": path, "STACK_TOOLS_DIR": str(tmp_path / "tools")}, "--native")
    handler = f"http://localhost:{env['PORT']}"
    until(lambda: f"✓ handler: ready at {handler}" in stack.said(), 120, "it answers")
    assert "Ctrl-C" not in stack.said()
    view = f"http://127.0.0.1:{env['PROMETHEUS_PORT']}/user/"
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(view, timeout=30)
    assert told.value.code == 503
    page = told.value.read().decode()
    building = re.compile(r"building otelcol \(1 of \d\): 1/1 packages compiled")
    assert building.search(page) and f'href="{handler}"' in page
    status = stack.other_terminal("status", **env)
    assert "being built" in status.stdout and "predictions/s" in status.stdout
    assert building.search("".join(stack_of(handler)["lines"]))
    counted = urllib.request.urlopen(f"{handler}/metrics", timeout=30).read()
    assert b"predictions_total{" in counted
    (slow_go / "go-on").touch()
    everyone = stack.wait_until_ready()
    assert stack_of(handler) == {"state": "watched", "lines": []}
    assert b"js/main.js" in urllib.request.urlopen(view, timeout=30).read()
    assert stack.other_terminal("stop").returncode == 0
    assert stack.process.wait(30) == 0
    assert all(gone(process.pid) for process in everyone)


def test_ctrl_c_while_programs_are_built_ends_the_service_too(
    start: Callable[..., Stack], env: dict[str, str], slow_go: Path, tmp_path: Path
) -> None:
    path = f"{slow_go}:{os.environ['PATH']}"
    stack = start({**env, "PATH": path, "STACK_TOOLS_DIR": str(tmp_path / "tools")}, "--native")
    until(lambda: "✓ handler: ready at" in stack.said(), 120, "it answers")
    everyone = psutil.Process(stack.process.pid).children(recursive=True)
    os.killpg(stack.process.pid, signal.SIGINT)
    assert stack.process.wait(30) == 128 + signal.SIGINT
    assert "Interrupted; the next start goes on from here." in stack.said()
    assert all(gone(process.pid) for process in everyone)
