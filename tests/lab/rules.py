"""The committed rules, read for every test that asks what is in them."""

from __future__ import annotations

from typing import Any

import yaml

from prometheus.generator.generate import FOLDER

Rule = dict[str, Any]


def read_groups() -> list[dict[str, Any]]:
    """Every group of prometheus/rules, in the order of the files."""
    return [
        group
        for path in sorted(FOLDER.glob("*.yml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    ]


def read_rules() -> list[Rule]:
    """Every rule."""
    return [rule for group in read_groups() for rule in group["rules"]]


def read_alerts() -> dict[str, list[Rule]]:
    """The alerting rules by name; a page and a ticket may have the same."""
    found: dict[str, list[Rule]] = {}
    for rule in read_rules():
        if "alert" in rule:
            found.setdefault(rule["alert"], []).append(rule)
    return found


def severity_of(alert: Rule) -> str:
    """Of an alerting rule: page, ticket, or none."""
    return str(alert["labels"]["severity"])


def recorded_names() -> set[str]:
    """Names of the recorded series."""
    return {rule["record"] for rule in read_rules() if "record" in rule}
