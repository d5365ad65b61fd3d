"""Rule files for Grafana Cloud's ruler: what it takes, and which groups are the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from grafana.cloud.ruler import MOST_GROUPS, MOST_RULES, is_same, read_groups
from grafana.errors import GrafanaError
from tests.grafana.rule_groups import RECORDING


def many(count: int, name: str) -> list[dict[str, str]]:
    return [{"record": f"{name}:{number}", "expr": "1"} for number in range(count)]


BAD_FILES = {
    "no groups": ({}, "must have a list `groups`"),
    "not yaml": ("groups: [", "must have a list `groups`"),
    "no rules": ({"groups": [{"name": "a"}]}, "must have a list `groups`"),
    "too many rules": (
        {"groups": [{"name": "a", "rules": many(MOST_RULES + 1, "x")}]},
        "rule group 'a' has 21 rules, Grafana Cloud takes 20",
    ),
    "too many groups": (
        {"groups": [{"name": str(n), "rules": []} for n in range(MOST_GROUPS + 1)]},
        "has 36 rule groups, Grafana Cloud takes 35",
    ),
    "same name twice": (
        {"groups": [{"name": "a", "rules": []}, {"name": "a", "rules": []}]},
        "a rule group 'a' is in another file already",
    ),
}


@pytest.mark.parametrize(("content", "sentence"), BAD_FILES.values(), ids=BAD_FILES)
def test_rule_file_that_cannot_be_uploaded_is_named(
    content: dict[str, object] | str, sentence: str, tmp_path: Path
) -> None:
    """What the ruler would refuse is found before anything is sent."""
    text = content if isinstance(content, str) else yaml.safe_dump(content)
    (tmp_path / "bad.yml").write_text(text)

    with pytest.raises(GrafanaError, match=re.escape(sentence)) as caught:
        read_groups(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_groups_are_compared_by_meaning() -> None:
    """What the ruler writes differently is the same; another expression or time is not."""
    stored = {**RECORDING, "interval": "1m", "limit": 0, "source_tenants": []}

    assert is_same(RECORDING, stored)
    assert not is_same(RECORDING, {**RECORDING, "interval": "61s"})
    assert not is_same(RECORDING, {**RECORDING, "rules": []})


def test_project_rules_can_be_uploaded() -> None:
    """The rule files in the tree stay within what Grafana Cloud takes."""
    folder = Path(__file__).resolve().parents[2] / "prometheus" / "rules"

    assert len(read_groups(folder)) <= MOST_GROUPS
