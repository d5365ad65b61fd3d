"""The fixtures of all tests that start real programs; tests/conftest.py makes them known.

Each program is a file of this folder: handler, collector, prometheus, alertmanager, redis. What a
test starts is killed at its end, the last one first.

    tools            the folder of the built programs
    model_dir        the default model, trained once a run
    browser          Chromium, one a module
    axe              axe-core, which looks for what keeps people out of a page
    exit_stack       programs entered here are killed at the end of the test
    prometheus       the local Prometheus, running
    cloud            a Prometheus that stands in for Grafana Cloud, running
    make_collector   make_collector(**settings): the Collector, not yet running
    collector        the Collector before `prometheus`, running
    start_handler    start_handler(**settings): the service with the default model, running
    service          two workers that export to `collector` each second
    webhook          where Alertmanager's notifications arrive

A test that needs another life time than its own (a module's) enters the classes into an ExitStack.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.lab.axe import fetch_axe
from tests.lab.chromium import chromium
from tests.lab.collector import Collector
from tests.lab.handler import Handler
from tests.lab.models import train_model
from tests.lab.prometheus import Prometheus
from tests.lab.tools import tools_folder
from tests.lab.webhook import Webhook, webhook_receiver

MakeCollector = Callable[..., Collector]
StartHandler = Callable[..., Handler]


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of the built programs."""
    return tools_folder()


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the default model, trained for this run."""
    return train_model(tmp_path_factory.mktemp("models"), "--rows", "40000")


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """axe.min.js, fetched by npm and not kept."""
    return fetch_axe(tmp_path_factory.mktemp("axe"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; no longer than a module, for Playwright allows itself one event loop a thread."""
    with chromium() as started:
        yield started


@pytest.fixture
def exit_stack() -> Iterator[ExitStack]:
    """Programs entered here are killed at the end of the test, the last one first."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def prometheus(tools: Path, tmp_path: Path, exit_stack: ExitStack) -> Prometheus:
    """The local Prometheus, running."""
    return exit_stack.enter_context(Prometheus(tools, tmp_path / "prometheus"))


@pytest.fixture
def cloud(tools: Path, tmp_path: Path, exit_stack: ExitStack) -> Prometheus:
    """A Prometheus behind basic authentication in the place of Grafana Cloud, running."""
    return exit_stack.enter_context(Prometheus(tools, tmp_path / "cloud", cloud=True))


@pytest.fixture
def make_collector(tools: Path, tmp_path: Path, exit_stack: ExitStack) -> MakeCollector:
    """make_collector(**settings): the Collector, not yet running."""

    def make(**settings: str) -> Collector:
        made = Collector(tools, tmp_path / "collector", **settings)
        exit_stack.callback(made.kill)
        return made

    return make


@pytest.fixture
def collector(make_collector: MakeCollector, prometheus: Prometheus) -> Collector:
    """The Collector before the local Prometheus, running."""
    return make_collector(PROMETHEUS_URL=prometheus.url).start()


@pytest.fixture
def start_handler(model_dir: Path, tmp_path: Path, exit_stack: ExitStack) -> StartHandler:
    """start_handler(models=model_dir, name="handler", **settings): a running service."""

    def start(models: Path = model_dir, name: str = "handler", **settings: str) -> Handler:
        return exit_stack.enter_context(Handler(tmp_path / name, models, **settings))

    return start


@pytest.fixture
def service(start_handler: StartHandler, collector: Collector) -> Handler:
    """Two workers that export each second to the Collector before the local Prometheus."""
    return start_handler(WEB_CONCURRENCY="2", **collector.exporter_settings())


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """Where Alertmanager's notifications arrive."""
    with webhook_receiver() as receiver:
        yield receiver
