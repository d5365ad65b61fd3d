"""Seventy percent of what the service takes, for long: do memory and descriptors grow?"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bench.faults.report import Report
from bench.faults.slow_clients import count_descriptors, measure_memory
from bench.load import Load, Target, send_load
from bench.otlp_sink import otlp_sink
from tests.lab.handler import Handler

_SHARE = 0.7
_CONNECTIONS = 16
_STEP = 2.0
# After so much of the time caches are filled.
_WARM = 0.2

Samples = list[tuple[float, float, float]]
"""Seconds since the beginning, MiB, descriptors."""


def measure_soak(models: Path, folder: Path, options: argparse.Namespace) -> Report:
    """For `--minutes`; the first fifth of them is not looked at."""
    seconds = 60 * options.minutes
    with _service_all_on(folder, models) as handler:
        to = Target(handler.port)
        most = send_load(to, 5, _CONNECTIONS)
        pause_ms = _find_pause(to, most)
        with ThreadPoolExecutor(1) as pool:
            load = pool.submit(send_load, to, seconds, 4 * _CONNECTIONS, pause_ms)
            samples = _sample(handler, load.done)
        steady = load.result()
    memory, descriptors = (_slope(samples, column) for column in (1, 2))
    row = (
        f"{options.minutes:g} min", f"{steady.rate:,.0f}/s, {100 * steady.rate / most.rate:.0f} %",
        f"{steady.answered:,}", str(steady.failed), f"{samples[-1][1]:.0f} MiB",
        f"{memory[0]:+.2f} ± {memory[1]:.2f} MiB", f"{descriptors[0]:+.1f} ± {descriptors[1]:.1f}",
    )  # fmt: skip
    head = (
        "time", "load, of what it takes", "requests", "failed", "memory at the end",
        "memory an hour", "descriptors an hour",
    )  # fmt: skip
    return Report("Soak", head, [row])


@contextmanager
def _service_all_on(folder: Path, models: Path) -> Iterator[Handler]:
    """Metrics and traces are exported, and requests are logged."""
    own = folder / "soak"
    own.mkdir()
    # Lines of so many requests would be gigabytes.
    (own / "log").symlink_to(os.devnull)
    with otlp_sink() as sink:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": sink,
            "OTEL_METRIC_EXPORT_INTERVAL": "5000",
            "LOG_LEVEL": "info",
            "WEB_CONCURRENCY": "2",
        }
        with Handler(own, models, **settings) as handler:
            yield handler


def _find_pause(to: Target, most: Load) -> int:
    """Milliseconds of pause with which four times the connections give that share."""
    connections = 4 * _CONNECTIONS
    pause = connections / (_SHARE * most.rate)
    for _ in range(4):
        trial = send_load(to, 3, connections, round(1000 * pause))
        pause += connections / (_SHARE * most.rate) - connections / trial.rate
        pause = max(0.001, pause)
    return round(1000 * pause)


def _sample(handler: Handler, is_done: Callable[[], bool]) -> Samples:
    began, samples = time.perf_counter(), Samples()
    while not is_done():
        after = time.perf_counter() - began
        samples.append((after, measure_memory(handler), count_descriptors(handler)))
        time.sleep(_STEP)
    return samples


def _slope(samples: Samples, column: int) -> tuple[float, float]:
    """An hour, by least squares, and twice its standard error: neighbours in time are alike, so
    that blocks of a tenth of the time are taken for one reading each."""
    table = np.array(samples)
    table = table[table[:, 0] >= _WARM * table[-1, 0]]
    blocks = np.array([block.mean(axis=0) for block in np.array_split(table, 10) if len(block)])
    if len(blocks) < 3:
        return float("nan"), float("nan")
    hours = blocks[:, 0] / 3600
    (slope, _), covariance = np.polyfit(hours, blocks[:, column], 1, cov=True)
    return float(slope), 2 * float(np.sqrt(covariance[0, 0]))
