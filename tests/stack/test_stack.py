"""The whole service, really started, in a copy of the project with ports of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from stack import environments, ports
from stack.settings import NATIVE_PORTS
from stack.supervision.records import read_records
from tests.lab.polling import answers, until
from tests.lab.ports import free_port
from tests.lab.webhook import webhook_receiver
from tests.stack.conftest import ROOT, Spawn, Stack, gone

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


def ask(env: dict[str, str], query: str) -> float:
    """The one value of a PromQL query."""
    url = f"http://127.0.0.1:{env['PROMETHEUS_PORT']}/api/v1/query?query={quote(query)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return float(json.load(answer)["data"]["result"][0]["value"][1])


def test_ctrl_c_ends_everything_and_a_second_start_works(
    start: Callable[..., Stack], env: dict[str, str]
) -> None:
    """Ready means a growing count in Prometheus; the end comes within seconds, without rests."""
    for _ in range(2):
        stack = start(env, "--native")
        everyone = stack.wait_until_ready()
        before = ask(env, "sum(predictions_total)")
        until(lambda seen=before: ask(env, "sum(predictions_total)") > seen, 30, "it grows")  # type: ignore[misc]
        assert f"http://localhost:{env['PORT']}" in stack.said()
        os.killpg(stack.process.pid, signal.SIGINT)
        asked = time.monotonic()
        assert stack.process.wait(30) == 0, stack.said()
        assert time.monotonic() - asked < 15
        assert len(everyone) > 8 and all(gone(process.pid) for process in everyone)
        ports.check_free({name: int(env[name]) for name in NATIVE_PORTS})


def test_status_stop_and_a_second_up_from_another_terminal(
    start: Callable[..., Stack], env: dict[str, str]
) -> None:
    stack = start(env, "--native")
    everyone = stack.wait_until_ready()
    status = stack.other_terminal("status")
    assert status.returncode == 0 and "Running (native)" in status.stdout
    assert f"http://localhost:{env['PROMETHEUS_PORT']}" in status.stdout
    address = re.search(r"^  Dashboards +(\S+)$", status.stdout, re.MULTILINE)
    assert address is not None, status.stdout
    for page in ("", "js/main.js", "dashboards/overview.json"):
        assert answers(f"{address[1]}{page}"), page
    assert "(sent nowhere: set ALERT_WEBHOOK_URL)" in status.stdout
    assert re.search(r"^  Firing +nothing$", status.stdout, re.MULTILINE), status.stdout
    assert re.search(r"^  Budget left  ", status.stdout, re.MULTILINE), status.stdout
    second = stack.other_terminal("--native")
    assert second.returncode == 1
    assert "The stack is running already (pid" in second.stderr
    assert stack.other_terminal("clean").returncode == 1
    stopped = stack.other_terminal("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "Stopped.\n")
    assert stack.process.wait(10) == 0
    assert all(gone(process.pid) for process in everyone)
    assert stack.other_terminal("status").returncode == 3


def test_a_refused_request_is_found_among_the_traces(
    start: Callable[..., Stack], env: dict[str, str]
) -> None:
    """In the list, as a waterfall by the beginning of its id, and where the live view reads it."""
    stack = start({**env, "TRACES_DECISION_WAIT": "1s"}, "--native")
    stack.wait_until_ready()
    kind = {"Content-Type": "application/json"}
    asked = urllib.request.Request(f"http://127.0.0.1:{env['PORT']}/predict", b"{", kind)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(asked, timeout=30)
    refused = re.compile(r"  ([0-9a-f]{32})  POST /predict .* 400 · invalid_json")
    traces = "the refused request has a trace"
    until(lambda: bool(refused.search(stack.other_terminal("traces").stdout)), 60, traces)
    found = refused.search(stack.other_terminal("traces").stdout)
    assert found is not None
    shown = stack.other_terminal("traces", found[1][:12]).stdout.splitlines()
    assert shown[0].startswith(f"{found[1]}  fraud-handler  ")
    assert shown[1].startswith("POST /predict") and "█" in shown[1]
    view = f"http://127.0.0.1:{env['PROMETHEUS_PORT']}/user/traces/traces.jsonl"
    assert found[1].encode() in urllib.request.urlopen(view, timeout=30).read()
    assert stack.other_terminal("stop").returncode == 0
    assert stack.process.wait(30) == 0


def test_alerts_find_their_way_out_of_the_started_stack(
    start: Callable[..., Stack], env: dict[str, str]
) -> None:
    """Prometheus' rules, its addresses, Alertmanager and its settings: the heartbeat needs all."""
    with webhook_receiver() as inbox:
        hooks = {"ALERT_HEARTBEAT_URL": inbox.url, "ALERT_WEBHOOK_URL": inbox.url}
        stack = start({**env, **hooks}, "--native")
        stack.wait_until_ready()
        assert "(sent by webhook)" in stack.said()
        until(lambda: "Watchdog" in inbox.fired(0, time.time()), 240, "an alert is sent")
        assert stack.other_terminal("stop").returncode == 0
        assert stack.process.wait(10) == 0


