"""deploy/kubernetes as it is written: names lead somewhere, lists are whole, values agree."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml

from prometheus.generator.durations import parse_duration
from service.settings import TABLE, read_settings
from tests.kubernetes.checks import OVERLAYS, find_faults, read_secrets
from tests.kubernetes.faults import container, pick, pod
from tests.kubernetes.kustomization import KUBERNETES, parse, read_folders, read_kustomization
from tests.kubernetes.workloads import environment, of_kind
from tests.lab.paths import ROOT

CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "prometheus" / "prometheus.yml").read_text())
every_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


@cache
def read(overlay: str) -> list[dict[str, Any]]:
    return read_kustomization(KUBERNETES / "overlays" / overlay)


@every_overlay
def test_names_ports_arrows_and_addresses_lead_somewhere(overlay: str) -> None:
    assert find_faults(read(overlay)) == []


def test_overlays_are_those_that_are_checked() -> None:
    assert sorted(path.name for path in (KUBERNETES / "overlays").iterdir()) == sorted(OVERLAYS)


def test_every_component_is_used_or_tried_with_an_overlay() -> None:
    used = {
        folder.name
        for overlay in OVERLAYS
        for folder in read_folders(KUBERNETES / "overlays" / overlay)
    }
    there = {path.name for path in (KUBERNETES / "components").iterdir()}
    assert there - used == {"keda", "keda-cortex", "cortex-bucket"}


@pytest.mark.parametrize("component", ["keda", "cortex-bucket"])
def test_component_for_ones_own_kustomization_names_its_namespace(component: str) -> None:
    """That kustomization often names none: its objects would come into `default`, where they are of
    no use, and with keda the handler has neither a number of replicas nor anybody who sets one."""
    [namespace] = yaml.safe_load_all((KUBERNETES / "base" / "namespace.yaml").read_text())
    folder = KUBERNETES / "components" / component
    own = [path for path in folder.glob("*.yaml") if path.name != "kustomization.yaml"]
    manifests = [one for path in own for one in parse(path.read_text())]
    assert manifests
    placed = {one["metadata"].get("namespace") for one in manifests}
    assert placed == {namespace["metadata"]["name"]}


@pytest.mark.parametrize(
    ("folder", "pattern", "name"),
    [
        pytest.param("prometheus", "rules/*.yml", "rules", id="rules"),
        pytest.param("docs/runbooks", "*.md", "runbooks", id="runbooks"),
        pytest.param("prometheus/live_view", "**/*.*", "live-view", id="live-view"),
    ],
)
def test_every_file_of_a_folder_is_in_its_config_map(folder: str, pattern: str, name: str) -> None:
    content = yaml.safe_load((ROOT / folder / "kustomization.yaml").read_text())
    [listed] = [one["files"] for one in content["configMapGenerator"] if one["name"] == name]
    there = {path.relative_to(ROOT / folder).as_posix() for path in (ROOT / folder).glob(pattern)}
    there -= {"kustomization.yaml", "README.md"}
    there = {one for one in there if (ROOT / folder / one).is_file() and ".gitkeep" not in one}
    if name == "live-view":
        there |= {"uplot/LICENSE"}
    assert {entry.rpartition("=")[2] for entry in listed} == there


def test_every_dashboard_is_a_config_map() -> None:
    content = yaml.safe_load((ROOT / "grafana/dashboards/kustomization.yaml").read_text())
    listed = [file for one in content["configMapGenerator"] for file in one["files"]]
    assert sorted(listed) == sorted(
        path.name for path in (ROOT / "grafana/dashboards").glob("*.json")
    )


def test_live_view_has_its_folders_back() -> None:
    """ConfigMaps have no folders: the volume's paths are those that compose mounts."""
    manifests = read("prometheus")
    [volume] = [
        one for one in pod(manifests, "prometheus")["volumes"] if one["name"] == "live-view"
    ]
    paths = {
        item["path"]: pick(manifests, "ConfigMap", source["configMap"]["name"])["data"][item["key"]]
        for source in volume["projected"]["sources"]
        for item in source["configMap"]["items"]
    }
    folders = {"dashboards/": "grafana/", "runbooks/": "docs/"}
    for path, text in paths.items():
        room = next(
            (there for name, there in folders.items() if path.startswith(name)),
            "prometheus/live_view/",
        )
        assert (ROOT / room / path).read_text(encoding="utf-8") == text, path
    written = {
        data
        for name in ("live-view", "runbooks")
        for data in pick(manifests, "ConfigMap", name)["data"].values()
    }
    assert written <= set(paths.values())
    assert len([path for path in paths if path.startswith("dashboards/")]) == 4


