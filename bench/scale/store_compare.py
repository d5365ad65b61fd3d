"""Whether two stores say the same: values as they are printed, which is to the last bit."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import requests
import yaml

from tests.lab.paths import ROOT
from tests.lab.prometheus import PrometheusApi

CALLERS = 4
_caller = threading.local()
MOMENTS_OF_A_RULE = 5
Values = dict[str, str]
"""Of an instant query: value by labels, both as text."""


@dataclass(frozen=True)
class Rule:
    """Of the project's; `labels` are those that it adds."""

    name: str
    expression: str
    labels: dict[str, str]
    records: bool


@dataclass
class Equality:
    """How many values there are in either of two answers, and how many are the same in both."""

    expressions: int = 0
    values: int = 0
    same: int = 0
    differing: list[str] = field(default_factory=list)

    def add(self, what: str, ours: Values, theirs: Values) -> None:
        """One expression at one moment."""
        for labels in ours.keys() | theirs.keys():
            self.values += 1
            if ours.get(labels) == theirs.get(labels):
                self.same += 1
            else:
                self.differing.append(
                    f"{what} {labels}: {ours.get(labels)} and {theirs.get(labels)}"
                )


def read_rules() -> list[Rule]:
    """Every rule of prometheus/rules/."""
    files = sorted((ROOT / "prometheus" / "rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    return [
        Rule(
            rule.get("record") or rule["alert"], rule["expr"], rule.get("labels", {}),
            "record" in rule,
        )
        for group in groups
        for rule in group["rules"]
    ]  # fmt: skip


def split_rules(rules: Sequence[Rule]) -> tuple[list[Rule], list[Rule]]:
    """Rules that ask for what handlers and Collector wrote alone, and the rest: those read what
    other rules recorded, at moments that no two stores have in common."""
    names = [re.escape(rule.name) for rule in rules if rule.records]
    recorded = re.compile(rf"(?<![\w:])({'|'.join(names)})(?![\w:])")
    raw = [rule for rule in rules if not recorded.search(rule.expression)]
    return raw, [rule for rule in rules if recorded.search(rule.expression)]


def ask(store: PrometheusApi, expression: str, at: float) -> Values:
    """The answer of an instant query; AssertionError when there is none."""
    return _values(_post(store, {"query": expression, "time": f"{at:.3f}"}))


def _post(store: PrometheusApi, asked: dict[str, str]) -> dict[str, Any]:
    if not hasattr(_caller, "session"):
        _caller.session = requests.Session()
    answer = _caller.session.post(f"{store.url}/api/v1/query", data=asked, timeout=60)
    assert answer.status_code == 200, f"{asked}: {answer.text}"
    data: dict[str, Any] = answer.json()["data"]
    return data


def _values(data: dict[str, Any]) -> Values:
    if data["resultType"] == "scalar":
        return {"": data["result"][1]}
    return {json.dumps(each["metric"], sort_keys=True): each["value"][1] for each in data["result"]}


def compare(
    rules: Sequence[Rule], moments: Sequence[float], one: PrometheusApi, other: PrometheusApi
) -> Equality:
    """Each rule's expression at each moment in both."""
    found = Equality(expressions=len(rules))

    def both(rule: Rule, at: float) -> Callable[[], None]:
        ours, theirs = ask(one, rule.expression, at), ask(other, rule.expression, at)
        return lambda: found.add(f"{rule.name} at {at:.3f}", ours, theirs)

    _in_turn([(rule, at) for rule in rules for at in moments], both)
    return found


def compare_recorded(
    rules: Sequence[Rule], seconds: int, store: PrometheusApi, reference: PrometheusApi
) -> Equality:
    """What the store's ruler recorded in the last seconds against the rule's expression, asked of
    the reference for the same moment; some moments of each rule."""
    recording = [rule for rule in rules if rule.records]
    found = Equality(expressions=len(recording))

    def moments(rule: Rule) -> Callable[[], None]:
        told = recorded_by_moment(store, rule, seconds)
        chosen = sorted(told)[:: max(1, len(told) // MOMENTS_OF_A_RULE)]
        later = {at: ask(reference, rule.expression, at) for at in chosen}

        def note() -> None:
            for at in chosen:
                found.add(f"{rule.name} recorded at {at:.3f}", told[at], later[at])

        return note

    _in_turn([(rule,) for rule in recording], moments)
    return found


def recorded_by_moment(store: PrometheusApi, rule: Rule, seconds: int) -> dict[float, Values]:
    """What the store holds of a recording rule, without the labels that the rule adds."""
    selected = ",".join(f'{name}="{value}"' for name, value in rule.labels.items())
    data = _post(store, {"query": f'{{__name__="{rule.name}",{selected}}}[{seconds}s]'})
    found: dict[float, Values] = {}
    for series in data["result"]:
        added = {"__name__", *rule.labels}
        kept = {name: value for name, value in series["metric"].items() if name not in added}
        for at, value in series["values"]:
            found.setdefault(at, {})[json.dumps(kept, sort_keys=True)] = value
    return found


def _in_turn(work: Sequence[tuple[Any, ...]], ask_one: Callable[..., Callable[[], None]]) -> None:
    """Asks from several threads, and notes in one."""
    with ThreadPoolExecutor(CALLERS) as pool:
        for note in pool.map(lambda given: ask_one(*given), work):
            note()


def count_events(store: PrometheusApi, selector: str, seconds: int) -> float:
    """What a counter counted in all, over every reset of every series."""
    total = 0.0
    for samples in store.samples(selector, seconds).values():
        values = [value for _, value in samples]
        before = [0.0, *values]
        total += values[-1] + sum(a for a, b in zip(before, values, strict=False) if b < a)
    return total
