"""The settings of the handler: one line each, read once at start, checked.

The variable's name is the field's in capitals. Telemetry has no settings of its own here: it obeys
the standard OTEL_* variables.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any


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


def _declare(default: str, meaning: str, read: Callable[[str], Any] = str, **details: Any) -> Any:
    declared = {"default": default, "meaning": meaning, "read": read, **details}
    return field(metadata={"setting": declared})


def _whole_number(default: int, meaning: str, minimum: int, maximum: int | None = None) -> Any:
    """Inclusive bounds."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            raise ValueError("a whole number") from None
        if number < minimum:
            raise ValueError(f"at least {minimum}")
        if maximum is not None and number > maximum:
            raise ValueError(f"at most {maximum}")
        return number

    return _declare(str(default), meaning, read, minimum=minimum, maximum=maximum)


def _one_of(words: tuple[str, ...], text: str) -> str:
    if text not in words:
        raise ValueError(f"one of {', '.join(words)}")
    return text


def _choice(default: str, meaning: str, words: tuple[str, ...]) -> Any:
    return _declare(default, meaning, lambda text: _one_of(words, text), choices=words)


def _switch(default: str, meaning: str, on: str, off: str) -> Any:
    words = (on, off)
    return _declare(default, meaning, lambda text: _one_of(words, text) == on, choices=words)


# In characters; what is shorter can be guessed.
SHORTEST_SECRET = 16


def _split(text: str) -> tuple[str, ...]:
    """Separated by commas; blanks around each are no part of it."""
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _read_secrets(text: str) -> tuple[str, ...]:
    found = _split(text)
    if any(len(one) < SHORTEST_SECRET for one in found):
        raise ValueError(f"made of secrets of at least {SHORTEST_SECRET} characters each")
    return found


def _token(opens: str) -> Any:
    meaning = (
        f"bearer token for {opens}, of at least {SHORTEST_SECRET} characters; several as above"
    )
    return _declare("", meaning, _read_secrets, secret=True)


def _read_redis_url(text: str) -> str:
    if text:
        # Imported where it is used: most services have no Redis.
        from redis.connection import parse_url

        try:
            parse_url(text)  # type: ignore[no-untyped-call]
        except ValueError:
            # Without the cause, which quotes parts of the address.
            raise ValueError("an address like redis://host:6379/0") from None
    return text


def _read_optional_path(text: str) -> Path | None:
    return Path(text) if text else None


@dataclass(frozen=True)
class Settings:
    """The values, checked; each field is declared with its default and its meaning."""

    host: str = _declare(
        "127.0.0.1", "address that the handler listens on (0.0.0.0 in a container)"
    )
    port: int = _whole_number(5000, "port that the handler listens on", 1, 65535)
    web_concurrency: int = _whole_number(2, "worker processes", 1, 64)
    worker_threads: int = _whole_number(4, "threads in each worker", 1, 64)
    worker_max_requests: int = _whole_number(
        0, "requests after which a worker is replaced by a fresh one; 0 means never", 0
    )
    shutdown_seconds: int = _whole_number(
        8, "time for open requests and the last export after SIGTERM", 1, 300
    )
    model_dir: Path = _declare("models", "folder of published models; its champion is served", Path)
    allow_joblib: bool = _switch(
        "false",
        "true serves also a model that could not be converted to ONNX: loading its joblib file runs"
        " whatever is in it",
        on="true",
        off="false",
    )
    state_dir: Path | None = _declare(
        "",
        "folder of the shared counters; empty means a new temporary one at each start",
        _read_optional_path,
    )
    max_body_bytes: int = _whole_number(
        262_144, "largest request body that is read", 1024, 64 * 1024 * 1024
    )
    max_batch: int = _whole_number(1000, "most transactions in one request", 1, 100_000)
    max_simulated: int = _whole_number(
        1000, "most transactions of one /simulate_traffic", 1, 100_000
    )
    explain_percent: int = _whole_number(
        1,
        "share of live predictions that are explained, for feature_attribution_total",
        0,
        100,
    )
    challenger: str = _declare(
        "", "version of a second model beside the champion; empty means none"
    )
    challenger_shadow_percent: int = _whole_number(
        100,
        "share of the champion's requests that the challenger scores too, in the shadow",
        0,
        100,
    )
    challenger_serves_percent: int = _whole_number(
        0,
        "share of the requests that the challenger answers, the same for one X-Routing-Key",
        0,
        100,
    )
    challenger_timeout_ms: int = _whole_number(
        100, "time that the challenger has to answer before the champion does", 1, 10_000
    )
    challenger_wait_ms: int = _whole_number(
        5,
        "time that an answer waits for the challenger's decision, so that its receipt has both",
        0,
        1000,
    )
    access_token: tuple[str, ...] = _declare(
        "",
        "bearer token that opens every endpoint that asks for one; needed to start where HOST is"
        " not loopback and on Railway. Several, separated by commas, while one replaces another",
        _split,
        secret=True,
    )
    feedback_token: tuple[str, ...] = _token("/feedback")
    metrics_token: tuple[str, ...] = _token("/metrics")
    predict_token: tuple[str, ...] = _token("/predict, which is open without")
    allow_open: bool = _switch(
        "false",
        "true starts without a token where others can reach the service: its endpoints are then"
        " open to them",
        on="true",
        off="false",
    )
    receipt_keys: tuple[str, ...] = _declare(
        "",
        "keys that sign receipts, newest first, separated by commas, each of at least 16"
        " characters; empty means one made in STATE_DIR",
        _read_secrets,
        secret=True,
    )
    receipt_days: int = _whole_number(60, "days in which a prediction's label is accepted", 1, 3650)
    redis_url: str = _declare(
        "",
        "Redis that keeps the used receipts of several replicas; empty means a file in STATE_DIR",
        _read_redis_url,
        secret=True,
    )
    fault_headers: bool = _switch(
        "off",
        "obey the request header X-Fault (delays, failures) for drills; never on a public address",
        on="on",
        off="off",
    )
    log_level: str = _choice(
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
    public = is_public(values["host"], environ)
    if public and values["fault_headers"]:
        raise SettingError(
            "FAULT_HEADERS must be off on a public platform (Railway) and where HOST is not"
            " loopback, got 'on'"
        )
    return Settings(**values, public=public)


def is_public(host: str, environ: Mapping[str, str]) -> bool:
    """True where others than this machine may reach the service: by HOST, or on Railway."""
    if "RAILWAY_ENVIRONMENT_NAME" in environ or "RAILWAY_ENVIRONMENT" in environ:
        return True
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") != "localhost"


def _read(setting: Setting, environ: Mapping[str, str]) -> Any:
    # An empty variable means the default: compose files pass unset variables on as empty ones.
    text = environ.get(setting.name, "").strip() or setting.default
    try:
        return setting.read(text)
    except ValueError as expected:
        shown = "(secret)" if setting.secret else repr(text)
        raise SettingError(f"{setting.name} must be {expected}, got {shown}") from None
