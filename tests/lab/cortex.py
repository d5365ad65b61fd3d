"""Three real nodes of Cortex, configured by deploy/cortex/, and the proxy before them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from stack.native.cortex import NODES
from tests.lab.environment import clean_environment
from tests.lab.paths import ROOT
from tests.lab.polling import answers
from tests.lab.ports import free_port
from tests.lab.program import Program
from tests.lab.prometheus import PrometheusApi

CONFIG = ROOT / "deploy" / "cortex"
WITHOUT_BUCKET, WITH_BUCKET = "cortex-no-bucket.yaml", "cortex.yaml"


def cortex_tools() -> Path:
    """The folder with `cortex`; it is built where it is missing, for minutes."""
    command = [sys.executable, "-m", "stack", "build", "cortex"]
    subprocess.run(command, cwd=ROOT, check=True)
    return ROOT / (os.environ.get("STACK_TOOLS_DIR") or ".tools/bin")


class Node(Program):
    """One of them; it keeps what it has when it is killed and started again."""

    ready_seconds = 60

    def __init__(self, tools: Path, folder: Path, config: str, *flags: str, **env: str) -> None:
        self.url = f"http://127.0.0.1:{env['CORTEX_HTTP_PORT']}"
        file = CONFIG / config
        command = [str(tools / "cortex"), f"-config.file={file}", "-config.expand-env", *flags]
        super().__init__(command, folder / "log", env)

    def is_ready(self) -> bool:
        """It takes samples and queries."""
        return answers(f"{self.url}/ready")


class Proxy(Program):
    """The native start's, before nodes at these addresses."""

    def __init__(self, folder: Path, nodes: list[str]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (folder / "pages").mkdir(parents=True, exist_ok=True)
        (folder / "pages" / "index.html").touch()
        env = {
            "STACK_STORE_NODES": ",".join(nodes),
            "STACK_LIVE_VIEW": str(folder / "pages"),
            "PROMETHEUS_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "stack.native.reverse_proxy"]
        super().__init__(command, folder / "log", env)

    def is_ready(self) -> bool:
        """It serves its page."""
        return answers(f"{self.url}/user/")


class Cortex(PrometheusApi):
    """The three nodes behind the proxy. `rules` is a folder with rule files; flags win over the
    configuration."""

    def __init__(
        self,
        tools: Path,
        folder: Path,
        rules: Path,
        alertmanager: str,
        *flags: str,
        config: str = WITHOUT_BUCKET,
    ) -> None:
        (folder / "rules").mkdir(parents=True)
        (folder / "rules" / "fake").symlink_to(rules)
        gossip = [free_port() for _ in NODES]
        shared = {
            "CORTEX_ADDRESS": "127.0.0.1",
            "CORTEX_JOIN": ",".join(f"127.0.0.1:{port}" for port in gossip),
            "CORTEX_RULES": str(folder / "rules"),
            "CORTEX_BUCKET_BACKEND": "filesystem",
            "CORTEX_BUCKET_DIR": str(folder / "bucket"),
            "ALERTMANAGER_URL": alertmanager,
        }
        self.nodes = [
            Node(
                tools, folder / name, config, *flags,
                CORTEX_NODE=name, CORTEX_DIR=str(folder / name / "data"),
                CORTEX_HTTP_PORT=str(free_port()), CORTEX_GRPC_PORT=str(free_port()),
                CORTEX_GOSSIP_PORT=str(port), **shared,
            )
            for name, port in zip(NODES, gossip, strict=True)
        ]  # fmt: skip
        self.proxy = Proxy(folder / "proxy", [node.url for node in self.nodes])
        self.url = self.proxy.url

    @property
    def write_url(self) -> str:
        """Where remote-write goes."""
        return f"{self.proxy.url}/api/v1/push"

    def check_configuration(self) -> subprocess.CompletedProcess[str]:
        """What the program says of its configuration, without running."""
        node = self.nodes[0]
        return subprocess.run(
            [*node.command, "-modules"],
            env=clean_environment() | node.env,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def kill(self) -> None:
        """All of it."""
        for program in (self.proxy, *self.nodes):
            program.kill()

    def __enter__(self) -> Self:
        # Side by side: none waits for another.
        for node in self.nodes:
            node.launch()
        try:
            for program in (*self.nodes, self.proxy):
                if program.process is None:
                    program.launch()
                program.wait_until_ready()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
