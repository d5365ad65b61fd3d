"""The settings of the handler: one line each, read once at start, checked.

The variable's name is the field's in capitals. Telemetry has no settings of its own here: it obeys
the standard OTEL_* variables.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from service.public_address import is_public
from service.setting_fields import (
    SHORTEST_SECRET,
    choice,
    declare,
    read_address,
    read_optional_path,
    read_rate,
    read_redis_url,
    read_secrets,
    switch,
    token,
    whole_number,
)


class SettingError(Exception):
    """One sentence that names the setting, its value and what was expected."""


@dataclass(frozen=True)
class Setting:
    """A line of the table; `read` refuses a value by a ValueError that ends 'NAME must be …'.

    Inclusive bounds where the value is a whole number; `choices` where it is one of a few words.
    """

    name: str
    default: str
    meaning: str
    read: Callable[[str], Any]
    secret: bool = False
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settings:
    """The values, checked; each field is declared with its default and its meaning."""

    host: str = declare("127.0.0.1", "address that the handler listens on (0.0.0.0 in a container)")
    published_address: str = declare(
        "",
        "address at which a container's port is published, where HOST does not tell who reaches the"
        " service; empty means HOST",
    )
    port: int = whole_number(5000, "port that the handler listens on", 1, 65535)
    web_concurrency: int = whole_number(2, "worker processes", 1, 64)
    worker_threads: int = whole_number(
        4, "threads in each worker, for all that is neither a prediction nor a batch of them", 1, 64
    )
    max_waiting: int = whole_number(
        128,
        "requests that may wait in each worker, for the event loop and for a thread; those beyond"
        " are refused with 503",
        1,
        100_000,
    )
    max_connections: int = whole_number(
        4096,
        "open connections of each worker; beyond, those that have waited longest for their client"
        " are closed",
        16,
        1_000_000,
    )
    client_seconds: int = whole_number(
        15,
        "time that a client has to send a request, and again to take each piece of the answer",
        1,
    )
    keep_alive_seconds: int = whole_number(
        75, "time after which a connection without a request is closed", 1
    )
    worker_max_requests: int = whole_number(
        0,
        "requests after which a worker is replaced by a fresh one, which is ready before the other"
        " ends (one more for a moment), the first ones earlier; 0 means never",
        0,
    )
    shutdown_seconds: int = whole_number(
        8, "time for open requests and the last export after SIGTERM", 1, 300
    )
    model_dir: Path = declare("models", "folder of published models; its champion is served", Path)
    allow_joblib: bool = switch(
        "false",
        "true serves also a model that could not be converted to ONNX: loading its joblib file runs"
        " whatever is in it",
        on="true",
        off="false",
    )
    state_dir: Path | None = declare(
        "",
        "folder of the shared counters; empty means a new temporary one at each start",
        read_optional_path,
    )
    max_body_bytes: int = whole_number(
        262_144, "largest request body that is read", 1024, 64 * 1024 * 1024
    )
    max_batch: int = whole_number(1000, "most transactions in one request", 1, 100_000)
    max_simulated: int = whole_number(
        1000, "most transactions of one /simulate_traffic", 1, 100_000
    )
    explain_percent: int = whole_number(
        1,
        "share of live predictions that are explained, at most 5 a second in each worker, for"
        " feature_attribution_total",
        0,
        100,
    )
    challenger: str = declare("", "version of a second model beside the champion; empty means none")
    challenger_shadow_percent: int = whole_number(
        100,
        "share of the champion's requests that the challenger scores too, in the shadow",
        0,
        100,
    )
    challenger_serves_percent: int = whole_number(
        0,
        "share of the requests that the challenger answers, the same for one X-Routing-Key",
        0,
        100,
    )
    challenger_timeout_ms: int = whole_number(
        100, "time that the challenger has to answer before the champion does", 1, 10_000
    )
    challenger_wait_ms: int = whole_number(
        5,
        "time that an answer waits for the challenger's decision, so that its receipt has both",
        0,
        1000,
    )
    access_token: tuple[str, ...] = declare(
        "",
        "bearer token that opens every endpoint that asks for one, of at least"
        f" {SHORTEST_SECRET} characters; needed to start where others can reach the service."
        " Several, separated by commas, while one replaces another",
        read_secrets,
        secret=True,
    )
    feedback_token: tuple[str, ...] = token("/feedback")
    metrics_token: tuple[str, ...] = token("/metrics and /stats")
    predict_token: tuple[str, ...] = token("/predict, which is open without")
    allow_open: bool = switch(
        "false",
        "true starts without a token where others can reach the service: its endpoints are then"
        " open to them",
        on="true",
        off="false",
    )
    client_rate_limit: int | None = declare(
        "auto",
        "requests a second of one client, in each worker, beyond which it is answered 429; 0 means"
        " no limit, auto 50 where others can reach the service, else none",
        read_rate,
    )
    trusted_proxies: int = whole_number(
        0,
        "proxies before the service that add their client to X-Forwarded-For; 0 takes who is"
        " connected for the client",
        0,
        10,
    )
    receipt_keys: tuple[str, ...] = declare(
        "",
        "keys that sign receipts, newest first, separated by commas, each of at least 16"
        " characters; empty means one made in RECEIPT_DIR",
        read_secrets,
        secret=True,
    )
    receipt_dir: Path | None = declare(
        "",
        "folder of the used receipts, and of the key where RECEIPT_KEYS gives none; empty means"
        " STATE_DIR",
        read_optional_path,
    )
    used_receipts_mib: int = whole_number(
        512,
        "most space that the file of used receipts takes, in MiB; beyond it labels are unavailable",
        1,
        1_048_576,
    )
    receipt_days: int = whole_number(60, "days in which a prediction's label is accepted", 1, 3650)
    redis_url: str = declare(
        "",
        "Redis that keeps the used receipts of several replicas; empty means a file in RECEIPT_DIR",
        read_redis_url,
        secret=True,
    )
    prometheus_external_url: str = declare(
        "",
        "where people reach Prometheus, which serves the dashboards: the start page links to it",
        read_address,
    )
    alertmanager_external_url: str = declare(
        "",
        "where people reach Alertmanager: the start page links to it and asks it what fires",
        read_address,
    )
    dashboards_url: str = declare(
        "",
        "where the dashboards are; empty means /user/ of PROMETHEUS_EXTERNAL_URL",
        read_address,
    )
    stack_progress_file: Path | None = declare(
        "",
        "file in which a start says what it still makes; the start page shows it",
        read_optional_path,
    )
    fault_headers: bool = switch(
        "off",
        "obey the request header X-Fault (delays, failures) for drills; never on a public address",
        on="on",
        off="off",
    )
    traces_share_percent: int = whole_number(
        10, "share of the ordinary requests whose trace is kept; the Collector's too", 0, 100
    )
    traces_slow_ms: int = whole_number(
        500,
        "requests that take this long or longer are always traced; the Collector's too",
        1,
        3_600_000,
    )
    # Writing one takes a quarter of a millisecond, in which requests wait: a hundred show in p99.
    traces_per_second: int = whole_number(
        20,
        "most traces that each worker keeps a second, those of trusted callers aside",
        1,
        10_000,
    )
    trust_traceparent: str = choice(
        "auto",
        "true goes on with a caller's trace and keeps it where its sampled flag is set; false"
        " begins a trace of its own, linked to the caller's; auto is false where others can reach"
        " the service",
        ("auto", "true", "false"),
    )
    log_level: str = choice(
        "info",
        "what is logged; health checks and scrapes only at debug",
        ("debug", "info", "warning", "error"),
    )
    public: bool = False
    """True where others than this machine may reach the service; not a setting of its own."""


TABLE: tuple[Setting, ...] = tuple(
    Setting(one.name.upper(), **one.metadata["setting"])
    for one in fields(Settings)
    if "setting" in one.metadata
)


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`; raises SettingError for the first value that cannot be used."""
    values = {setting.name.lower(): _read(setting, environ) for setting in TABLE}
    public = is_public(values["published_address"] or values["host"], environ)
    if public and values["fault_headers"]:
        raise SettingError(
            "FAULT_HEADERS must be off on a public platform (Railway) and where HOST is not"
            " loopback, got 'on'"
        )
    return Settings(**values, public=public)


def _read(setting: Setting, environ: Mapping[str, str]) -> Any:
    # An empty variable means the default: compose files pass unset variables on as empty ones.
    text = environ.get(setting.name, "").strip() or setting.default
    try:
        return setting.read(text)
    except ValueError as expected:
        shown = "(secret)" if setting.secret else repr(text)
        raise SettingError(f"{setting.name} must be {expected}, got {shown}") from None
