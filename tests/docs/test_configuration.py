"""docs/configuration.md lists every setting with its default and meaning."""

from __future__ import annotations

import re

import pytest

from service.settings import TABLE, Setting
from stack import settings as stack
from tests.docs.pages import DOCS, ROOT, names_in, rows, section

PAGE = DOCS / "configuration.md"


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_setting_is_listed_with_default_and_meaning(setting: Setting) -> None:
    default = f"`{setting.default}`" if setting.default else ""
    row = f"| `{setting.name}` | {default} | {setting.meaning} |"
    assert row in PAGE.read_text(), f"docs/configuration.md must have the row\n{row}"


def test_no_setting_is_listed_that_the_service_does_not_have() -> None:
    listed = [row[0].strip("`") for row in rows(section(PAGE, "The service"))]
    assert listed == [setting.name for setting in TABLE]


def test_ports_are_listed_with_their_defaults() -> None:
    listed = {row[0]: row[1] for row in rows(section(PAGE, "Ports of a local start"))}
    ports = [setting for setting in stack.TABLE if setting.is_port]
    assert listed == {f"`{port.name}`": f"`{port.default}`" for port in ports}


def test_variables_of_telemetry_that_are_checked_are_listed() -> None:
    checked = set(re.findall(r"OTEL_[A-Z_]+[A-Z]", (ROOT / "telemetry/providers.py").read_text()))
    listed = names_in(section(PAGE, "Telemetry (OpenTelemetry)"))
    assert checked and checked - listed == set(), "docs/configuration.md lacks these variables"
