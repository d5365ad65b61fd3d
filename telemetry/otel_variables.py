"""The standard OTEL_* variables that telemetry reads itself; the others are read by the SDK.

Empty means unset, as OpenTelemetry's specification says.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

from telemetry.errors import TelemetryError

# The variable for all signals, and the one of each that takes precedence.
_OTLP = ("OTEL_EXPORTER_OTLP_", "OTEL_EXPORTER_OTLP_METRICS_", "OTEL_EXPORTER_OTLP_TRACES_")
# What the SDK takes (opentelemetry.util.re): a name of a header, and text without " , ; and \\.
_HEADER = re.compile(r"[\w!#$%&'*+.^`|~-]+[ \t]*=[ !#-+\--:<-\[\]-~\t]*", re.ASCII)
_COMPRESSIONS = ("none", "gzip", "deflate")
_DEFAULT_INTERVAL_MS = 60_000
_SHORTEST_INTERVAL_MS = 100


@dataclass(frozen=True)
class OtelVariables:
    """What the variables say: whether anything is published, and what is exported how often."""

    enabled: bool
    export_metrics: bool
    export_spans: bool
    interval_seconds: float


def read_otel_variables(environ: Mapping[str, str]) -> OtelVariables:
    """Raises TelemetryError for the first variable that cannot be used."""
    for prefix in _OTLP:
        _check_protocol(environ, f"{prefix}PROTOCOL")
        _check_compression(environ, f"{prefix}COMPRESSION")
        _check_timeout(environ, f"{prefix}TIMEOUT")
        _check_headers(environ, f"{prefix}HEADERS")
    enabled = _read(environ, "OTEL_SDK_DISABLED", "false").lower() != "true"
    return OtelVariables(
        enabled=enabled,
        export_metrics=enabled and _is_exported(environ, "OTEL_METRICS_EXPORTER"),
        export_spans=enabled and _is_exported(environ, "OTEL_TRACES_EXPORTER"),
        interval_seconds=_read_interval_ms(environ) / 1000,
    )


def drop_empty_variables(environ: MutableMapping[str, str]) -> None:
    """Remove the OTEL_* variables that are set to nothing.

    The SDK takes some empty ones for values (OTEL_METRICS_EXEMPLAR_FILTER and the limits of spans
    then stop the start), so they must be gone before it reads them.
    """
    for name, value in list(environ.items()):
        if name.startswith("OTEL_") and not value.strip():
            del environ[name]


def _read(environ: Mapping[str, str], name: str, default: str) -> str:
    return environ.get(name, "").strip() or default


def _check_protocol(environ: Mapping[str, str], name: str) -> None:
    if (protocol := _read(environ, name, "http/protobuf")) != "http/protobuf":
        raise TelemetryError(
            f"{name} must be http/protobuf, got {protocol!r}: the handler sends OTLP over HTTP"
        )


def _check_compression(environ: Mapping[str, str], name: str) -> None:
    # The exporter would send uncompressed and say so in a log that is switched off (see logs.py).
    if (compression := _read(environ, name, "none")).lower() not in _COMPRESSIONS:
        raise TelemetryError(f"{name} must be none, gzip or deflate, got {compression!r}")


def _check_timeout(environ: Mapping[str, str], name: str) -> None:
    timeout = _read(environ, name, "10")
    try:
        usable = 0 < float(timeout) < math.inf
    except ValueError:
        usable = False
    if not usable:
        raise TelemetryError(f"{name} must be a number of seconds, got {timeout!r}")


def _check_headers(environ: Mapping[str, str], name: str) -> None:
    # The SDK would leave such a header out, and log it with the credentials that it holds.
    for header in _read(environ, name, "").split(","):
        if header.strip() and not _HEADER.fullmatch(header.strip()):
            raise TelemetryError(
                f"{name} must be name=value, several separated by commas, with values URL encoded;"
                " got something else (secret)"
            )


def _is_exported(environ: Mapping[str, str], name: str) -> bool:
    exporter = _read(environ, name, "otlp")
    if exporter not in ("otlp", "none"):
        raise TelemetryError(f"{name} must be otlp or none, got {exporter!r}")
    return exporter == "otlp"


def _read_interval_ms(environ: Mapping[str, str]) -> int:
    name = "OTEL_METRIC_EXPORT_INTERVAL"
    interval = _read(environ, name, str(_DEFAULT_INTERVAL_MS))
    if not (interval.isascii() and interval.isdigit()) or int(interval) < _SHORTEST_INTERVAL_MS:
        raise TelemetryError(
            f"{name} must be a whole number of milliseconds, at least {_SHORTEST_INTERVAL_MS},"
            f" got {interval!r}"
        )
    return int(interval)
