"""All checks of the project's own, for manifests as they are read or rendered."""

from __future__ import annotations

import re
import subprocess
from functools import cache

import yaml

from tests.kubernetes.addresses import find_wrong_addresses
from tests.kubernetes.hardening import find_weak_pods
from tests.kubernetes.kustomization import KUBERNETES
from tests.kubernetes.network import find_blocked_arrows
from tests.kubernetes.references import Keys, find_broken_references
from tests.kubernetes.selectors import find_empty_selections
from tests.kubernetes.workloads import Manifest, name_of, of_kind

OVERLAYS = ("prometheus", "cortex", "grafana-cloud", "operator")
MOST_BYTES = 2**20
"""Of a ConfigMap."""


@cache
def read_secrets() -> dict[str, set[str]]:
    """Names and keys of the Secrets that secrets.sh makes, and names of those made by hand."""
    script = KUBERNETES / "secrets.sh"
    printed = subprocess.run(
        ["sh", script, "--all"], capture_output=True, text=True, check=True
    ).stdout
    made = {
        one["metadata"]["name"]: set(one["stringData"])
        for one in yaml.safe_load_all(printed)
        if one
    }
    [said] = re.findall(
        r"^# Not made here: (.+?)^set ", script.read_text(), re.MULTILINE | re.DOTALL
    )
    by_hand = re.findall(r"`([a-z-]+-secrets)`", said)
    return made | {name: set() for name in by_hand}


def find_faults(manifests: list[Manifest]) -> list[str]:
    """A sentence for each fault that is none of one object alone: no API server sees it."""
    secrets: Keys = read_secrets()
    return [
        *find_broken_references(manifests, secrets),
        *find_empty_selections(manifests),
        *find_blocked_arrows(manifests),
        *find_wrong_addresses(manifests),
        *find_weak_pods(manifests),
        *_large(manifests),
        *_twice(manifests),
    ]


def _large(manifests: list[Manifest]) -> list[str]:
    sizes = {name_of(one): len(yaml.safe_dump(one)) for one in of_kind(manifests, "ConfigMap")}
    return [
        f"{name}: {size} bytes, {MOST_BYTES} fit"
        for name, size in sizes.items()
        if size > MOST_BYTES
    ]


def _twice(manifests: list[Manifest]) -> list[str]:
    names = [name_of(one) for one in manifests]
    return [f"{name}: there are two" for name in sorted(set(names)) if names.count(name) > 1]
