"""The Collector's settings: what is wrong is said in one sentence before anything starts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.collector.lab import TOKEN, Collector, cloud_settings

pytestmark = pytest.mark.stack

Make = Callable[..., Collector]
CLOUD = {"OTEL_COLLECTOR_ROUTE": "grafana-cloud"}
WRITE = cloud_settings("https://metrics.example", "remote-write")
OTLP = cloud_settings("https://metrics.example", "otlp")
SECRET_IN_URL = "https://123456:glc_secret@metrics.example/push"


def without(settings: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in settings.items() if key != name}


FAULTY = {
    "unknown route": ({"OTEL_COLLECTOR_ROUTE": "cloud"}, "OTEL_COLLECTOR_ROUTE", "grafana-cloud"),
    "no token": (CLOUD | without(WRITE, "GRAFANA_CLOUD_TOKEN"), "GRAFANA_CLOUD_TOKEN", "missing"),
    "blank token": (CLOUD | WRITE | {"GRAFANA_CLOUD_TOKEN": "  "}, "GRAFANA_CLOUD_TOKEN", "missing"),
    "quoted token": (CLOUD | WRITE | {"GRAFANA_CLOUD_TOKEN": '"glc_x"'}, "GRAFANA_CLOUD_TOKEN", "quot"),
    "no write address": (
        CLOUD | without(WRITE, "GRAFANA_CLOUD_PROM_URL"), "GRAFANA_CLOUD_PROM_URL", "missing",
    ),
    "no write id": (CLOUD | without(WRITE, "GRAFANA_CLOUD_PROM_ID"), "GRAFANA_CLOUD_PROM_ID", "missing"),
    "no otlp address": (
        CLOUD | without(OTLP, "GRAFANA_CLOUD_OTLP_ENDPOINT"), "GRAFANA_CLOUD_OTLP_ENDPOINT", "missing",
    ),
    "no otlp id": (CLOUD | without(OTLP, "GRAFANA_CLOUD_OTLP_ID"), "GRAFANA_CLOUD_OTLP_ID", "needs it"),
    "no token for both": ({"OTEL_COLLECTOR_ROUTE": "both"}, "GRAFANA_CLOUD_TOKEN", "'both'|\"both\""),
    "unknown way": (CLOUD | WRITE | {"GRAFANA_CLOUD_METRICS": "push"}, "GRAFANA_CLOUD_METRICS", "otlp"),
    "secret in address": (
        CLOUD | WRITE | {"GRAFANA_CLOUD_PROM_URL": SECRET_IN_URL}, "GRAFANA_CLOUD_PROM_URL", "logged",
    ),
    "no scheme": ({"PROMETHEUS_URL": "localhost:9090"}, "PROMETHEUS_URL", "http://"),
    "no port": ({"OTLP_HTTP_ENDPOINT": "127.0.0.1"}, "OTLP_HTTP_ENDPOINT", "host:port"),
    "share over 100": ({"TRACES_SHARE_PERCENT": "101"}, "TRACES_SHARE_PERCENT", "0 to 100"),
    "no number": ({"COLLECTOR_MEMORY_MIB": "256MB"}, "COLLECTOR_MEMORY_MIB", "whole number"),
    "no time": ({"COLLECTOR_RETRY_MAX_INTERVAL": "30"}, "COLLECTOR_RETRY_MAX_INTERVAL", "30s"),
    "queue not writable": ({"COLLECTOR_QUEUE_DIR": "/proc/queue"}, "COLLECTOR_QUEUE_DIR", "made"),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "name", "hint"), FAULTY.values(), ids=FAULTY.keys())
def test_faulty_setting_stops_the_start_with_a_sentence(
    collector: Make, settings: dict[str, str], name: str, hint: str
) -> None:
    """Exit code 2 and one line that begins with the variable's name; no secret in it."""
    ended = collector(**settings).run()
    said = ended.stderr.strip()
    assert ended.returncode == 2
    assert said.startswith(f"otelcol: {name} ")
    assert len(said.splitlines()) == 1
    assert any(each in said for each in hint.split("|"))
    assert "glc_" not in ended.stdout + said


ROUTES = {
    "local": {},
    "local with traces": {"TEMPO_URL": "http://tempo.example:4318"},
    "cloud by remote-write": CLOUD | WRITE,
    "cloud by remote-write, traces too": CLOUD | WRITE | {
        "GRAFANA_CLOUD_OTLP_ENDPOINT": "https://otlp.example/otlp",
        "GRAFANA_CLOUD_OTLP_ID": "654321",
    },
    "cloud by otlp": CLOUD | OTLP,
    "both": {"OTEL_COLLECTOR_ROUTE": "both", "TEMPO_URL": "http://tempo.example:4318"} | WRITE,
    "both by otlp": {"OTEL_COLLECTOR_ROUTE": "both"} | OTLP,
    "containers": {"OTLP_HTTP_ENDPOINT": "[::]:4318", "COLLECTOR_METRICS_HOST": "0.0.0.0"},
}  # fmt: skip


@pytest.mark.parametrize("settings", ROUTES.values(), ids=ROUTES.keys())
def test_each_route_is_a_valid_configuration(collector: Make, settings: dict[str, str]) -> None:
    """`otelcol validate` takes what the route puts together."""
    ended = collector(**settings).run("validate")
    assert ended.returncode == 0, ended.stderr


def test_printed_configuration_hides_the_token(collector: Make) -> None:
    """`print-config` may be pasted into a question to others."""
    ended = collector(**CLOUD, **WRITE).run(
        "print-config", "--feature-gates=otelcol.printInitialConfig"
    )
    assert ended.returncode == 0, ended.stderr
    assert "prometheusremotewrite/grafana_cloud" in ended.stdout
    assert TOKEN not in ended.stdout + ended.stderr


def test_missing_trace_target_is_said_once(collector: Make) -> None:
    """Nobody searches a Tempo that was never named."""
    said = collector().run("validate").stderr
    assert said.count("TEMPO_URL is not set: traces are not kept locally.") == 1


def test_own_configuration_takes_the_built_in_ones_place(collector: Make, tmp_path: Path) -> None:
    """With --config the program is an ordinary Collector, whatever the route says."""
    faulty = tmp_path / "own.yaml"
    faulty.write_text("receivers: {kafka: {}}\n")
    ended = collector(OTEL_COLLECTOR_ROUTE="nonsense").run("validate", f"--config={faulty}")
    assert ended.returncode == 1
    assert "kafka" in ended.stderr
