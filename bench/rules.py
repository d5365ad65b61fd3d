"""What the rules cost: seconds of evaluation a cycle, and series, by features and workers.

    .venv/dev/bin/python -m bench.rules

A real Prometheus is fed what the workers' pushes would have left, each 60 s over --hours, with the
series that the handler's own telemetry has; then each rule group is evaluated by it, more often
than in earnest so that one need not wait, and the duration that it reports of each group is read.
The median over the evaluations is printed. The 7-day windows hold --hours like the others.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)

from prometheus.generator.durations import Durations, parse_duration
from prometheus.generator.generate import rule_files
from telemetry.baseline import Baseline
from telemetry.export.gauges import ModelMetadata
from telemetry.lifecycle import start
from tests.lab.backfill import write_otlp
from tests.lab.polling import until
from tests.lab.prometheus import Prometheus
from tests.lab.tools import tools_folder

PUSH = 60  # seconds between two pushes
EVERY = "20s"  # groups are evaluated so often here
CASES = ((5, 1), (29, 1), (5, 16), (29, 16))
FREE = 10_000  # active series of Grafana Cloud's free plan


@dataclass(frozen=True)
class Cost:
    """Of one case: series by origin, and seconds of one evaluation by group and its interval."""

    pushed: int
    recorded: int
    groups: dict[str, float]
    intervals: dict[str, int]

    @property
    def cycle(self) -> float:
        """Seconds to evaluate every group once."""
        return sum(self.groups.values())

    @property
    def load(self) -> float:
        """Share of one core that evaluating at the real intervals takes."""
        return sum(took / self.intervals[name] for name, took in self.groups.items())


def make_metadata(features: int) -> ModelMetadata:
    """A model with so many numbers in ten bins."""
    shares, edges = (0.1,) * 10, tuple(float(number) for number in range(1, 10))
    names = [f"feature_{number}" for number in range(features)]
    return ModelMetadata(
        version="1-ab12cd34",
        trained_at=time.time(),
        accuracy=0.98,
        precision=0.8,
        recall=0.7,
        f1_score=0.75,
        importance=dict.fromkeys(names, 1 / features),
        contributions=dict.fromkeys(names, 0.0),
        features=tuple(Baseline(name, shares, edges, 0.0, 10.0) for name in names),
        score=Baseline("score", shares, tuple(edge / 10 for edge in edges)),
        baseline_rows=160_000,
        threshold=0.5,
        holdout_rows=40_000,
        holdout_frauds=1_200,
        holdout_alert_rate=0.03,
        holdout_mean_score=0.03,
    )


def encode_push(features: int) -> ExportMetricsServiceRequest:
    """What one push of the handler's telemetry holds, in a request of its own."""
    quiet = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}
    with tempfile.TemporaryDirectory() as folder:
        telemetry = start(Path(folder), make_metadata(features), 0, {**os.environ, **quiet})
        request = encode_metrics(telemetry.collect())
        telemetry.close(1)
    return request


class WorkerHistory:
    """The pushes of one worker, `points` of them in one request."""

    def __init__(self, template: ExportMetricsServiceRequest, slot: int, points: int) -> None:
        self._request = ExportMetricsServiceRequest()
        self._request.CopyFrom(template)
        self._points = points
        [resource] = self._request.resource_metrics
        for attribute in resource.resource.attributes:
            if attribute.key == "service.instance.id":
                attribute.value.string_value = f"host-{slot}"
        self._kinds = [
            (name, getattr(metric, name).data_points)
            for metric in resource.scope_metrics[0].metrics
            if (name := metric.WhichOneof("data"))
        ]
        for _, series in self._kinds:
            copies = [each for point in list(series) for each in [point] * points]
            encoded = [each.SerializeToString() for each in copies]
            del series[:]
            for each in encoded:
                series.add().ParseFromString(each)

    def encode(self, first: float, number: int) -> bytes:
        """The pushes from the `number`th on, the first at this time; every count rises."""
        for kind, series in self._kinds:
            for index, point in enumerate(series):
                push = index % self._points
                point.time_unix_nano = int((first + push * PUSH) * 1e9)
                if kind == "sum":
                    point.as_double = 3.0 * (number + push)
                elif kind == "histogram":
                    buckets = len(point.bucket_counts)
                    point.bucket_counts[:] = [number + push] * buckets
                    point.count = (number + push) * buckets
        return bytes(self._request.SerializeToString())


