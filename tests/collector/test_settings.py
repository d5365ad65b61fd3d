"""The Collector's settings: what is wrong is printed in one sentence before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lab.fixtures import MakeCollector
from tests.lab.grafana_cloud import TOKEN, cloud_settings
from tests.lab.write_store import PASSWORD, USER, write_settings

pytestmark = pytest.mark.stack

BOTH = {"OTEL_COLLECTOR_ROUTE": "both"}
CLOUD = {"OTEL_COLLECTOR_ROUTE": "grafana-cloud"}
WRITE = cloud_settings("https://metrics.example", "remote-write")
OTLP = cloud_settings("https://metrics.example", "otlp")
SECRET_IN_URL = "https://123456:glc_secret@metrics.example/push"


LOCAL: dict[str, str] = {}
CLOUD_WRITE, CLOUD_OTLP = CLOUD | WRITE, CLOUD | OTLP
BOTH_WRITE, BOTH_OTLP = BOTH | WRITE, BOTH | OTLP
STORE = write_settings("https://store.example")
BASIC = STORE | {"REMOTE_WRITE_USERNAME": USER, "REMOTE_WRITE_PASSWORD": PASSWORD}
BEARER = STORE | {"REMOTE_WRITE_BEARER_TOKEN": TOKEN}
OPEN_STORE = "http://store.example/api/v1/write"
FAULTY = {
    "unknown route": (LOCAL, "OTEL_COLLECTOR_ROUTE", "cloud", "both, remote-write"),
    "no token": (CLOUD_WRITE, "GRAFANA_CLOUD_TOKEN", "", "missing"),
    "no token for both": (BOTH_WRITE, "GRAFANA_CLOUD_TOKEN", "", '"both"'),
    "blank token": (CLOUD_WRITE, "GRAFANA_CLOUD_TOKEN", "  ", "missing"),
    "quoted token": (CLOUD_WRITE, "GRAFANA_CLOUD_TOKEN", '"glc_x"', "quotation mark"),
    "no write address": (CLOUD_WRITE, "GRAFANA_CLOUD_PROM_URL", "", "missing"),
    "no write id": (CLOUD_WRITE, "GRAFANA_CLOUD_PROM_ID", "", "missing"),
    "no otlp address": (CLOUD_OTLP, "GRAFANA_CLOUD_OTLP_ENDPOINT", "", "missing"),
    "no otlp id": (CLOUD_OTLP, "GRAFANA_CLOUD_OTLP_ID", "", "missing"),
    "unknown way": (CLOUD_WRITE, "GRAFANA_CLOUD_METRICS", "push", "one of remote-write, otlp"),
    "secret in address": (CLOUD_WRITE, "GRAFANA_CLOUD_PROM_URL", SECRET_IN_URL, "logged"),
    "no scheme": (LOCAL, "PROMETHEUS_URL", "localhost:9090", "http://"),
    "no port": (LOCAL, "OTLP_HTTP_ENDPOINT", "127.0.0.1", "host:port"),
    "share over 100": (LOCAL, "TRACES_SHARE_PERCENT", "101", "from 0 to 100"),
    "no number": (LOCAL, "COLLECTOR_MEMORY_MIB", "256MB", "whole number"),
    "no time": (LOCAL, "COLLECTOR_RETRY_MAX_INTERVAL", "30", "such as 30s"),
    "open to other hosts": (LOCAL, "OTLP_HTTP_ENDPOINT", "0.0.0.0:4318", "OTLP_TOKEN"),
    "short receiver token": (LOCAL, "OTLP_TOKEN", "short", "at least 16"),
    "unusual receiver token": (LOCAL, "OTLP_TOKEN", "a secret of mine \"", "letters, digits"),
    "probe without scheme": (LOCAL, "PROBE_URL", "localhost:5000", "http://"),
    "no time to probe": (LOCAL, "PROBE_INTERVAL", "15", "such as 30s"),
    "write token in the clear": (
        CLOUD_WRITE, "GRAFANA_CLOUD_PROM_URL", "http://metrics.example/push", "https://",
    ),
    "otlp token in the clear": (
        CLOUD_OTLP, "GRAFANA_CLOUD_OTLP_ENDPOINT", "http://otlp.example", "https://",
    ),
    "no store": (STORE, "REMOTE_WRITE_URL", "", "missing"),
    "secret in store's address": (STORE, "REMOTE_WRITE_URL", SECRET_IN_URL, "logged"),
    "user without password": (BASIC, "REMOTE_WRITE_PASSWORD", "", "needs both"),
    "password without user": (BASIC, "REMOTE_WRITE_USERNAME", "", "needs both"),
    "token beside a user": (BASIC, "REMOTE_WRITE_BEARER_TOKEN", "glc_x", "either the token"),
    "quoted password": (BASIC, "REMOTE_WRITE_PASSWORD", '"glc_x"', "quotation mark"),
    "unusual token": (BEARER, "REMOTE_WRITE_BEARER_TOKEN", "glc_a b", "letters, digits"),
    "password in the clear": (BASIC, "REMOTE_WRITE_URL", OPEN_STORE, "https://"),
    "bearer token in the clear": (BEARER, "REMOTE_WRITE_URL", OPEN_STORE, "https://"),
    "tenant with a slash": (STORE, "REMOTE_WRITE_TENANT", "a/b", "at most 150"),
    "no time to give up": (LOCAL, "COLLECTOR_ERROR_GIVE_UP", "1", "such as 30s"),
    "queue not writable": (LOCAL, "COLLECTOR_QUEUE_DIR", "/proc/queue", "cannot be made"),
}  # fmt: skip


@pytest.mark.parametrize(("base", "name", "value", "hint"), FAULTY.values(), ids=FAULTY.keys())
def test_faulty_setting_stops_the_start_with_a_sentence(
    make_collector: MakeCollector, base: dict[str, str], name: str, value: str, hint: str
) -> None:
    """Exit code 2 and one line that begins with the variable's name; no secret in it."""
    ended = make_collector(**base | {name: value}).run()
    printed = ended.stderr.strip()
    assert ended.returncode == 2
    assert printed.startswith("otelcol: ") and name in printed
    assert len(printed.splitlines()) == 1
    assert hint in printed
    assert "glc_" not in ended.stdout + printed


