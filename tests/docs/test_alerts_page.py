"""docs/alerts.md: every setting of Alertmanager's start, its defaults, and no setting more."""

from __future__ import annotations

import re
import subprocess

import yaml

from tests.docs.pages import DOCS, ROOT, names_in, rows, section

SCRIPT = ROOT / "prometheus" / "alertmanager" / "start.sh"
SECTION = section(DOCS / "alerts.md", "Where alerts are sent")


def test_settings_are_those_of_the_script() -> None:
    text = SCRIPT.read_text(encoding="utf-8")
    assert names_in(SECTION) == set(re.findall(r"\$\{([A-Z][A-Z_]+):-", text))


def test_times_are_those_of_the_script() -> None:
    done = subprocess.run(["sh", SCRIPT, "--print"], env={}, capture_output=True, check=True)
    tickets = yaml.safe_load(done.stdout)["route"]
    [pages] = [route for route in tickets["routes"] if route["receiver"] == "pages"]
    listed = {row[0].strip("`"): row[1] for row in rows(SECTION) if len(row) == 3}
    for name in ("group_wait", "group_interval"):
        shown = listed[f"ALERT_{name.upper()}"]
        assert shown == f"pages {pages[name]}, tickets {tickets[name]}"
    assert (pages["repeat_interval"], tickets["repeat_interval"]) == ("1h", "1d")
    assert "sent again each hour, tickets each day" in SECTION