def write_history(prometheus: Prometheus, features: int, workers: int, hours: int) -> float:
    """The history of all workers until now, an hour at a time; gives the time of its end."""
    template = encode_push(features)
    points = 3600 // PUSH
    histories = [WorkerHistory(template, slot, points) for slot in range(workers)]
    began = time.time() - hours * 3600
    for hour in range(hours):
        for each in histories:
            request = each.encode(began + hour * 3600 + PUSH, hour * points)
            write_otlp(prometheus.url, request, timeout=120)
    return began + hours * 3600


def measure(features: int, workers: int, hours: int, evaluations: int) -> Cost:
    """Fill a Prometheus of its own and let it evaluate every group so many times."""
    with (
        tempfile.TemporaryDirectory() as name,
        Prometheus(tools_folder(), Path(name)) as prometheus,
    ):
        ended = write_history(prometheus, features, workers, hours)
        pushed = int(prometheus.number('count({__name__=~".+"})', ended) or 0)
        intervals = write_rules(Path(name, "rules"))
        assert prometheus.process is not None
        prometheus.process.send_signal(signal.SIGHUP)
        return replace(_read_cost(prometheus, intervals, evaluations), pushed=pushed)


def write_rules(folder: Path) -> dict[str, int]:
    """The rules as they are, but for how often; gives each group's real interval in seconds."""
    folder.mkdir()
    intervals: dict[str, int] = {}
    for file in rule_files(Durations()):
        groups = [replace(group, interval=EVERY) for group in file.groups]
        intervals |= {group.name: parse_duration(group.interval) for group in file.groups}
        (folder / file.name).write_text(replace(file, groups=tuple(groups)).render())
    return intervals


def _read_cost(prometheus: Prometheus, intervals: dict[str, int], evaluations: int) -> Cost:
    """Durations of each group's evaluations after the first two, in which series appear."""
    seen: dict[str, dict[str, float]] = defaultdict(dict)

    def enough() -> bool:
        for group in prometheus.get("rules")["groups"]:
            seen[group["name"]][group["lastEvaluation"]] = group["evaluationTime"]
        return len(seen) == len(intervals) and all(
            len(found) >= evaluations + 2 for found in seen.values()
        )

    until(enough, 60 + 30 * (evaluations + 2), "every group is evaluated", every=1)
    durations = {name: statistics.median(list(found.values())[2:]) for name, found in seen.items()}
    names = r".+:.+|ALERTS.*|feature_importance|model_(accuracy|precision|recall|f1_score)"
    kept = f'{{__name__=~"{names}", evaluation!="holdout", source!="training"}}'
    return Cost(0, int(prometheus.number(f"count({kept})") or 0), durations, intervals)


def format_rows(costs: dict[tuple[int, int], Cost]) -> Iterator[str]:
    """The table, line by line."""
    yield (
        "| features | workers | series pushed | series recorded | together, of 10,000"
        " | all rules once, s | slowest group, s | share of one core |"
    )
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for (features, workers), cost in costs.items():
        slowest = max(cost.groups, key=lambda name: cost.groups[name])
        together = cost.pushed + cost.recorded
        yield (
            f"| {features} | {workers} | {cost.pushed:,} | {cost.recorded:,}"
            f" | {together:,} ({together / FREE:.0%}) | {cost.cycle:.2f}"
            f" | {cost.groups[slowest]:.2f} ({slowest}) | {cost.load:.1%} |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.rules", description=__doc__)
    parser.add_argument("--hours", type=int, default=24, help="length of the history (24)")
    parser.add_argument("--evaluations", type=int, default=3, help="of each group (3)")
    asked = parser.parse_args()
    costs = {}
    for features, workers in CASES:
        print(f"{features} features, {workers} workers", file=sys.stderr, flush=True)
        costs[features, workers] = measure(features, workers, asked.hours, asked.evaluations)
    groups = [group for file in rule_files(Durations()) for group in file.groups]
    print(f"{len(groups)} groups, at most {max(len(group.rules) for group in groups)} rules.\n")
    print("\n".join(format_rows(costs)))


if __name__ == "__main__":
    main()
