"""Manifest, modules, settings and README of the Collector say the same."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.lab.paths import ROOT

FOLDER = ROOT / "otel-collector"
MANIFEST: dict[str, Any] = yaml.safe_load((FOLDER / "distribution/manifest.yaml").read_text())
# Written by the program for its own configuration, not by people.
DERIVED = {
    "COLLECTOR_QUEUE_BYTES",
    "COLLECTOR_TRACE_QUEUE_BYTES",
    "COLLECTOR_INTERNAL_ENDPOINT",
    "TRACES_SHARE_BELOW",
    "OTLP_TOKENS",
    "REMOTE_WRITE_CREDENTIALS",
}


def listed_modules() -> set[tuple[str, str]]:
    """Module and version of every part of the manifest."""
    kinds = ("extensions", "receivers", "processors", "exporters", "connectors", "providers")
    parts = [part for kind in kinds for part in MANIFEST.get(kind) or []]
    return {tuple(part["gomod"].split()) for part in parts}


def test_parts_are_required_at_the_manifests_versions() -> None:
    """go.mod requires each part of the manifest at exactly its version."""
    go_mod = (FOLDER / "distribution/go.mod").read_text()
    required = {tuple(line.split()[:2]) for line in go_mod.splitlines() if " v" in line}
    assert listed_modules() <= required


def test_parts_are_compiled_in() -> None:
    """components.go, which is generated, was generated from this manifest."""
    generated = (FOLDER / "distribution/components.go").read_text()
    compiled = set(re.findall(r'"(\S+) (v[\d.]+)"', generated))
    providers = {tuple(part["gomod"].split()) for part in MANIFEST["providers"]}
    assert compiled == listed_modules() - providers


def used_parts() -> set[str]:
    """The type of every component that the configuration names."""
    found: set[str] = set()
    for file in (FOLDER / "config").glob("*.yaml"):
        config = yaml.safe_load(file.read_text())
        for kind in ("extensions", "receivers", "processors", "exporters", "connectors"):
            found |= {name.partition("/")[0] for name in config.get(kind) or {}}
    return found


def test_every_part_is_used() -> None:
    """Nothing is built in that no route needs."""
    modules = {name for name, _ in listed_modules() if "/confmap/" not in name}
    parts = {re.sub(r"(receiver|processor|exporter|extension)$", "", name.rpartition("/")[2])
             for name in modules}  # fmt: skip
    own = {"credential_refusal", "server_error_retry", "late_exemplars", "instance_sum"}
    assert parts == {name.replace("_", "") for name in used_parts() - own}


def test_readme_lists_every_setting() -> None:
    """The table has what the program and its configuration read, no more and no less."""
    readme = (FOLDER / "README.md").read_text()
    rows = re.findall(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \|", readme, re.MULTILINE)
    table = {name for row in rows for name in re.findall(r"[A-Z_]+", row)}
    sources = "".join(file.read_text() for file in (FOLDER / "distribution").glob("*.go"))
    read = set(re.findall(r'"([A-Z]+_[A-Z_]+)"', sources))
    for file in (FOLDER / "config").glob("*.yaml"):
        read |= set(re.findall(r"\$\{env:([A-Z_]+)", file.read_text()))
    assert table == read - DERIVED
