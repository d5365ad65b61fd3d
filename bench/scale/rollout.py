"""Three rollouts of two real replicas under the simulator's load, then the store away for 30 s.

Counts that the simulator was answered are compared with those of the store, and the store's series
before and after. The same with names as a Deployment gives them shows what the StatefulSet is for.
Writes its table in docs/kubernetes.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.faults.report import Report, write_report
from bench.own_models import add_models_option, find_models
from bench.scale.pods import Replicas
from tests.lab.collector import Collector
from tests.lab.environment import clean_environment
from tests.lab.paths import ROOT
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.tools import tools_folder

PAGE = ROOT / "docs" / "kubernetes.md"
ROLLOUTS = 3
PER_SECOND = 20
DURATION = 150
AWAY_SECONDS = 30
COUNTED = 'sum(last_over_time(predictions_total{endpoint="/predict"}[1h]))'
HEAD = (
    "names of the pods",
    "rollouts",
    "requests",
    "failed",
    "counts lost",
    "series before",
    "after",
)


@dataclass(frozen=True)
class Result:
    """Of one kind of names; `lost` are predictions that were answered and are in no series."""

    names: str
    rollout_seconds: tuple[float, ...]
    requests: int
    failed: int
    lost: int
    series_before: int
    series_after: int

    def row(self) -> tuple[str, ...]:
        """For the page."""
        took = ", ".join(f"{seconds:.0f} s" for seconds in self.rollout_seconds)
        figures = (self.requests, self.failed, self.lost, self.series_before, self.series_after)
        return (self.names, took, *(f"{one:,}" for one in figures))


def run(arguments: Sequence[str]) -> int:
    """The drill: 0 where a StatefulSet's names lost nothing and added no series, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale rollout", description=__doc__)
    add_models_option(parser)
    parser.add_argument("--no-page", action="store_true", help="print the figures only")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = find_models(options.models, folder)
        kept = _measure(folder / "kept", models, "of a StatefulSet, with its volumes", kept=True)
        fresh = _measure(folder / "fresh", models, "of a Deployment, new each time", kept=False)
    if not options.no_page:
        write_report(Report("Rollouts", HEAD, [kept.row(), fresh.row()]), PAGE)
    bounded = kept.series_after == kept.series_before < fresh.series_after
    return 0 if bounded and kept.failed == kept.lost == 0 else 1


def _measure(folder: Path, models: Path, names: str, *, kept: bool) -> Result:
    tools = tools_folder()
    prometheus = Prometheus(tools, folder / "prometheus")
    collector = Collector(tools, folder / "collector", PROMETHEUS_URL=prometheus.url)
    with prometheus, collector, Replicas(folder, models, collector, kept=kept) as replicas:
        load = _start_load(replicas.url)
        try:
            until(lambda: len(_instances(prometheus)) == 2, 60, "both replicas have pushed")
            time.sleep(10)
            before = len(prometheus.series())
            took = tuple(_timed(replicas) for _ in range(ROLLOUTS))
            prometheus.terminate()
            time.sleep(AWAY_SECONDS)
            prometheus.start()
            summary = json.loads(load.communicate(timeout=2 * DURATION)[0])
        finally:
            load.kill()
        answered = summary["predictions"]["total"]
        _settle(prometheus, answered)
        result = Result(
            names,
            took,
            requests=summary["sent"],
            failed=summary["sent"] - answered,
            lost=answered - int(prometheus.number(COUNTED) or 0),
            series_before=before,
            series_after=len(prometheus.series()),
        )
    print(" | ".join(result.row()), flush=True)
    return result


def _timed(replicas: Replicas) -> float:
    began = time.monotonic()
    replicas.roll_out()
    return time.monotonic() - began


def _settle(prometheus: Prometheus, answered: int) -> None:
    """Until the store has all, or for a minute: then what is not there is lost."""
    try:
        until(lambda: prometheus.number(COUNTED) == answered, 60, "the store has every count")
    except AssertionError as late:
        print(late, flush=True)


def _instances(prometheus: Prometheus) -> list[Any]:
    return prometheus.query('count by (instance) (predictions_total{endpoint="/predict"})')


def _start_load(url: str) -> subprocess.Popen[str]:
    """Valid single predictions, as a Poisson process."""
    words = ["--url", url, "--rate", str(PER_SECOND), "--duration", str(DURATION), "--faulty", "0"]
    return subprocess.Popen(
        [sys.executable, "-m", "simulator", *words, "--json", "--quiet", "--max-failed", "1"],
        cwd=ROOT,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
