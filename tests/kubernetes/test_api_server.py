"""A real API server takes every overlay, and sees with the checks each fault that people make."""

from __future__ import annotations

import copy
import os
import subprocess
from pathlib import Path

import pytest

from tests.kubernetes.api_server import ApiServer
from tests.kubernetes.checks import OVERLAYS, find_faults
from tests.kubernetes.conftest import Render
from tests.kubernetes.faults import FAULTS
from tests.kubernetes.kustomization import KUBERNETES
from tests.kubernetes.workloads import Manifest

pytestmark = [pytest.mark.kubernetes, pytest.mark.timeout(3600)]

ALL = [
    *((overlay,) for overlay in OVERLAYS),
    ("prometheus", "keda"),
    ("cortex", "keda-cortex"),
    ("cortex", "cortex-bucket"),
]
combinations = pytest.mark.parametrize("parts", ALL, ids="+".join)


@combinations
def test_server_takes_every_object(
    api_server: ApiServer, render: Render, parts: tuple[str]
) -> None:
    """By a strict dry run: unknown fields, and what Pod Security would refuse, are told."""
    manifests = render(*parts)
    assert api_server.dry_run(manifests) == ""
    print(f"{'+'.join(parts)}: {len(manifests)} objects")


@combinations
def test_rendered_names_lead_somewhere(render: Render, parts: tuple[str]) -> None:
    manifests = render(*parts)
    assert find_faults(manifests) == []
    placed = [one["metadata"] for one in manifests if one["kind"] != "Namespace"]
    assert {one.get("namespace") for one in placed} == {"fraud-monitoring"}


def test_a_deleted_secret_comes_back_to_fit_the_others(
    api_server: ApiServer, cluster_tools: Path
) -> None:
    """By the command on the page, with the real kubectl."""
    command = f"sh {KUBERNETES / 'secrets.sh'} | kubectl create -f -"
    path = f"{cluster_tools}:{os.environ['PATH']}"
    environ = {**os.environ, "KUBECONFIG": str(api_server.kubeconfig), "PATH": path}

    def make() -> str:
        run = subprocess.run(["sh", "-c", command], env=environ, capture_output=True, text=True)
        return run.stdout + run.stderr

    def tokens() -> set[str]:
        wanted = ("get", "secrets", "-n", "fraud-monitoring", "-o", "jsonpath={..data.OTLP_TOKEN}")
        return set(api_server.kubectl(*wanted).stdout.split())

    assert make().count(" created") == 4
    before = tokens()
    api_server.kubectl("delete", "secret", "collector-secrets", "-n", "fraud-monitoring")
    said = make()
    assert "made to fit those that are there: collector-secrets." in said
    assert said.count(" created") == 1 and tokens() == before and len(before) == 1


@pytest.fixture(scope="module")
def whole(render: Render) -> list[Manifest]:
    return render("prometheus", "keda")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda name: name.replace(" ", "-"))
def test_fault_is_found(api_server: ApiServer, whole: list[Manifest], fault: str) -> None:
    """By the server, or by a check where every object for itself is right."""
    manifests = copy.deepcopy(whole)
    FAULTS[fault](manifests)
    # The server looks at each object for itself, and has taken the others.
    changed = [one for one in manifests if one not in whole]
    seen = api_server.dry_run(changed) if changed else ""
    print(f"{fault}: {'API server' if seen else 'own check'}")
    assert seen or find_faults(manifests)
