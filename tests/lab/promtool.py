"""promtool's unit tests of rules, written from Python values."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.lab.rules import read_groups
from tests.lab.tools import tools_folder

Series = Mapping[str, str]


@dataclass(frozen=True)
class Question:
    """An expression at a moment, and the samples (labels as PromQL, value) that must be there."""

    expr: str
    at: str
    samples: tuple[tuple[str, float], ...] = ()

    def plain(self) -> dict[str, Any]:
        """As promtool has it."""
        found = [{"labels": labels, "value": value} for labels, value in self.samples]
        return {"expr": self.expr, "eval_time": self.at, "exp_samples": found}


@dataclass(frozen=True)
class Case:
    """Series, in promtool's notation at a given interval, and questions about what is recorded."""

    name: str
    series: Series
    questions: tuple[Question, ...]
    interval: str = "1m"


def run(tools: Path, folder: Path, cases: list[Case], wanted: str, every: str = "1m") -> str:
    """What promtool found wrong; empty when all is as expected.

    Of the committed rules those are evaluated on which the rule `wanted` depends, and itself:
    all of them at every step would take minutes.
    """
    rules = folder / "rules.yml"
    groups = needed(wanted)
    rules.write_text(yaml.safe_dump({"groups": groups}, sort_keys=False))
    tests = [
        {
            "name": case.name,
            "interval": case.interval,
            "input_series": [
                {"series": name, "values": values} for name, values in case.series.items()
            ],
            "promql_expr_test": [question.plain() for question in case.questions],
        }
        for case in cases
    ]
    content = {
        "rule_files": [str(rules)],
        "evaluation_interval": every,
        "group_eval_order": ordered(groups),
        "tests": tests,
    }
    file = folder / "tests.yml"
    file.write_text(yaml.safe_dump(content, sort_keys=False))
    ended = subprocess.run(
        [str(tools / "promtool"), "test", "rules", str(file)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return "" if ended.returncode == 0 else ended.stdout + ended.stderr


def ask(
    series: Series, wanted: tuple[str, ...], seconds: int, steps: int, *expressions: str
) -> list[dict[str, float]]:
    """Values by labels of each expression after `steps` steps of `seconds`.

    The wanted rules and alerts are evaluated at each step, with all that they depend on.
    """
    groups = needed(*wanted)
    # Asked for something that cannot be, promtool tells what is.
    impossible = [{"labels": '{nowhere="to be found"}', "value": 0}]
    questions = [
        {"expr": each, "eval_time": f"{steps * seconds}s", "exp_samples": impossible}
        for each in expressions
    ]
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    test = {"interval": f"{seconds}s", "input_series": inputs, "promql_expr_test": questions}
    with tempfile.TemporaryDirectory() as folder:
        rules, tests = Path(folder, "rules.yml"), Path(folder, "tests.yml")
        rules.write_text(yaml.safe_dump({"groups": groups}, sort_keys=False))
        content = {
            "rule_files": [str(rules)],
            "evaluation_interval": f"{seconds}s",
            "group_eval_order": ordered(groups),
            "tests": [test],
        }
        tests.write_text(yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False))
        command = [str(tools_folder() / "promtool"), "test", "rules", str(tests)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    answers = re.findall(r"^\s+got: (.*)$", told.stdout + told.stderr, re.MULTILINE)
    if len(answers) != len(expressions):
        raise RuntimeError(f"promtool did not answer:\n{(told.stdout + told.stderr)[:2000]}")
    found = [re.findall(r"(\{[^}]*\}) ([-+0-9.eE]+)", answer) for answer in answers]
    return [{labels: float(value) for labels, value in each} for each in found]


def ordered(groups: list[dict[str, Any]]) -> list[str]:
    """Names in the order in which Prometheus would have settled: what is read is recorded first."""
    return sorted((group["name"] for group in groups), key=_rank)


def needed(*wanted: str) -> list[dict[str, Any]]:
    """The groups, with only the wanted rules and those that they depend on."""
    groups = read_groups()
    rules = [rule for group in groups for rule in group["rules"]]
    names, found = set(wanted), 0
    while len(names) > found:
        found = len(names)
        read = " ".join(rule["expr"] for rule in rules if _name(rule) in names)
        names |= {word for word in re.findall(r"[a-z0-9_:]+", read)} & {_name(r) for r in rules}
    pruned = [
        group | {"rules": [rule for rule in group["rules"] if _name(rule) in names]}
        for group in groups
    ]
    return [group for group in pruned if group["rules"]]


def _name(rule: dict[str, Any]) -> str:
    return str(rule.get("alert") or rule["record"])


def _rank(name: str) -> tuple[int, str]:
    first = (
        "baseline_15m",
        "baseline_1h",
        "baseline_24h",
        "quality_1d",
        "quality_7d",
        "quality_live",
        "slo_events",
    )
    if name in first:
        return first.index(name), name
    return (20 if name.endswith("alerts") else 15 if name == "trends" else 10), name
