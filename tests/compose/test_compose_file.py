"""docker-compose.yml against the tree: names, ports, files and settings that must agree."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.settings import TABLE, read_settings
from tests.lab.paths import ROOT

Services = dict[str, dict[str, Any]]

ALL = ["alertmanager", "collector", "grafana", "handler", "prometheus", "simulator", "tempo"]
OURS = ["collector", "handler", "simulator"]


def seconds(text: str) -> int:
    assert text.endswith("s")
    return int(text[:-1])


def bind_mounts(service: dict[str, Any]) -> list[str]:
    return [mount for mount in service.get("volumes", []) if mount.startswith(".")]


def test_services_are_those_of_the_stack(services: Services) -> None:
    assert sorted(services) == ALL


@pytest.mark.parametrize("name", ALL)
def test_image_is_pinned(services: Services, name: str) -> None:
    _, _, tag = services[name]["image"].partition(":")
    assert re.fullmatch(r"local|v?\d+\.\d+\.\d+", tag), services[name]["image"]


@pytest.mark.parametrize("name", ALL)
def test_service_is_bounded(services: Services, name: str) -> None:
    assert re.fullmatch(r"\d+m", services[name]["mem_limit"])
    assert services[name]["logging"]["options"] == {"max-size": "5m", "max-file": "3"}


@pytest.mark.parametrize("name", ALL)
def test_service_is_hardened(services: Services, name: str) -> None:
    service = services[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] <= 256


@pytest.mark.parametrize("name", OURS)
def test_own_image_is_a_stage_of_the_dockerfile(services: Services, root: Path, name: str) -> None:
    assert f" AS {services[name]['build']['target']}\n" in (root / "Dockerfile").read_text()


@pytest.mark.parametrize("name", ["alertmanager", "grafana", "prometheus", "tempo"])
def test_bind_mounts_exist_and_are_labelled_for_selinux(
    services: Services, root: Path, name: str
) -> None:
    assert bind_mounts(services[name])
    for mount in bind_mounts(services[name]):
        source, _, options = mount.split(":")
        assert (root / source).exists(), source
        assert options == "ro,z"


def test_place_of_a_mount_within_a_mount_exists(services: Services, root: Path) -> None:
    """The outer one is read-only, so no engine can make the folder: git keeps it, empty."""
    mounts = [mount.split(":")[:2] for mount in bind_mounts(services["prometheus"])]
    inside = [
        root / source / target.removeprefix(f"{outer}/")
        for source, outer in mounts
        for _, target in mounts
        if target.startswith(f"{outer}/")
    ]
    assert len(inside) == 2
    for place in inside:
        assert [one.name for one in place.iterdir()] == [".gitkeep"], place


def test_live_view_is_served_from_where_it_is_mounted(services: Services) -> None:
    (flag,) = [one for one in services["prometheus"]["command"] if "user-assets" in one]
    assert f":{flag.partition('=')[2]}:ro,z" in " ".join(bind_mounts(services["prometheus"]))


def test_ports_open_on_this_machine_only(services: Services) -> None:
    ports = {name: s["ports"] for name, s in services.items() if "ports" in s}
    assert ports == {
        "handler": ["${BIND_ADDRESS:-127.0.0.1}:${PORT:-5000}:5000"],
        "prometheus": ["127.0.0.1:${PROMETHEUS_PORT:-9090}:9090"],
        "alertmanager": ["127.0.0.1:${ALERTMANAGER_PORT:-9093}:9093"],
        "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"],
    }


@pytest.mark.parametrize("bound", ["", "127.0.0.1", "0.0.0.0"])
def test_handler_wants_a_token_where_its_port_is_open_to_others(
    services: Services, bound: str
) -> None:
    """As compose passes BIND_ADDRESS on: without one it is loopback, and nothing is opened."""
    given = services["handler"]["environment"]
    assert given["PUBLISHED_ADDRESS"] == "${BIND_ADDRESS:-127.0.0.1}"
    assert given["ALLOW_OPEN"] == "${ALLOW_OPEN:-}"
    environ = {"HOST": "0.0.0.0", "PUBLISHED_ADDRESS": bound or "127.0.0.1"}
    assert read_settings(environ).public == (bound == "0.0.0.0")


def test_receipts_outlive_the_container(services: Services, root: Path) -> None:
    """The image has the folder, owned by whoever runs it, for the volume to take over."""
    folder = services["handler"]["environment"]["RECEIPT_DIR"]
    assert services["handler"]["volumes"] == [f"handler-receipts:{folder}"]
    assert f"install -d -o app -g app -m 700 {folder}" in (root / "Dockerfile").read_text()


def test_services_find_each_other_by_name(services: Services) -> None:
    urls = {
        url
        for service in services.values()
        for value in service.get("environment", {}).values()
        if value is not None  # as it is set outside
        for url in re.findall(r"http://([\w.]+):(\d+)", value)
        if url[0] != "localhost"  # of the reader of a message
    }
    assert urls == {
        ("collector", "4318"),
        ("handler", "5000"),
        ("prometheus", "9090"),
        ("tempo", "4318"),
    }


def test_no_default_stands_within_a_default() -> None:
    """The older docker-compose takes the inner one for text: its Collector could not start."""
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.findall(r"\$\{[^}]*\$\{", text) == []


def test_probe_is_of_the_job_that_is_set_or_of_the_services_name(services: Services) -> None:
    given = services["collector"]["environment"]
    assert given["PROBE_SERVICE"] is None
    assert given["PROBED_SERVICE_NAME"] == "${OTEL_SERVICE_NAME:-fraud-handler}"


def test_handler_is_given_settings_that_it_has(services: Services) -> None:
    known = {setting.name for setting in TABLE}
    given = {n for n in services["handler"]["environment"] if not n.startswith("OTEL_")}
    assert given <= known


def test_collector_is_given_settings_that_it_reads(services: Services, root: Path) -> None:
    folder = root / "otel-collector"
    sources = [*folder.glob("distribution/*.go"), *folder.glob("config/*.yaml")]
    text = "\n".join(file.read_text() for file in sources)
    unread = [n for n in services["collector"]["environment"] if n not in text]
    assert unread == []


def test_alertmanager_is_given_settings_that_it_reads(services: Services, root: Path) -> None:
    text = (root / "prometheus" / "alertmanager" / "start.sh").read_text()
    unread = [n for n in services["alertmanager"]["environment"] if n not in text]
    assert unread == []


def test_handler_has_time_to_flush_before_it_is_killed(services: Services) -> None:
    [shutdown] = [int(s.default) for s in TABLE if s.name == "SHUTDOWN_SECONDS"]
    assert seconds(services["handler"]["stop_grace_period"]) >= shutdown + 5


def test_start_order_waits_for_health_where_there_is_a_check(services: Services) -> None:
    """The handler's check is in its image; a late Collector costs nothing, senders try again."""
    order = {n: s["depends_on"] for n, s in services.items() if "depends_on" in s}
    assert order == {
        "handler": {"collector": {"condition": "service_started"}},
        "grafana": {"prometheus": {"condition": "service_healthy"}},
        "simulator": {"handler": {"condition": "service_healthy"}},
    }


