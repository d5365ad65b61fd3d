"""A real Prometheus on a loopback port, set up as prometheus/prometheus.yml sets ours up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus.client.errors import RequestError
from prometheus.client.http import Client, basic

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = """
otlp:
  promote_resource_attributes: []
  translation_strategy: UnderscoreEscapingWithSuffixes
storage:
  tsdb:
    out_of_order_time_window: 24h
scrape_configs:
  - job_name: stack
    scrape_interval: 1s
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


def program(name: str) -> Path:
    """The program from STACK_TOOLS_DIR or .tools/bin, built if it is not there yet."""
    folder = ROOT / (os.environ.get("STACK_TOOLS_DIR") or ".tools/bin")
    if not (folder / name).exists():
        subprocess.run([sys.executable, "-m", "stack", "build"], cwd=ROOT, check=True)
    return folder / name


@contextmanager
def prometheus(folder: Path) -> Iterator[Client]:
    """A Prometheus with nothing in it, ready; it ends with the block."""
    port = _free_port()
    with _running(folder, port):
        yield _ready(Client(f"http://127.0.0.1:{port}", pause=0.05))


@contextmanager
def guarded_prometheus(folder: Path, user: str, token: str, bcrypt: str) -> Iterator[Client]:
    """One as Grafana Cloud has it: under /api/prom, for those who sign in; bcrypt is of `token`."""
    port = _free_port()
    web = folder / "web.yml"
    web.write_text(f"basic_auth_users:\n  '{user}': '{bcrypt}'\n")
    address = f"http://127.0.0.1:{port}/api/prom"
    with _running(folder, port, f"--web.external-url={address}", f"--web.config.file={web}"):
        yield _ready(Client(address, basic(user, token), pause=0.05))


@contextmanager
def _running(folder: Path, port: int, *options: str) -> Iterator[None]:
    configuration = folder / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(port=port))
    with (folder / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.enable-otlp-receiver",
                "--enable-feature=exemplar-storage",
                *options,
            ],
            stdout=log,
            stderr=log,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)


def _ready(client: Client) -> Client:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if client.get("/-/ready").status == 200:
                return client
        except RequestError:
            pass
        time.sleep(0.05)
    raise AssertionError("Prometheus was not ready within 60 s")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