TEMPO = {"TEMPO_URL": "http://tempo.example:4318"}
CLOUD_TRACES = {
    "GRAFANA_CLOUD_OTLP_ENDPOINT": "https://otlp.example/otlp",
    "GRAFANA_CLOUD_OTLP_ID": "654321",
}
ROUTES = {
    "local": LOCAL,
    "local with traces": TEMPO,
    "cloud by remote-write": CLOUD_WRITE,
    "cloud by remote-write, traces too": CLOUD_WRITE | CLOUD_TRACES,
    "cloud by otlp": CLOUD_OTLP,
    "both": BOTH_WRITE | CLOUD_TRACES | TEMPO,
    "both by otlp": BOTH_OTLP | TEMPO,
    "remote-write in a private network": write_settings("http://store.example"),
    "remote-write": BASIC | TEMPO | {"REMOTE_WRITE_TENANT": "team-a"},
    "remote-write by token": BEARER,
    "containers": {
        "OTLP_HTTP_ENDPOINT": "[::]:4318", "COLLECTOR_METRICS_HOST": "0.0.0.0",
        "OTLP_ALLOW_OPEN": "true", "PROBE_URL": "http://handler:5000/health/ready",
    },
    "with tokens": BOTH_WRITE | {
        "OTLP_HTTP_ENDPOINT": "0.0.0.0:4318", "OTLP_TOKEN": "a-new-token-of-20, an-old-token-of-20",
        "PROBE_URL": "https://handler.example/health/ready",
    },
}  # fmt: skip


@pytest.mark.parametrize("settings", ROUTES.values(), ids=ROUTES.keys())
def test_each_route_is_a_valid_configuration(
    make_collector: MakeCollector, settings: dict[str, str]
) -> None:
    """`otelcol validate` takes what the route puts together."""
    ended = make_collector(**settings).run("validate")
    assert ended.returncode == 0, ended.stderr


def test_printed_configuration_hides_the_token(make_collector: MakeCollector) -> None:
    """`print-config` may be pasted into a question to others."""
    for settings in (CLOUD_WRITE, BASIC, BEARER):
        ended = make_collector(**settings).run(
            "print-config", "--feature-gates=otelcol.printInitialConfig"
        )
        assert ended.returncode == 0, ended.stderr
        assert "prometheusremotewrite/store" in ended.stdout
        assert TOKEN not in ended.stdout + ended.stderr
        assert PASSWORD not in ended.stdout + ended.stderr


def test_missing_trace_target_is_logged_once(make_collector: MakeCollector) -> None:
    """Nobody searches a Tempo that was never named."""
    printed = make_collector().run("validate").stderr
    assert (
        printed.count("Neither TEMPO_URL nor TRACES_FILE is set: traces are not kept locally.") == 1
    )


def test_own_configuration_takes_the_built_in_ones_place(
    make_collector: MakeCollector, tmp_path: Path
) -> None:
    """With --config the program is an ordinary Collector, whatever the route says."""
    faulty = tmp_path / "own.yaml"
    faulty.write_text("receivers: {kafka: {}}\n")
    ended = make_collector(OTEL_COLLECTOR_ROUTE="nonsense").run("validate", f"--config={faulty}")
    assert ended.returncode == 1
    assert "kafka" in ended.stderr