@pytest.mark.parametrize("overlay", ["prometheus", "cortex", "operator"])
def test_messages_lead_to_the_live_view_or_to_grafana(overlay: str) -> None:
    """To Grafana exactly where no Prometheus of the overlay serves the live view."""
    manifests = read(overlay)
    served = [
        one for one in of_kind(manifests, "ConfigMap") if one["metadata"]["name"] == "live-view"
    ]
    settings = pick(manifests, "ConfigMap", "alertmanager-settings")["data"]
    assert bool(settings["GRAFANA_EXTERNAL_URL"]) != bool(served)


@every_overlay
def test_handler_is_given_settings_that_it_can_start_with(overlay: str) -> None:
    """Public, since a cluster reaches it: with the tokens that secrets.sh makes."""
    manifests = read(overlay)
    known = {setting.name for setting in TABLE}
    given = {name: one.get("value", "") for name, one in environment(container(manifests)).items()}
    for source in container(manifests)["envFrom"]:
        given |= pick(manifests, "ConfigMap", source["configMapRef"]["name"])["data"]
    assert {name for name in given if not name.startswith(("OTEL_", "OTLP_"))} - {"POD"} <= known
    made = read_secrets()["handler-secrets"]
    secrets = {
        name: "redis://redis:6379/0" if name == "REDIS_URL" else "x" * 24 for name in made & known
    }
    assert read_settings({"HOST": "0.0.0.0"} | given | secrets).public


@every_overlay
def test_handler_s_identity_outlives_its_pods(overlay: str) -> None:
    """Series are bounded by replicas x workers: the pod's name comes back after a rollout."""
    manifests = read(overlay)
    variables = environment(container(manifests))
    assert variables["POD"]["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    assert variables["OTEL_RESOURCE_ATTRIBUTES"]["value"] == "service.instance.id=$(POD)"
    [claim] = pick(manifests, "StatefulSet", "handler")["spec"]["volumeClaimTemplates"]
    [mount] = [
        one
        for one in container(manifests)["volumeMounts"]
        if one["name"] == claim["metadata"]["name"]
    ]
    assert variables["STATE_DIR"]["value"].startswith(mount["mountPath"])


@every_overlay
def test_handler_is_not_scraped(overlay: str) -> None:
    """Its series come from the Collector alone: scraped too, every request would count twice."""
    for manifest in read(overlay):
        for text in manifest.get("data", {}).values() if manifest["kind"] == "ConfigMap" else ():
            assert not re.search(r"targets:.*handler", text), manifest["metadata"]["name"]
    names = [one["metadata"]["name"] for one in of_kind(read(overlay), "NetworkPolicy")]
    assert not [name for name in names if re.fullmatch(r"handler-from-(prometheus|agent)", name)]


@every_overlay
def test_collector_is_given_settings_that_it_reads(overlay: str) -> None:
    manifests = read(overlay)
    given = set(environment(container(manifests, "collector")))
    given |= set(pick(manifests, "ConfigMap", "collector-settings")["data"])
    readme = (ROOT / "otel-collector" / "README.md").read_text()
    assert given <= set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE))


def test_collectors_that_probe_write_a_series_each() -> None:
    assert "PROBE_INSTANCE" in environment(container(read("prometheus"), "collector"))