def test_named_volumes_are_declared(compose: dict[str, Any], services: Services) -> None:
    used = {
        mount.split(":")[0]
        for service in services.values()
        for mount in service.get("volumes", [])
        if not mount.startswith(".")
    }
    assert used == set(compose["volumes"])


def test_collector_keeps_its_queue_in_its_volume(services: Services) -> None:
    collector = services["collector"]
    folder = collector["environment"]["COLLECTOR_QUEUE_DIR"]
    assert collector["volumes"] == [f"collector-queue:{folder}"]


def test_prometheus_runs_as_its_configuration_says(services: Services, root: Path) -> None:
    """The flags that prometheus.yml names in its head, with the folders of the container."""
    head = (root / "prometheus" / "prometheus.yml").read_text().split("global:")[0]
    wanted = set(re.findall(r"--(?:web|enable)\S+", head))
    assert wanted and wanted <= set(services["prometheus"]["command"])


def test_prometheus_scrapes_services_of_this_file(services: Services, root: Path) -> None:
    mounts = bind_mounts(services["prometheus"])
    assert "./prometheus/targets-compose:/etc/prometheus/targets:ro,z" in mounts
    for file in (root / "prometheus" / "targets-compose").rglob("*.yml"):
        hosts = {
            t.split(":")[0] for group in yaml.safe_load(file.read_text()) for t in group["targets"]
        }
        assert hosts <= {"localhost", *services}


def test_grafana_is_given_services_of_this_file(services: Services, root: Path) -> None:
    provisioned = root / "grafana" / "provisioning" / "datasources" / "datasources.yml"
    urls = [source["url"] for source in yaml.safe_load(provisioned.read_text())["datasources"]]
    assert urls == ["http://prometheus:9090", "http://alertmanager:9093", "http://tempo:3200"]


def test_grafana_finds_the_dashboards(services: Services, root: Path) -> None:
    provider = root / "grafana" / "provisioning" / "dashboards" / "dashboards.yml"
    path = yaml.safe_load(provider.read_text())["providers"][0]["options"]["path"]
    assert f"./grafana/dashboards:{path}:ro,z" in services["grafana"]["volumes"]


def test_tempo_listens_where_others_look_for_it(services: Services, root: Path) -> None:
    tempo = yaml.safe_load((root / "grafana" / "tempo.yml").read_text())
    receiver = tempo["distributor"]["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert receiver == "0.0.0.0:4318"
    assert services["collector"]["environment"]["TEMPO_URL"].endswith(":4318")
    assert tempo["server"]["http_listen_port"] == 3200


def test_tempo_writes_into_its_volume(services: Services, root: Path) -> None:
    trace = yaml.safe_load((root / "grafana" / "tempo.yml").read_text())["storage"]["trace"]
    assert "tempo-data:/var/tempo" in services["tempo"]["volumes"]
    assert all(trace[part]["path"].startswith("/var/tempo/") for part in ("wal", "local"))
