"""docs/configuration.md lists every setting with its default and meaning."""

from __future__ import annotations

import re

import pytest

from service.settings import TABLE, Setting, SettingError, read_settings
from stack import settings as stack
from tests.docs.pages import DOCS, ROOT, names_in, rows, section

PAGE = DOCS / "configuration.md"
# Whole numbers, and those of a few words; the others take any text.
WORDS = ("true", "false", "on", "off", "info")
CHECKED = [one for one in TABLE if one.default.isdigit() or one.default in WORDS]


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_setting_is_listed_with_default_and_meaning(setting: Setting) -> None:
    default = f"`{setting.default}`" if setting.default else ""
    row = f"| `{setting.name}` | {default} | {setting.meaning} |"
    assert row in PAGE.read_text(), f"docs/configuration.md must have the row\n{row}"


def test_no_setting_is_listed_that_the_service_does_not_have() -> None:
    listed = [row[0].strip("`") for row in rows(section(PAGE, "The service"))]
    assert listed == [setting.name for setting in TABLE]


@pytest.mark.parametrize("setting", CHECKED, ids=lambda setting: setting.name)
def test_value_that_cannot_be_used_is_refused_with_the_name(setting: Setting) -> None:
    for value in ("no-such-word", "-1", "1e6"):
        with pytest.raises(SettingError, match=f"^{setting.name} must be "):
            read_settings({setting.name: value})


def test_ports_are_listed_with_their_defaults() -> None:
    listed = {row[0]: row[1] for row in rows(section(PAGE, "Ports of a local start"))}
    ports = [setting for setting in stack.TABLE if setting.is_port]
    assert listed == {f"`{port.name}`": f"`{port.default}`" for port in ports}


def test_variables_of_telemetry_that_are_read_are_listed() -> None:
    files = (ROOT / "telemetry").rglob("*.py")
    literals = [re.findall(r'"(OTEL_[A-Z_]+[A-Z])"', file.read_text("utf-8")) for file in files]
    read = {name for names in literals for name in names}
    listed = names_in(section(PAGE, "Telemetry (OpenTelemetry)"))
    assert "OTEL_METRIC_EXPORT_INTERVAL" in read
    assert read - listed == set(), "docs/configuration.md lacks these variables"