def test_operator_is_told_what_prometheus_yml_says() -> None:
    spec = pick(read("operator"), "Prometheus", "fraud-monitoring")["spec"]
    given, storage = CONFIG["global"], CONFIG["storage"]
    assert spec["scrapeInterval"] == given["scrape_interval"]
    assert spec["evaluationInterval"] == given["evaluation_interval"]
    assert spec["ruleQueryOffset"] == given["rule_query_offset"]
    assert spec["otlp"]["translationStrategy"] == CONFIG["otlp"]["translation_strategy"]
    assert spec["tsdb"]["outOfOrderTimeWindow"] == storage["tsdb"]["out_of_order_time_window"]
    assert spec["retention"] == storage["tsdb"]["retention"]["time"]
    assert spec["retentionSize"] == storage["tsdb"]["retention"]["size"]
    assert spec["exemplars"]["maxSize"] == storage["exemplars"]["max_exemplars"]


def test_operator_keeps_the_same_series_of_alertmanager() -> None:
    [job] = [one for one in CONFIG["scrape_configs"] if one["job_name"] == "alertmanager"]
    [endpoint] = pick(read("operator"), "ServiceMonitor", "alertmanager")["spec"]["endpoints"]
    kept = [one["regex"] for one in endpoint["metricRelabelings"]]
    assert kept == [one["regex"] for one in job["metric_relabel_configs"]]


def test_jobs_have_the_names_of_the_other_ways_to_run() -> None:
    """Rules and dashboards ask by them."""
    compose = yaml.safe_load((ROOT / "prometheus/targets-compose/compose.yml").read_text())
    jobs = {one["labels"]["job"] for one in compose}
    for overlay in ("prometheus", "cortex"):
        file = KUBERNETES / "overlays" / overlay / "targets/kubernetes.yml"
        assert {one["labels"]["job"] for one in yaml.safe_load(file.read_text())} == jobs
    monitors = of_kind(read("operator"), "ServiceMonitor")
    replaced = {
        one["replacement"]
        for monitor in monitors
        for one in monitor["spec"]["endpoints"][0]["relabelings"]
        if one.get("targetLabel") == "job"
    }
    assert replaced == jobs | {"alertmanager"}


def test_data_sources_beside_cortex_are_those_of_compose_at_another_address() -> None:
    ours = yaml.safe_load((KUBERNETES / "overlays/cortex/datasources.yml").read_text())
    theirs = yaml.safe_load((ROOT / "grafana/provisioning/datasources/datasources.yml").read_text())
    prometheus = theirs["datasources"][0]
    prometheus["url"] = "http://cortex:9009/prometheus"
    prometheus["jsonData"]["prometheusType"] = "Cortex"
    assert ours == theirs


def test_images_of_others_are_those_of_compose() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    known = {service["image"] for service in compose.values()}
    images = {
        one["spec"]["template"]["spec"]["containers"][0]["image"]
        for overlay in OVERLAYS
        for one in read(overlay)
        if one["kind"] in ("StatefulSet", "Deployment")
    }
    assert {one for one in images - known if not one.startswith(("redis:", "quay.io/"))} == set()


def test_autoscaler_asks_a_silent_service_for_0() -> None:
    """An idle handler pushes nothing, and an empty answer is a failure for KEDA: replicas stay."""
    [scaled] = [
        one
        for one in yaml.safe_load_all(
            (KUBERNETES / "components/keda/scaledobject.yaml").read_text()
        )
        if one
    ]
    [trigger] = scaled["spec"]["triggers"]
    assert "or 0 * max(up" in trigger["metadata"]["query"]
    assert trigger["metadata"]["ignoreNullValues"] == "false"
    window = re.search(r"\[(\w+)\]", trigger["metadata"]["query"])
    interval = pick(read("prometheus"), "ConfigMap", "handler-settings")["data"][
        "OTEL_METRIC_EXPORT_INTERVAL"
    ]
    assert window is not None
    assert parse_duration(window[1]) >= 4 * int(interval) / 1000


def test_secrets_have_a_place_in_the_list() -> None:
    """What is optional too is named where people look for it."""
    script = (KUBERNETES / "secrets.sh").read_text()
    wanted = {
        reference["key"]
        for overlay in OVERLAYS
        for one in read(overlay)
        for reference in _references(one)
    }
    assert wanted and [name for name in sorted(wanted) if name not in script] == []


def _references(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, dict):
        own = [value["secretKeyRef"]] if "secretKeyRef" in value else []
        return own + [each for one in value.values() for each in _references(one)]
    return [each for one in value for each in _references(one)] if isinstance(value, list) else []
