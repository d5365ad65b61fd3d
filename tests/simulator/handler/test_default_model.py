"""Against the real service with the default model, whose process the simulator knows."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from simulator.target.model_info_parser import parse_model_info
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.delayed_labels import LabelDelay
from simulator.traffic.invalid_share import InvalidShare
from simulator.traffic.request_plan import TrafficSpec, plan_requests
from tests.lab.handler import Handler
from tests.lab.paths import ROOT

pytestmark = pytest.mark.stack

_OUTCOME = re.compile(
    r'^outcomes_total\{class_name="(\w+)",role="champion",truth="(\w+)",.*\} (\S+)$', re.M
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Handler]:
    """Two workers."""
    folder = tmp_path_factory.mktemp("default-model")
    with Handler(folder, model_dir, LOG_LEVEL="warning") as handler:
        yield handler


def read_outcomes(service: Handler) -> Counter[tuple[str, str]]:
    """What the service has counted, by predicted class and truth."""
    counts: Counter[tuple[str, str]] = Counter()
    for predicted, truth, number in _OUTCOME.findall(service.exposition()):
        counts[predicted, truth] += int(float(number))
    return counts


def test_outcomes_are_those_of_the_labels_sent(service: Handler) -> None:
    """Concept and labels, two workers: every cell of the table, so every figure made of them."""
    before = read_outcomes(service)
    words = f"--url {service.url} --rate 30 --duration 20 --seed 4 --json --quiet"
    scenario = "--scenario concept --scenario-after 10 --labels-after 2"

    done = subprocess.run(
        [sys.executable, "-m", "simulator", *words.split(), *scenario.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    summary = json.loads(done.stdout)
    table = {(o["predicted"], o["truth"]): o["count"] for o in summary["labels"]["outcomes"]}
    assert summary["known_process"] and summary["labels"]["from_answers"] == 0
    assert +(read_outcomes(service) - before) == table
    assert sum(table.values()) == summary["predictions"]["total"] == summary["labels"]["known"]


@pytest.mark.parametrize("rows", [20_000])
def test_live_quality_is_that_of_the_holdout(service: Handler, rows: int) -> None:
    """Rows and labels of steady traffic, scored by the service: within four standard errors.

    The share of predicted fraud too: steady traffic must not look like a jump of it.
    """
    document = requests.get(f"{service.url}/model_info", timeout=30).json()
    info, holdout = parse_model_info(document), document["metrics"]
    spec = TrafficSpec(LoadProfile(count=rows), InvalidShare(0, 1), labels=LabelDelay(1))
    planned = list(plan_requests(info, 9, spec))
    counts: Counter[tuple[str, str]] = Counter()
    for start in range(0, rows, 1000):
        part = planned[start : start + 1000]
        body = {"transactions": [json.loads(request.body) for request in part]}
        answer = requests.post(f"{service.url}/predict", json=body, timeout=60).json()
        for request, prediction in zip(part, answer["predictions"], strict=True):
            assert request.label is not None and request.label.true_class is not None
            counts[prediction["prediction"], request.label.true_class] += 1

    hits = counts["fraud", "fraud"]
    frauds, alarms = hits + counts["legitimate", "fraud"], hits + counts["fraud", "legitimate"]
    holdout_alarms = holdout["alert_rate"] * holdout["rows"]
    for got, trials, expected, expected_trials in (
        (hits / frauds, frauds, holdout["recall"], holdout["frauds"]),
        (hits / alarms, alarms, holdout["precision"], holdout_alarms),
        (frauds / rows, rows, holdout["frauds"] / holdout["rows"], holdout["rows"]),
        (alarms / rows, rows, holdout["alert_rate"], holdout["rows"]),
    ):
        spread = expected * (1 - expected) * (1 / trials + 1 / expected_trials)
        assert abs(got - expected) < 4 * math.sqrt(spread)
