"""docs/configuration.md lists every setting with its default and meaning."""

from __future__ import annotations

import re

import pytest

from service.settings import TABLE, Setting, SettingError, read_settings
from stack import settings as stack
from tests.docs.pages import DOCS, ROOT, names_in, rows, section

PAGE = DOCS / "configuration.md"
BOUNDED = [one for one in TABLE if one.choices or one.minimum is not None]


@pytest.mark.parametrize("setting", TABLE, ids=lambda setting: setting.name)
def test_setting_is_listed_with_default_and_meaning(setting: Setting) -> None:
    default = f"`{setting.default}`" if setting.default else ""
    row = f"| `{setting.name}` | {default} | {setting.meaning} |"
    assert row in PAGE.read_text(), f"docs/configuration.md must have the row\n{row}"


def test_no_setting_is_listed_that_the_service_does_not_have() -> None:
    listed = [row[0].strip("`") for row in rows(section(PAGE, "The service"))]
    assert listed == [setting.name for setting in TABLE]


@pytest.mark.parametrize("setting", BOUNDED, ids=lambda setting: setting.name)
def test_value_that_cannot_be_used_is_refused_with_the_name(setting: Setting) -> None:
    """Whole numbers outside their bounds, and words that are no choice."""
    bounds = (setting.minimum, setting.maximum)
    outside = [
        str(bound + step) for bound, step in zip(bounds, (-1, 1), strict=True) if bound is not None
    ]
    for value in [*outside, "no-such-word"]:
        with pytest.raises(SettingError, match=f"^{setting.name} must be "):
            read_settings({setting.name: value})


def test_ports_are_listed_with_their_defaults() -> None:
    listed = {row[0]: row[1] for row in rows(section(PAGE, "Ports of a local start"))}
    ports = [setting for setting in stack.TABLE if setting.is_port]
    assert listed == {f"`{port.name}`": f"`{port.default}`" for port in ports}


def test_variables_of_telemetry_that_are_checked_are_listed() -> None:
    checked = set(
        re.findall(r'"(OTEL_[A-Z_]+[A-Z])"', (ROOT / "telemetry/otel_variables.py").read_text())
    )
    listed = names_in(section(PAGE, "Telemetry (OpenTelemetry)"))
    assert checked and checked - listed == set(), "docs/configuration.md lacks these variables"
