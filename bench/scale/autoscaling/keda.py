"""KEDA's operator and its metrics server, as its installation runs them but for their addresses.

Its admission webhooks are left out: they only refuse wrong objects.
"""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

from bench.scale.autoscaling.certificates import Authority
from bench.scale.autoscaling.control_plane import ClusterProgram
from tests.kubernetes.api_server import ApiServer
from tests.lab.ports import free_port

NAMESPACE = "keda"
API = "v1beta1.external.metrics.k8s.io"
_SERVICE = "keda-metrics-apiserver"


class Keda:
    """`operator` computes, `adapter` answers the autoscaler; `manifests` make the adapter known."""

    def __init__(self, tools: Path, server: ApiServer) -> None:
        folder = server.folder / "keda"
        self._certificates = folder
        self._authority = Authority(folder, "ca")
        names = ("localhost", f"{_SERVICE}.{NAMESPACE}.svc")
        certificate, key = self._authority.sign("keda", *names)
        shutil.copy(certificate, folder / "tls.crt")
        shutil.copy(key, folder / "tls.key")
        self._port, inner = free_port(), free_port()
        self.operator = self._make_operator(tools, server, inner)
        self.adapter = self._make_adapter(tools, server, inner)

    def _make_operator(self, tools: Path, server: ApiServer, inner: int) -> ClusterProgram:
        health = free_port()
        command = [
            str(tools / "keda-operator"),
            f"--cert-dir={self._certificates}",
            f"--metrics-service-bind-address=127.0.0.1:{inner}",
            f"--metrics-bind-address=127.0.0.1:{free_port()}",
            f"--health-probe-bind-address=127.0.0.1:{health}",
            "--enable-apiservice-patching=false",
            "--enable-webhook-patching=false",
        ]
        return ClusterProgram(
            command, server.folder / "keda-operator.log", f"http://127.0.0.1:{health}/readyz",
            KUBECONFIG=str(server.kubeconfig), POD_NAMESPACE=NAMESPACE, POD_NAME="keda-operator-0",
            WATCH_NAMESPACE="", KEDA_CLUSTER_OBJECT_NAMESPACE=NAMESPACE,
        )  # fmt: skip

    def _make_adapter(self, tools: Path, server: ApiServer, inner: int) -> ClusterProgram:
        configuration = server.kubeconfig
        command = [
            str(tools / "keda-adapter"),
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            # Of its own metrics, on every address: it has no option for another.
            f"--port={free_port()}",
            f"--kubeconfig={configuration}",
            f"--lister-kubeconfig={configuration}",
            f"--authentication-kubeconfig={configuration}",
            f"--authorization-kubeconfig={configuration}",
            f"--cert-dir={self._certificates}",
            f"--tls-cert-file={self._certificates / 'tls.crt'}",
            f"--tls-private-key-file={self._certificates / 'tls.key'}",
            f"--metrics-service-address=localhost:{inner}",
        ]
        return ClusterProgram(
            command, server.folder / "keda-adapter.log", f"https://127.0.0.1:{self._port}/readyz",
            KUBECONFIG=str(configuration), POD_NAMESPACE=NAMESPACE, WATCH_NAMESPACE="",
        )  # fmt: skip

    def manifests(self) -> list[dict[str, Any]]:
        """Its namespace, and where the API server finds the adapter."""
        ca = base64.b64encode(self._authority.certificate.read_bytes()).decode()
        return [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": _SERVICE, "namespace": NAMESPACE},
                "spec": {
                    "type": "ExternalName",
                    "externalName": "localhost",
                    "ports": [{"port": self._port}],
                },
            },
            {
                "apiVersion": "apiregistration.k8s.io/v1",
                "kind": "APIService",
                "metadata": {"name": API},
                "spec": {
                    "group": "external.metrics.k8s.io",
                    "version": "v1beta1",
                    "groupPriorityMinimum": 100,
                    "versionPriority": 100,
                    "caBundle": ca,
                    "service": {"namespace": NAMESPACE, "name": _SERVICE, "port": self._port},
                },
            },
        ]
