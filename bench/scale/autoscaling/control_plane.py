"""What stands beside the API server: controllers, scheduler, and kwok in the place of kubelets."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import yaml

from bench.scale.autoscaling.certificates import Authority
from bench.scale.autoscaling.kwok_stages import Stage
from tests.kubernetes.api_server import ApiServer
from tests.lab.polling import answers
from tests.lab.ports import free_port
from tests.lab.program import Program

NODES = 3
"""A third of the pods is on each: more than a drain may take at once."""
PODS_OF_A_NODE = 110
"""The kubelet's own limit."""
_PROXY = "front-proxy"


def aggregation_options(folder: Path) -> list[str]:
    """Of the API server: how it proves to the servers of other kinds that it is itself."""
    authority = Authority(folder, "front-proxy-ca")
    certificate, key = authority.sign(_PROXY)
    return [
        f"--requestheader-client-ca-file={authority.certificate}",
        f"--requestheader-allowed-names={_PROXY}",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={certificate}",
        f"--proxy-client-key-file={key}",
    ]


class ClusterProgram(Program):
    """A program of the cluster that says at `probe` whether it is ready."""

    ready_seconds = 300

    def __init__(self, command: list[str], log: Path, probe: str, **env: str) -> None:
        super().__init__(command, log, env)
        self._probe = probe

    def is_ready(self) -> bool:
        """By its own word."""
        return answers(self._probe) if self._probe.startswith("http:") else _answers(self._probe)


def _answers(url: str) -> bool:
    # Their certificates are their own.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=2, context=context) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False


def controller_manager(tools: Path, server: ApiServer) -> ClusterProgram:
    """With every interval as it is by default: the autoscaler looks each 15 s."""
    port = free_port()
    command = [
        str(tools / "kube-controller-manager"),
        *_as_administrator(server),
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--leader-elect=false",
        f"--service-account-private-key-file={server.folder / 'service-accounts.key'}",
        # kwok's signs of life may come late on a busy machine.
        "--node-monitor-grace-period=1h",
    ]
    log = server.folder / "kube-controller-manager.log"
    return ClusterProgram(command, log, f"https://127.0.0.1:{port}/healthz")


def scheduler(tools: Path, server: ApiServer) -> ClusterProgram:
    """Places the pods by the constraints in the manifests."""
    port = free_port()
    command = [
        str(tools / "kube-scheduler"),
        *_as_administrator(server),
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        "--leader-elect=false",
    ]
    return ClusterProgram(
        command, server.folder / "kube-scheduler.log", f"https://127.0.0.1:{port}/healthz"
    )


def kwok(tools: Path, server: ApiServer, stages: list[Stage]) -> ClusterProgram:
    """Plays every node, and every pod that the stages select."""
    port = free_port()
    config = server.folder / "kwok.yaml"
    config.write_text(yaml.safe_dump_all(stages))
    command = [
        str(tools / "kwok"),
        f"--kubeconfig={server.kubeconfig}",
        f"--config={config}",
        "--manage-all-nodes=true",
        "--node-lease-duration-seconds=40",
        f"--server-address=127.0.0.1:{port}",
    ]
    return ClusterProgram(command, server.folder / "kwok.log", f"http://127.0.0.1:{port}/healthz")


def _as_administrator(server: ApiServer) -> list[str]:
    names = ("kubeconfig", "authentication-kubeconfig", "authorization-kubeconfig")
    return [f"--{name}={server.kubeconfig}" for name in names]


def make_nodes() -> list[dict[str, Any]]:
    """Each in a zone of its own; two have room for all that runs."""
    room = {"cpu": "64", "memory": "256Gi", "pods": str(PODS_OF_A_NODE)}
    return [
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": f"node-{number}",
                "labels": {
                    "kubernetes.io/hostname": f"node-{number}",
                    "kubernetes.io/os": "linux",
                    "topology.kubernetes.io/zone": f"zone-{number}",
                },
            },
            "status": {"allocatable": room, "capacity": room},
        }
        for number in range(NODES)
    ]
