"""What the handler can be told: one table, read once at start, a bad value stops the start.

Telemetry has no settings of its own here: it obeys the standard OTEL_* variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingError(Exception):
    """One sentence that names the setting, its value and what was expected."""


@dataclass(frozen=True)
class Setting:
    """A line of the table; `minimum` and `maximum` bound whole numbers, inclusively."""

    name: str
    default: str
    meaning: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    secret: bool = False


TABLE: tuple[Setting, ...] = (
    Setting("HOST", "127.0.0.1", "address that the handler listens on (0.0.0.0 in a container)"),
    Setting("PORT", "5000", "port that the handler listens on", minimum=1, maximum=65535),
    Setting("WEB_CONCURRENCY", "2", "worker processes", minimum=1, maximum=64),
    Setting("WORKER_THREADS", "4", "threads in each worker", minimum=1, maximum=64),
    Setting(
        "WORKER_MAX_REQUESTS",
        "0",
        "requests after which a worker is replaced by a fresh one; 0 means never",
        minimum=0,
    ),
    Setting(
        "SHUTDOWN_SECONDS",
        "8",
        "time for open requests and the last export after SIGTERM",
        minimum=1,
        maximum=300,
    ),
    Setting("MODEL_DIR", "models", "folder of published models; its champion is served"),
    Setting(
        "ALLOW_JOBLIB",
        "false",
        "true serves also a model that could not be converted to ONNX: loading its joblib file runs"
        " whatever is in it",
        choices=("true", "false"),
    ),
    Setting(
        "STATE_DIR",
        "",
        "folder of the shared counters; empty means a new temporary one at each start",
    ),
    Setting(
        "MAX_BODY_BYTES",
        "262144",
        "largest request body that is read",
        minimum=1024,
        maximum=64 * 1024 * 1024,
    ),
    Setting("MAX_BATCH", "1000", "most transactions in one request", minimum=1, maximum=100_000),
    Setting(
        "MAX_SIMULATED",
        "1000",
        "most transactions of one /simulate_traffic",
        minimum=1,
        maximum=100_000,
    ),
    Setting(
        "EXPLAIN_PERCENT",
        "1",
        "share of live predictions that are explained, for feature_attribution_total",
        minimum=0,
        maximum=100,
    ),
    Setting("CHALLENGER", "", "version of a second model beside the champion; empty means none"),
    Setting(
        "CHALLENGER_SHADOW_PERCENT",
        "100",
        "share of the champion's requests that the challenger scores too, aside",
        minimum=0,
        maximum=100,
    ),
    Setting(
        "CHALLENGER_SERVES_PERCENT",
        "0",
        "share of the requests that the challenger answers, the same for one X-Routing-Key",
        minimum=0,
        maximum=100,
    ),
    Setting(
        "CHALLENGER_TIMEOUT_MS",
        "100",
        "time that the challenger has to answer before the champion does",
        minimum=1,
        maximum=10_000,
    ),
    Setting(
        "CHALLENGER_WAIT_MS",
        "5",
        "time that an answer waits for the challenger's decision, so that its receipt has both",
        minimum=0,
        maximum=1000,
    ),
    Setting(
        "ACCESS_TOKEN",
        "",
        "bearer token that /metrics and /simulate_traffic ask for; empty means open,"
        " but closed on a public platform (Railway)",
        secret=True,
    ),
    Setting(
        "RECEIPT_KEYS",
        "",
        "keys that sign receipts, newest first, separated by commas;"
        " empty means one made in STATE_DIR",
        secret=True,
    ),
    Setting(
        "RECEIPT_DAYS",
        "60",
        "days in which the truth about a prediction may be told",
        minimum=1,
        maximum=3650,
    ),
    Setting(
        "REDIS_URL",
        "",
        "Redis that keeps the used receipts of several replicas; empty means a file in STATE_DIR",
        secret=True,
    ),
    Setting(
        "FAULT_HEADERS",
        "off",
        "obey the request header X-Fault (delays, failures) for drills; never on a public address",
        choices=("on", "off"),
    ),
    Setting(
        "LOG_LEVEL",
        "info",
        "what is logged; health checks and scrapes only at debug",
        choices=("debug", "info", "warning", "error"),
    ),
)


@dataclass(frozen=True)
class Settings:
    """The table's values, checked; see `TABLE` for what each means."""

    host: str
    port: int
    web_concurrency: int
    worker_threads: int
    worker_max_requests: int
    shutdown_seconds: int
    model_dir: Path
    allow_joblib: bool
    state_dir: Path | None
    max_body_bytes: int
    max_batch: int
    max_simulated: int
    explain_percent: int
    challenger: str
    challenger_shadow_percent: int
    challenger_serves_percent: int
    challenger_timeout_ms: int
    challenger_wait_ms: int
    access_token: str
    receipt_keys: tuple[str, ...]
    receipt_days: int
    redis_url: str
    fault_headers: bool
    log_level: str
    public: bool
    """True on a platform that gives the service a public address."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`; raises SettingError for the first value that cannot be used."""
    text = {setting.name: _text(setting, environ) for setting in TABLE}
    number = {s.name: _whole(s, text[s.name]) for s in TABLE if s.minimum is not None}
    public = "RAILWAY_ENVIRONMENT_NAME" in environ or "RAILWAY_ENVIRONMENT" in environ
    if public and text["FAULT_HEADERS"] == "on":
        raise SettingError("FAULT_HEADERS must be off on a public platform (Railway), got 'on'")
    return Settings(
        host=text["HOST"],
        port=number["PORT"],
        web_concurrency=number["WEB_CONCURRENCY"],
        worker_threads=number["WORKER_THREADS"],
        worker_max_requests=number["WORKER_MAX_REQUESTS"],
        shutdown_seconds=number["SHUTDOWN_SECONDS"],
        model_dir=Path(text["MODEL_DIR"]),
        allow_joblib=text["ALLOW_JOBLIB"] == "true",
        state_dir=Path(text["STATE_DIR"]) if text["STATE_DIR"] else None,
        max_body_bytes=number["MAX_BODY_BYTES"],
        max_batch=number["MAX_BATCH"],
        max_simulated=number["MAX_SIMULATED"],
        explain_percent=number["EXPLAIN_PERCENT"],
        challenger=text["CHALLENGER"],
        challenger_shadow_percent=number["CHALLENGER_SHADOW_PERCENT"],
        challenger_serves_percent=number["CHALLENGER_SERVES_PERCENT"],
        challenger_timeout_ms=number["CHALLENGER_TIMEOUT_MS"],
        challenger_wait_ms=number["CHALLENGER_WAIT_MS"],
        access_token=text["ACCESS_TOKEN"],
        receipt_keys=tuple(key for key in text["RECEIPT_KEYS"].split(",") if key.strip()),
        receipt_days=number["RECEIPT_DAYS"],
        redis_url=text["REDIS_URL"],
        fault_headers=text["FAULT_HEADERS"] == "on",
        log_level=text["LOG_LEVEL"],
        public=public,
    )


def _text(setting: Setting, environ: Mapping[str, str]) -> str:
    # An empty variable means the default: compose files pass unset variables on as empty ones.
    value = environ.get(setting.name, "").strip() or setting.default
    if setting.choices and value not in setting.choices:
        raise _refused(setting, value, f"one of {', '.join(setting.choices)}")
    return value


def _whole(setting: Setting, value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        raise _refused(setting, value, "a whole number") from None
    if setting.minimum is not None and number < setting.minimum:
        raise _refused(setting, value, f"at least {setting.minimum}")
    if setting.maximum is not None and number > setting.maximum:
        raise _refused(setting, value, f"at most {setting.maximum}")
    return number


def _refused(setting: Setting, value: str, expected: str) -> SettingError:
    shown = "(hidden)" if setting.secret else repr(value)
    return SettingError(f"{setting.name} must be {expected}, got {shown}: {setting.meaning}")
