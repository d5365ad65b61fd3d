"""A cluster's API server with the definitions of other kinds, one a run."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.kubernetes.api_server import PROGRAMS, ApiServer, Etcd
from tests.kubernetes.crds import make_crds
from tests.kubernetes.kustomization import KUBERNETES, parse, write_combination
from tests.kubernetes.programs import build_programs
from tests.kubernetes.workloads import Manifest

Render = Callable[..., list[Manifest]]


@pytest.fixture(scope="session")
def cluster_tools() -> Path:
    """The folder with etcd, kube-apiserver, kubectl and controller-gen."""
    return build_programs(PROGRAMS)


@pytest.fixture(scope="session")
def api_server(
    cluster_tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ApiServer]:
    """Running, with the kinds of the Prometheus operator and KEDA, and the namespace."""
    folder = tmp_path_factory.mktemp("cluster")
    crds = make_crds(cluster_tools, tmp_path_factory.mktemp("crds"))
    with (
        Etcd(cluster_tools, folder) as etcd,
        ApiServer(cluster_tools, folder, etcd.url) as server,
    ):
        for path in crds:
            assert server.apply(parse(path.read_text())) == "", path.name
        wanted = ["--for=condition=Established", "--timeout=60s", "crd", "--all"]
        assert server.kubectl("wait", *wanted).returncode == 0
        namespace = yaml.safe_load((KUBERNETES / "base" / "namespace.yaml").read_text())
        assert server.apply([namespace]) == ""
        yield server


@pytest.fixture(scope="session")
def render(cluster_tools: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """render(overlay, *components): the manifests as `kubectl apply -k` would send them."""

    def run(overlay: str, *components: str) -> list[Manifest]:
        folder = KUBERNETES / "overlays" / overlay
        if components:
            folder = write_combination(tmp_path_factory.mktemp(overlay), overlay, components)
        command = [str(cluster_tools / "kubectl"), "kustomize", str(folder)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return list(parse(ran.stdout))

    return run
