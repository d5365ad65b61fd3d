"""promtool's unit tests of rules, written from Python values."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab.rules import read_groups
from tests.lab.tools import tools_folder

Series = Mapping[str, str]
"""Values in promtool's notation by series."""


@dataclass(frozen=True)
class Question:
    """An expression at a moment, and the samples (labels as PromQL, value) that must be there."""

    expr: str
    at: str
    samples: tuple[tuple[str, float], ...] = ()

    def to_promtool(self) -> dict[str, Any]:
        """An entry of `promql_expr_test`."""
        found = [{"labels": labels, "value": value} for labels, value in self.samples]
        return {"expr": self.expr, "eval_time": self.at, "exp_samples": found}


@dataclass(frozen=True)
class Case:
    """Series at a given interval, and questions about what is recorded.

    `alerts`: entries of promtool's `alert_rule_test`.
    """

    name: str
    series: Series
    questions: tuple[Question, ...]
    interval: str = "1m"
    alerts: tuple[Mapping[str, Any], ...] = ()

    def to_promtool(self) -> dict[str, Any]:
        """An entry of `tests`."""
        return {
            "name": self.name,
            "interval": self.interval,
            "input_series": [
                {"series": name, "values": values} for name, values in self.series.items()
            ],
            "promql_expr_test": [question.to_promtool() for question in self.questions],
            "alert_rule_test": list(self.alerts),
        }


def run(
    tools: Path,
    folder: Path,
    cases: list[Case],
    wanted: str,
    every: str = "1m",
    also: tuple[str, ...] = (),
) -> str:
    """What promtool found wrong; empty when all is as expected.

    Of the committed rules those are evaluated on which the rule `wanted` depends, and itself:
    all of them at every step would take minutes. `also`: rules that only a text asks for.
    """
    ended = _test_rules(tools, folder, select_groups(wanted, *also), cases, every)
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def ask(
    series: Series, wanted: tuple[str, ...], seconds: int, steps: int, *expressions: str
) -> list[dict[str, float]]:
    """Values by labels of each expression after `steps` steps of `seconds`.

    The wanted rules and alerts are evaluated at each step, with all that they depend on; every rule
    where none is named.
    """
    # Asked for something that cannot be, promtool prints what is.
    impossible = (('{nowhere="to be found"}', 0.0),)
    questions = tuple(Question(each, f"{steps * seconds}s", impossible) for each in expressions)
    case = Case("ask", series, questions, f"{seconds}s")
    with tempfile.TemporaryDirectory() as folder:
        ended = _test_rules(
            tools_folder(),
            Path(folder),
            select_groups(*wanted) if wanted else read_groups(),
            [case],
            f"{seconds}s",
            timeout=None,
        )
    printed = ended.stdout + ended.stderr
    answers = re.findall(r"^\s+got: (.*)$", printed, re.MULTILINE)
    if len(answers) != len(expressions):
        raise RuntimeError(f"promtool did not answer:\n{printed[:2000]}")
    found = [re.findall(r"(\{[^}]*\}) (NaN|[-+]Inf|[-+0-9.eE]+)", answer) for answer in answers]
    return [{labels: float(value) for labels, value in each} for each in found]


def _test_rules(
    tools: Path,
    folder: Path,
    groups: list[dict[str, Any]],
    cases: Sequence[Case],
    every: str,
    timeout: float | None = 240,
) -> subprocess.CompletedProcess[str]:
    rules, tests = folder / "rules.yml", folder / "tests.yml"
    rules.write_text(yaml.safe_dump({"groups": groups}, sort_keys=False))
    content = {
        "rule_files": [str(rules)],
        "evaluation_interval": every,
        "group_eval_order": order(groups),
        "tests": [case.to_promtool() for case in cases],
    }
    tests.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False))
    return subprocess.run(
        [str(tools / "promtool"), "test", "rules", str(tests)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def select_groups(*wanted: str) -> list[dict[str, Any]]:
    """The groups, with only the wanted rules and those that they depend on."""
    groups = read_groups()
    rules = [rule for group in groups for rule in group["rules"]]
    known = {_name(rule) for rule in rules}
    names, found = set(wanted), 0
    while len(names) > found:
        found = len(names)
        names |= {word for rule in rules if _name(rule) in names for word in _words(rule)} & known
    pruned = [
        group | {"rules": [rule for rule in group["rules"] if _name(rule) in names]}
        for group in groups
    ]
    return [group for group in pruned if group["rules"]]


def order(groups: list[dict[str, Any]]) -> list[str]:
    """Names in the order in which Prometheus would have settled: what is read is recorded first.

    Groups that record one name for different labels (`model_precision`) seem to read each other;
    of these the one that waits for the fewest others goes first.
    """
    recorded_by: dict[str, set[str]] = {}
    for group in groups:
        for rule in group["rules"]:
            recorded_by.setdefault(_name(rule), set()).add(group["name"])
    reads = {
        group["name"]: {
            other
            for rule in group["rules"]
            for word in _words(rule)
            for other in recorded_by.get(word, set()) - {group["name"]}
        }
        for group in groups
    }
    left = list(reads)
    settled = []
    while left:
        settled.append(min(left, key=lambda name: len(reads[name].intersection(left))))
        left.remove(settled[-1])
    return settled


def _name(rule: dict[str, Any]) -> str:
    return str(rule.get("alert") or rule["record"])


def _words(rule: dict[str, Any]) -> set[str]:
    return set(re.findall(r"[a-z0-9_:]+", rule["expr"]))
