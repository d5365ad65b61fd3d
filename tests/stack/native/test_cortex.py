"""Cortex in the place of Prometheus: what is refused, what each process is told, where all is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from stack.__main__ import main
from stack.native import places
from stack.native.cortex import NODES, cortex_environment, write_cortex_config
from stack.native.processes import MONITORING, ports_of
from stack.native.programs import choose_programs
from stack.settings import CORTEX, PROMETHEUS, Settings, read_settings
from stack.supervision.supervisor import GRACE_SECONDS
from tests.lab.paths import ROOT


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    root = tmp_path / "a project"
    root.mkdir()
    for folder in ("prometheus", "deploy"):
        (root / folder).symlink_to(ROOT / folder)
    ports = {"CORTEX_PORT": "9500", "PROMETHEUS_PORT": "9190", "COLLECTOR_METRICS_PORT": "8988"}
    return read_settings(root, ports)


@pytest.mark.parametrize("mode", [[], ["--docker"]], ids=["any", "docker"])
def test_containers_have_no_cortex(mode: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up", *mode, "--store", "cortex"]) == 2
    said = capsys.readouterr().err
    assert said == "error: --store cortex is there for local processes only: add --native.\n"


def test_a_store_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["up", "--native", "--store", "cortx"])
    assert "invalid choice: 'cortx' (choose from" in capsys.readouterr().err


def test_it_is_built_only_for_whom_asks_for_it(tmp_path: Path) -> None:
    settings = read_settings(ROOT, {"STACK_TOOLS_DIR": str(tmp_path / "tools")})
    assert CORTEX not in choose_programs(settings).to_build
    chosen = choose_programs(settings, CORTEX)
    assert CORTEX in chosen.to_build and chosen.store == CORTEX
    assert chosen.cortex == tmp_path / "tools" / "cortex"


def test_its_ports_are_looked_at_only_with_it() -> None:
    assert "CORTEX_PORT" in ports_of(MONITORING[CORTEX])
    assert "CORTEX_PORT" not in ports_of(MONITORING[PROMETHEUS])


def test_every_process_has_its_place_in_the_order_of_stopping() -> None:
    """Who sends before who receives."""
    order = list(GRACE_SECONDS)
    assert set(MONITORING[CORTEX]) <= set(order)
    senders = ("otelcol", "prometheus-agent", "reverse-proxy")
    assert max(map(order.index, senders)) < min(map(order.index, NODES))


def test_metrics_go_to_the_nodes_and_traces_stay(settings: Settings) -> None:
    """`remote-write` keeps traces in TRACES_FILE, which the live view reads; `grafana-cloud` does
    not. Credentials of a store that .env names are not sent to this one."""
    told = cortex_environment(settings, Path("cortex"))
    assert told["OTEL_COLLECTOR_ROUTE"] == "remote-write"
    assert told["REMOTE_WRITE_URL"] == "http://127.0.0.1:9190/api/v1/push"
    secret = [name for name in told if name.startswith("REMOTE_WRITE_") and name[13:] != "URL"]
    assert len(secret) == 4 and not any(told[name] for name in secret)


def test_people_are_shown_one_address_and_the_nodes(settings: Settings) -> None:
    shown = places.addresses(settings, MONITORING[CORTEX])
    assert shown["Dashboards"] == "http://localhost:9190/user/"
    assert shown["Cortex"] == "http://localhost:9190 (3 nodes, at the ports 9500, 9501, 9502)"
    asked = {probe.url for probe in places.probes(settings, MONITORING[CORTEX])}
    assert {f"http://127.0.0.1:{port}/ready" for port in (9500, 9501, 9502)} < asked


def test_the_agent_has_the_addresses_of_this_start(settings: Settings) -> None:
    write_cortex_config(settings)
    folder = settings.run / "agent-config"
    config = yaml.safe_load((folder / "agent.yml").read_text())
    assert config["remote_write"][0]["url"] == "http://127.0.0.1:9190/api/v1/push"
    targets = yaml.safe_load((folder / "targets" / "native.yml").read_text())
    assert {each["labels"]["job"]: each["targets"] for each in targets} == {
        "prometheus": ["127.0.0.1:9509"],
        "otel-collector": ["127.0.0.1:8988"],
    }
    [nodes] = json.loads((folder / "targets" / "cortex" / "native.yml").read_text())
    assert nodes["targets"] == ["127.0.0.1:9500", "127.0.0.1:9501", "127.0.0.1:9502"]


def test_the_tenant_has_the_projects_rules(settings: Settings) -> None:
    write_cortex_config(settings)
    tenant = settings.run / "cortex-rules" / "fake"
    assert {path.name for path in tenant.iterdir()} == {
        path.name for path in (ROOT / "prometheus" / "rules").iterdir()
    }
