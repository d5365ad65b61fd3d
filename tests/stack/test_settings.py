"""Settings are checked before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.errors import StackError
from stack.settings import TABLE, read_settings


def test_defaults_are_those_of_the_contract() -> None:
    settings = read_settings(Path("/project"), {})
    assert settings.ports["PORT"] == 5000
    assert settings.ports["PROMETHEUS_PORT"] == 9090
    assert settings.ports["OTLP_PORT"] == 4318
    assert settings.tools == Path("/project/.tools/bin")


def test_an_empty_variable_means_the_default() -> None:
    assert read_settings(Path("/project"), {"PORT": ""}).ports["PORT"] == 5000


@pytest.mark.parametrize("value", ["x", "0", "65536", "-1", "5000.5", "\u0665\u0660"])
def test_a_value_that_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(StackError, match="PORT must be a port between 1 and 65535, got"):
        read_settings(Path("/project"), {"PORT": value})


def test_links_of_messages_follow_the_ports() -> None:
    """Only those that are not compose's own are handed to it."""
    settings = read_settings(Path("/project"), {"PROMETHEUS_PORT": "9091"})
    assert settings.external["PROMETHEUS_EXTERNAL_URL"] == "http://localhost:9091"
    assert settings.moved == {"PROMETHEUS_EXTERNAL_URL": "http://localhost:9091"}


def test_link_behind_a_proxy_may_have_a_path() -> None:
    given = {"ALERTMANAGER_EXTERNAL_URL": "https://monitoring.example.org/alerts/"}
    external = read_settings(Path("/project"), given).external
    assert external["ALERTMANAGER_EXTERNAL_URL"] == "https://monitoring.example.org/alerts"


@pytest.mark.parametrize("value", ["monitoring.example.org", "ftp://x", "https://", "http://[::1"])
def test_a_value_that_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(StackError, match="PROMETHEUS_EXTERNAL_URL must be an address such as"):
        read_settings(Path("/project"), {"PROMETHEUS_EXTERNAL_URL": value})


def test_the_start_script_lists_every_port_setting() -> None:
    script = (Path(__file__).parents[2] / "start_mlops.sh").read_text()
    for setting in TABLE:
        if setting.is_port:
            assert f"{setting.name} ({setting.default})" in script