def test_a_wrong_alert_setting_is_reported_before_anything_starts(
    start: Callable[..., Stack], env: dict[str, str]
) -> None:
    stack = start({**env, "ALERT_EMAIL_TO": "oncall@example.org"}, "--native")
    assert stack.process.wait(60) == 2
    assert "error: ALERT_EMAIL_TO also needs ALERT_SMTP_FROM" in stack.said()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_nothing_outlives_a_killed_start(start: Callable[..., Stack], env: dict[str, str]) -> None:
    stack = start(env, "--native")
    everyone = stack.wait_until_ready()
    stack.process.kill()
    until(lambda: all(gone(process.pid) for process in everyone), 20, "all have ended")


def test_a_process_that_dies_is_named_and_ends_the_rest(
    start: Callable[..., Stack], env: dict[str, str]
) -> None:
    stack = start(env, "--native")
    everyone = stack.wait_until_ready()
    records = {record.name: record for record in read_records(stack.copy / ".run" / "processes")}
    os.kill(records["otelcol"].pid, signal.SIGKILL)
    assert stack.process.wait(30) == 1
    assert "otelcol ended by itself with exit code -9" in stack.said()
    assert "logs/otelcol.log:\n  {" in stack.said(), "the last lines of its log"
    assert all(gone(process.pid) for process in everyone)


def test_a_busy_port_is_reported_before_anything_starts(
    start: Callable[..., Stack], env: dict[str, str], spawn: Spawn
) -> None:
    listen = f"import socket, time; s = socket.create_server(('127.0.0.1', {env['OTLP_PORT']}));"
    holder = spawn([sys.executable, "-c", f"{listen} time.sleep(60)"])
    until(lambda: ports.is_busy(int(env["OTLP_PORT"])), 60, "the Collector listens")
    stack = start(env, "--native")
    assert stack.process.wait(60) == 1
    assert f"Port {env['OTLP_PORT']} of the Collector's OTLP receiver is busy" in stack.said()
    assert f"pid {holder.pid}: " in stack.said() and "set OTLP_PORT" in stack.said()
    assert not ports.is_busy(int(env["PORT"]))


@pytest.fixture
def poor_path(tmp_path: Path) -> Path:
    """A PATH without Go and Prometheus, and with a Docker that cannot have any image."""
    folder = tmp_path / "poor"
    folder.mkdir()
    for name in ("bash", "sh", "dirname", "uname", "cat"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    (folder / "python3").symlink_to(environments.python_of(ROOT, "ops").resolve())
    docker = folder / "docker"
    docker.write_text(
        '#!/bin/sh\ncase "$*" in\ninfo | "compose version" | "compose ps -q") ;;\n'
        '"compose config") echo "services: {p: {image: prom/prometheus:v3}}" ;;\n'
        '"pull"*) echo "no such host"; exit 1 ;;\n"compose down") ;;\n*) exit 1 ;;\nesac\n'
    )
    docker.chmod(0o755)
    return folder


def test_without_images_and_without_go_the_handler_runs_with_its_metrics(
    start: Callable[..., Stack], env: dict[str, str], poor_path: Path, tmp_path: Path
) -> None:
    """Each step down is reported in one sentence, with what to install."""
    poor = {**env, "PATH": str(poor_path), "STACK_TOOLS_DIR": str(tmp_path / "empty")}
    stack = start({**poor, "GRAFANA_PORT": str(free_port())})
    everyone = stack.wait_until_ready()
    assert "Docker cannot have all images" in stack.said()
    assert "Running natively instead." in stack.said()
    assert "Only the handler and the simulator run" in stack.said()
    assert "install Go 1." in stack.said()
    names = [record.name for record in read_records(stack.copy / ".run" / "processes")]
    assert sorted(names) == ["handler", "simulator"]
    with urllib.request.urlopen(f"http://127.0.0.1:{env['PORT']}/metrics", timeout=30) as page:
        assert b"predictions_total{" in page.read()
    os.killpg(stack.process.pid, signal.SIGINT)
    assert stack.process.wait(30) == 0
    assert all(gone(process.pid) for process in everyone)
