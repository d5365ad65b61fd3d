"""A real API server on loopback, with its etcd: no kubelet, no controllers, no pods that run."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import yaml

from tests.kubernetes.workloads import Manifest
from tests.lab.polling import answers
from tests.lab.ports import free_port
from tests.lab.program import Program

PROGRAMS = ("etcd", "kube-apiserver", "kubectl", "controller-gen")
"""What `python -m stack build` is asked for."""
TOKEN = "a-token-of-this-test"


class Etcd(Program):
    """The API server's store."""

    def __init__(self, tools: Path, folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        peers = f"http://127.0.0.1:{free_port()}"
        options = [
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={self.url}",
            f"--advertise-client-urls={self.url}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            # Thrown away with the test.
            "--unsafe-no-fsync",
            "--log-level=warn",
        ]
        super().__init__([str(tools / "etcd"), *options], folder / "etcd.log", {})

    def is_ready(self) -> bool:
        """It answers."""
        return answers(f"{self.url}/health")


class ApiServer(Program):
    """kube-apiserver before a running etcd, and `kubectl` as its administrator."""

    ready_seconds: ClassVar[float] = 90

    def __init__(self, tools: Path, folder: Path, etcd: str, *options: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self._kubectl = str(tools / "kubectl")
        self.kubeconfig = folder / "kubeconfig"
        super().__init__(
            [str(tools / "kube-apiserver"), *self._options(etcd), *options],
            folder / "kube-apiserver.log",
            {},
        )

    def _options(self, etcd: str) -> list[str]:
        key, tokens = self.folder / "service-accounts.key", self.folder / "tokens.csv"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        tokens.write_text(f'{TOKEN},admin,admin,"system:masters"\n')
        self.kubeconfig.write_text(yaml.safe_dump(self._configuration()))
        return [
            f"--etcd-servers={etcd}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--cert-dir={self.folder / 'certificates'}",
            # Loopback may not be the address of a service, and no other is asked for.
            "--endpoint-reconciler-type=none",
            "--advertise-address=192.0.2.1",
            "--service-cluster-ip-range=198.51.100.0/24",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={tokens}",
            "--authorization-mode=RBAC",
            "--profiling=false",
        ]

    def _configuration(self) -> Manifest:
        cluster = {"server": self.url, "insecure-skip-tls-verify": True}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "admin", "user": {"token": TOKEN}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            "current-context": "test",
        }

    def is_ready(self) -> bool:
        """All its parts have started."""
        # Its certificate is its own.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        request = urllib.request.Request(
            f"{self.url}/readyz", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=2, context=context) as answer:
                return int(answer.status) == 200
        except (urllib.error.URLError, OSError):
            return False

    def kubectl(
        self, *words: str | Path, content: str = "", seconds: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """kubectl with these words and this standard input; it may have failed."""
        command = [self._kubectl, f"--kubeconfig={self.kubeconfig}", *map(str, words)]
        return subprocess.run(
            command, input=content, capture_output=True, text=True, timeout=seconds, check=False
        )

    def apply(self, manifests: Iterable[Manifest], *options: str) -> str:
        """What it has against the manifests, or would warn of; empty when it takes them."""
        words = ["apply", "--server-side", "--validate=strict", *options, "-f", "-"]
        content = "\n---\n".join(json.dumps(one) for one in manifests)
        ran = self.kubectl(*words, content=content, seconds=300)
        return "" if ran.returncode == 0 and not ran.stderr else ran.stderr or ran.stdout

    def dry_run(self, manifests: Iterable[Manifest]) -> str:
        """The same, without keeping them."""
        return self.apply(manifests, "--dry-run=server")
