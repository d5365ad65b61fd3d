"""docs/kubernetes.md: commands name what is there, figures are those of other pages and files."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.docs.pages import DOCS, ROOT, blocks, rows, section
from tests.kubernetes.faults import FAULTS

PAGE = DOCS / "kubernetes.md"
TEXT = PAGE.read_text(encoding="utf-8")
FOLDER = ROOT / "deploy" / "kubernetes"


def manifests(path: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / path).read_text()))


def test_first_dashboard_takes_ten_commands() -> None:
    [first, *_] = blocks(section(PAGE, "From a cluster to the first dashboard"), "sh")
    assert len(first.splitlines()) == 10


def test_what_was_not_tried_says_so() -> None:
    for heading in ("From a cluster to the first dashboard", "A model version, out and back"):
        text = section(PAGE, heading)
        assert "```sh untried" in text and "◇" in text
    assert "```sh\n" not in TEXT


def test_commands_name_what_is_there() -> None:
    code = "\n".join(blocks(TEXT, "sh"))
    kustomized = set(re.findall(r"-k (\S+)", code)) - {"deploy/kubernetes/overlays/mine"}
    assert kustomized and all((ROOT / one / "kustomization.yaml").is_file() for one in kustomized)
    files = set(re.findall(r"(?:-f|sh) (deploy/\S+)", code))
    assert len(files) == 2 and all((ROOT / one).is_file() for one in files)
    stages = set(re.findall(r"--target (\w+)", code))
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert stages and all(f" AS {one}\n" in dockerfile for one in stages)
    images = set(re.findall(r"-t (fraud-monitoring/\w+):local", code))
    kustomization = yaml.safe_load((FOLDER / "base/kustomization.yaml").read_text())
    assert images == {one["name"] for one in kustomization["images"]}
    namespace = manifests("base/namespace.yaml")[0]["metadata"]["name"]
    assert set(re.findall(r"-n (\S+)", code)) == {namespace}


def test_every_overlay_and_component_is_listed() -> None:
    listed = set(re.findall(r"`([a-z-]+)`", section(PAGE, "Which overlay")))
    there = {one.name for part in ("overlays", "components") for one in (FOLDER / part).iterdir()}
    assert there <= listed


def test_requests_and_limits_are_those_of_the_manifests() -> None:
    cost = {row[0]: row[1] for row in rows(section(PAGE, "What a replica costs"))}
    for name, path in (
        ("handler", "base/handler.yaml"),
        ("Collector", "base/collector.yaml"),
        ("Prometheus", "overlays/prometheus/prometheus.yaml"),
    ):
        made = manifests(path)[0]["spec"]
        resources = made["template"]["spec"]["containers"][0]["resources"]
        asked, limit = resources["requests"], resources["limits"]
        assert cost[name].startswith(
            f"{asked['cpu']}, {asked['memory']}, at most {limit['memory']}"
        )
        size = made["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
        assert size in (cost["its volume"] if name == "handler" else cost[name])


def test_figures_are_those_of_other_pages() -> None:
    telemetry = (DOCS / "telemetry.md").read_text(encoding="utf-8")
    found = re.search(
        r"\*\*(\d+) series a worker\*\* at the start and never more than (\d+)", telemetry
    )
    assert found is not None
    series, most = int(found[1]), int(found[2])
    assert f"{series} a worker, never more than {most:,}" in TEXT
    assert f"two workers {2 * series:,} a replica, {200 * series:,} for a hundred" in TEXT
    performance = (DOCS / "performance.md").read_text(encoding="utf-8")
    row = re.search(r"^\| this service, all on \|.*$", performance, re.MULTILINE)
    stated = re.search(r"takes (\d+) µs", TEXT)
    assert row is not None and stated is not None
    # A later measurement moves it a little; replicas are sized by more than that.
    measured = int(row[0].split("|")[8].split()[0])
    assert 0.8 < int(stated[1]) / measured < 1.25
    carried = 500_000 / int(stated[1])
    assert f"{round(carried, -2):,.0f} a second" in TEXT
    scaled = manifests("components/keda/scaledobject.yaml")[0]["spec"]["triggers"][0]["metadata"]
    assert f"at {scaled['threshold']} requests a second each" in TEXT
    assert 0.25 < int(scaled["threshold"]) / carried < 0.35


def test_faults_are_as_many_as_are_tried() -> None:
    counted = re.search(r"(\d+) faults put in .* \| (\d+) are .*, the other (\d+),", TEXT)
    assert counted is not None
    whole, by_server, by_checks = (int(one) for one in counted.groups())
    assert whole == by_server + by_checks == len(FAULTS)


def test_versions_are_those_that_are_built() -> None:
    tried = section(PAGE, "What was tried")
    for folder, module in (
        ("kubernetes", "k8s.io/kubernetes"),
        ("etcd", "go.etcd.io/etcd/server/v3"),
        ("crds", "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring"),
        ("keda", "github.com/kedacore/keda/v2"),
    ):
        text = (FOLDER / "distribution" / folder / "go.mod").read_text()
        version = re.search(rf"{re.escape(module)} v([\d.]+)", text)
        assert version is not None and version[1] in tried, module
