"""The real Prometheus of tests/lab, set up so that its scrapes of itself are there at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus.client.http import Client, basic
from tests.lab.prometheus import Prometheus
from tests.lab.tools import tools_folder

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
    """One of the built programs."""
    return tools_folder() / name


@contextmanager
def prometheus(folder: Path) -> Iterator[Client]:
    """A Prometheus with nothing in it, ready; it ends with the block."""
    with _configure(folder) as server:
        yield Client(server.url, pause=0.05)


@contextmanager
def guarded_prometheus(folder: Path, user: str, token: str, bcrypt: str) -> Iterator[Client]:
    """One as Grafana Cloud has it: under /api/prom, for those who sign in; bcrypt is of `token`."""
    server = _configure(folder)
    web = folder / "web.yml"
    web.write_text(f"basic_auth_users:\n  '{user}': '{bcrypt}'\n")
    server.url += "/api/prom"
    server.auth = (user, token)
    server.command += [f"--web.external-url={server.url}", f"--web.config.file={web}"]
    with server:
        yield Client(server.url, basic(user, token), pause=0.05)


def _configure(folder: Path) -> Prometheus:
    server = Prometheus(tools_folder(), folder)
    (folder / "prometheus.yml").write_text(CONFIGURATION.format(port=server.port))
    return server
