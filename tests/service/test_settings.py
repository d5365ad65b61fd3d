"""Settings are checked at start; a bad one is a sentence that names it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from service.settings import SettingError, Settings, read_settings
from service.state import prepare_state_dir
from tests.imports import own_files
from tests.lab.paths import ROOT


def test_defaults_are_good() -> None:
    settings = read_settings({})
    assert (settings.host, settings.port, settings.web_concurrency) == ("127.0.0.1", 5000, 2)
    assert settings.state_dir is None
    assert not settings.public


def test_empty_variable_means_the_default() -> None:
    assert read_settings({"PORT": ""}).port == 5000


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "http", "PORT must be a whole number, got 'http'"),
        ("PORT", "0", "PORT must be at least 1, got '0'"),
        ("PORT", "65536", "PORT must be at most 65535, got '65536'"),
        ("WEB_CONCURRENCY", "-1", "WEB_CONCURRENCY must be at least 1"),
        ("MAX_BODY_BYTES", "1e6", "MAX_BODY_BYTES must be a whole number"),
        ("SHUTDOWN_SECONDS", "0", "SHUTDOWN_SECONDS must be at least 1"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL must be one of debug, info, warning, error, got 'loud'"),
    ],
)
def test_bad_value_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingError, match="^" + says):
        read_settings({name: value})


NEW, OLD = "a new key of 2026", "an old key of 2025"


@pytest.mark.parametrize("between", [",", ", ", " ,\n", ",,"])
def test_keys_are_a_list_newest_first(between: str) -> None:
    """Blanks around a key are no part of it: with them every old receipt would be forged."""
    assert read_settings({"RECEIPT_KEYS": f"{NEW}{between}{OLD}"}).receipt_keys == (NEW, OLD)


@pytest.mark.parametrize("short", ["x", "a" * 15, f"{NEW},short"])
def test_short_key_is_refused_and_not_shown(short: Any) -> None:
    says = r"^RECEIPT_KEYS must be made of secrets of at least 16 characters each, got \(secret\)$"
    with pytest.raises(SettingError, match=says):
        read_settings({"RECEIPT_KEYS": short})


@pytest.mark.parametrize(
    "bad",
    ["http://:pa55word@host", "redis://:pa55word@host:x6379", "redis://u:pa55word@host:99999"],
)
def test_malformed_redis_url_shows_no_password(bad: str) -> None:
    with pytest.raises(
        SettingError, match=r"^REDIS_URL must be an address like redis://"
    ) as caught:
        read_settings({"REDIS_URL": bad})
    assert "pa55word" not in str(caught.value)


def test_good_redis_url_is_taken() -> None:
    assert read_settings({"REDIS_URL": "rediss://:pa55word@host:6379/1"}).redis_url


@pytest.mark.parametrize("name", [one.name for one in fields(Settings)])
def test_every_setting_is_used(name: str) -> None:
    """A setting that nothing reads would be believed by whoever sets it."""
    rooms = [path for path in own_files() if not path.is_relative_to(ROOT / "tests")]
    users = [
        path
        for path in [*rooms, ROOT / "gunicorn.conf.py"]
        if path.name != "settings.py" and f"settings.{name}" in path.read_text(encoding="utf-8")
    ]
    own = ("public", "published_address")  # one follows from the other
    assert users or name in own, f"nothing reads settings.{name}: use it or delete it"


def test_secret_value_is_not_in_the_sentence() -> None:
    """What refuses a secret's value must not print it."""
    from service.settings import Setting, _read

    def refuse(text: str) -> str:
        raise ValueError("something else")

    setting = Setting("TOKEN", "", "a token", refuse, secret=True)
    with pytest.raises(SettingError, match=r"^TOKEN must be something else, got \(secret\)$"):
        _read(setting, {"TOKEN": "s3cret"})


def test_state_dir_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(SettingError, match=r"STATE_DIR must be a folder that can be written, got"):
        prepare_state_dir(file / "state")


def test_state_dir_is_made(tmp_path: Path) -> None:
    assert prepare_state_dir(tmp_path / "a" / "b").is_dir()
    assert prepare_state_dir(None).is_dir()
