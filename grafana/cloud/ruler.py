"""Rule files of Prometheus, and the ruler of Mimir (Grafana Cloud) that can evaluate them.

All groups go into one namespace, which belongs to this project: groups that are no longer in the
files are deleted from it, and nothing outside it is touched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from grafana.errors import GrafanaError
from prometheus.client.http import Answer, Client

NAMESPACE = "fraud-detection"
MOST_GROUPS = 35  # of Grafana Cloud's free plan
MOST_RULES = 20  # in one group there
_API = "/prometheus/config/v1/rules"
_DURATION = re.compile(r"(\d+)(ms|s|m|h|d|w|y)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_TIMES = frozenset({"interval", "query_offset", "for", "keep_firing_for"})

HINTS = {
    401: "the token was not accepted: check GRAFANA_CLOUD_PROM_ID and GRAFANA_CLOUD_RULES_TOKEN "
    "(an access policy's token, glc_…, not a service account's)",
    403: "the access policy lacks a scope: it needs rules:read and rules:write",
    404: "no ruler there: check GRAFANA_CLOUD_PROM_URL",
}

Group = dict[str, Any]


@dataclass(frozen=True)
class Ruler:
    """The rule groups of our namespace in a Mimir."""

    client: Client

    def groups(self) -> dict[str, Group]:
        """The groups that are there now, by name."""
        answer = self.client.get(f"{_API}/{NAMESPACE}")
        if answer.status == 404:  # so it says that there are none
            return {}
        self._expect(answer, 200, "reading the rules")
        try:
            content = yaml.safe_load(answer.body) or {}
            return {group["name"]: group for group in content.get(NAMESPACE, [])}
        except (yaml.YAMLError, AttributeError, KeyError, TypeError):
            raise GrafanaError(
                f"reading the rules at {self.client.address}: expected rule groups as YAML, "
                f"got {answer.body[:60]!r}"
            ) from None

    def put(self, group: Group) -> None:
        """Create the group, or replace the one of its name."""
        body = yaml.safe_dump(group, sort_keys=False, allow_unicode=True).encode()
        answer = self.client.send("POST", f"{_API}/{NAMESPACE}", body, "application/yaml")
        self._expect(answer, 202, f"uploading the rule group {group['name']}")

    def delete(self, name: str) -> None:
        """Delete the group."""
        answer = self.client.send("DELETE", f"{_API}/{NAMESPACE}/{quote(name, safe='')}")
        self._expect(answer, 202, f"deleting the rule group {name}")

    def _expect(self, answer: Answer, status: int, doing: str) -> None:
        if answer.status != status:
            hint = HINTS.get(answer.status, answer.reason())
            raise GrafanaError(f"{doing} at {self.client.address}: {answer.status}, {hint}")


def read_groups(folder: Path) -> dict[str, Group]:
    """Groups of all rule files, by name; GrafanaError if they could not be uploaded as they are."""
    groups: dict[str, Group] = {}
    for path in sorted(folder.glob("*.yml")):
        for group in _read_file(path):
            if group["name"] in groups:
                raise GrafanaError(
                    f"{path}: a rule group {group['name']!r} is in another file already"
                )
            if len(group["rules"]) > MOST_RULES:
                raise GrafanaError(
                    f"{path}: rule group {group['name']!r} has {len(group['rules'])} rules, "
                    f"Grafana Cloud takes {MOST_RULES}"
                )
            groups[group["name"]] = group
    if len(groups) > MOST_GROUPS:
        raise GrafanaError(
            f"{folder} has {len(groups)} rule groups, Grafana Cloud takes {MOST_GROUPS}"
        )
    return groups


def is_same(one: Group, other: Group) -> bool:
    """True if two groups mean the same: '60s' is '1m', and what is empty is not there."""
    return bool(_normalize(one) == _normalize(other))


def _read_file(path: Path) -> list[Group]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        groups: list[Group] = content["groups"]
        _ = [(group["name"], len(group["rules"])) for group in groups]
    except (yaml.YAMLError, KeyError, TypeError):
        raise GrafanaError(
            f"{path} must have a list `groups`, each with `name` and `rules`: "
            "run `promtool check rules` on it"
        ) from None
    return groups


def _normalize(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        plain = {key: _normalize(inner, key) for key, inner in value.items()}
        return {key: inner for key, inner in plain.items() if inner not in (None, {}, [], "", 0)}
    if isinstance(value, list):
        return [_normalize(inner) for inner in value]
    if name in _TIMES:
        return sum(int(count) * _SECONDS[unit] for count, unit in _DURATION.findall(str(value)))
    return value.strip() if isinstance(value, str) else value
