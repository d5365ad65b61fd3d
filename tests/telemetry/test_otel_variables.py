"""The standard variables: empty means unset, and what cannot be used is named in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.util.re import parse_env_headers

from telemetry.errors import TelemetryError
from telemetry.lifecycle import start
from telemetry.otel_variables import OtelVariables, drop_empty_variables, read_otel_variables
from tests.conftest import FACTS, SILENT
from tests.lab.paths import ROOT

UNSET = OtelVariables(enabled=True, export_metrics=True, export_spans=True, interval_seconds=60)
READ_HERE = (
    "OTEL_SDK_DISABLED",
    "OTEL_METRICS_EXPORTER",
    "OTEL_TRACES_EXPORTER",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_EXPORTER_OTLP_COMPRESSION",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
)
# What the SDK does with them when they are empty: a traceback, a warning, or other span attributes.
READ_BY_SDK = (
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_TRACES_SAMPLER",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_PROPAGATORS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SERVICE_NAME",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_SEMCONV_STABILITY_OPT_IN",
)


@pytest.mark.parametrize("empty", ["", " "], ids=["empty", "blank"])
@pytest.mark.parametrize("name", READ_HERE)
def test_empty_variable_is_unset(name: str, empty: str) -> None:
    assert read_otel_variables({name: empty}) == UNSET


@pytest.mark.parametrize("empty", ["", " "], ids=["empty", "blank"])
@pytest.mark.parametrize("name", READ_BY_SDK)
def test_variable_that_is_empty_neither_stops_the_start_nor_is_warned_of(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    empty: str,
) -> None:
    monkeypatch.setenv(name, empty)
    telemetry = start(tmp_path, FACTS, 5000, {**os.environ, "OTEL_METRICS_EXPORTER": "none"})
    telemetry.close(1)
    assert name not in os.environ
    assert caplog.text == ""


def test_only_empty_variables_of_opentelemetry_are_dropped() -> None:
    environ = {"OTEL_A": "", "OTEL_B": "x", "HOME": ""}
    drop_empty_variables(environ)
    assert environ == {"OTEL_B": "x", "HOME": ""}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OTEL_METRICS_EXPORTER": " none "}, (False, True, 60)),
        ({"OTEL_TRACES_EXPORTER": "none"}, (True, False, 60)),
        ({"OTEL_SDK_DISABLED": " TRUE"}, (False, False, 60)),
        ({"OTEL_SDK_DISABLED": "yes"}, (True, True, 60)),
        ({"OTEL_METRIC_EXPORT_INTERVAL": " 1500 "}, (True, True, 1.5)),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, (True, True, 60)),
        ({"OTEL_EXPORTER_OTLP_COMPRESSION": "GZIP"}, (True, True, 60)),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "0.5"}, (True, True, 60)),
    ],
    ids=str,
)
def test_variable_is_obeyed(environ: dict[str, str], expected: tuple[bool, bool, float]) -> None:
    read = read_otel_variables(environ)
    assert (read.export_metrics, read.export_spans, read.interval_seconds) == expected


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "must be http/protobuf, got 'grpc'"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc", "must be http/protobuf, got 'grpc'"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "must be http/protobuf"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "must be none, gzip or deflate, got 'zstd'"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "yes", "must be none, gzip or deflate"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "must be a number of seconds, got '10s'"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "0", "must be a number of seconds, got '0'"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "nan", "must be a number of seconds"),
        ("OTEL_METRICS_EXPORTER", "console", "must be otlp or none, got 'console'"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "must be otlp or none, got 'zipkin'"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "15s", "whole number of milliseconds"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1", "at least 100"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "²00", "whole number of milliseconds"),
    ],
)
def test_variable_that_cannot_be_used_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(TelemetryError, match=f"{name}.*{says}"):
        read_otel_variables({name: value})


@pytest.mark.parametrize(
    "value",
    ["Bearer s3cret", "Authorization: Bearer s3cret", "a=s3cr\u00e9t", 'a="s3cret"', "a=1,s3"],
)
def test_headers_that_the_sdk_would_leave_out_are_refused_unseen(value: str) -> None:
    """The SDK would log them, credentials and all."""
    assert len(parse_env_headers(value, liberal=True)) < value.count(",") + 1
    with pytest.raises(TelemetryError, match="OTLP_HEADERS must be name=value") as caught:
        read_otel_variables({"OTEL_EXPORTER_OTLP_HEADERS": value})
    assert "s3" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    ["Authorization=Basic aWQ6a2V5==", "Authorization=Basic%20aWQ6a2V5", "a=1, b = x y ,", "a="],
)
def test_headers_that_the_sdk_takes_are_taken(value: str) -> None:
    assert len(parse_env_headers(value, liberal=True)) == value.strip(",").count(",") + 1
    assert read_otel_variables({"OTEL_EXPORTER_OTLP_HEADERS": value}) == UNSET


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("OTEL_METRICS_EXEMPLAR_FILTER", "sometimes", "exemplar filter 'sometimes'"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "max_queue_size must be a positive integer"),
    ],
)
def test_variable_that_the_sdk_cannot_use_stops_the_start_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(TelemetryError, match=f"OTEL_.*{says}"):
        start(tmp_path, FACTS, 5000, {"OTEL_METRICS_EXPORTER": "none"})
    monkeypatch.delenv(name)
    telemetry = start(tmp_path, FACTS, 5000, SILENT)
    assert telemetry.slot_name.endswith("-0")  # The slot of the start that failed is free again.
    telemetry.close(1)


@pytest.mark.parametrize("value", ["nonsense", ""])
def test_propagators_that_cannot_be_used_are_left_to_the_workers(
    tmp_path: Path, value: str
) -> None:
    """gunicorn's master imports what reads them; a worker says in a sentence what is wrong."""
    command = [sys.executable, "-c", "import runpy; runpy.run_path('gunicorn.conf.py')"]
    environ = os.environ | {"OTEL_PROPAGATORS": value, "STATE_DIR": str(tmp_path)}
    ended = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
