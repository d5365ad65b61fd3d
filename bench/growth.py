"""How the service grows: with its workers (one to four) and with the model's features (5 to 500).

Models of a logistic regression over random columns are trained for it. The table goes into
docs/performance.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil

from bench.comparison import describe_machine
from bench.load import Target, has_wrk, send_load
from telemetry.generated import write_generated
from tests.lab.handler import Handler
from tests.lab.models import train_model
from tests.lab.paths import ROOT

PAGE = ROOT / "docs" / "performance.md"
COMMAND = "python -m bench.growth"
WORKERS = (1, 2, 3, 4)
FEATURES = (5, 29, 100, 500)
_ROWS = 4000
_SCRAPES = 9


@dataclass(frozen=True)
class Size:
    """What one service needs: `scrape_ms` and `scrape_kib` of one GET /metrics."""

    features: int
    workers: int
    rate: float
    cpu_micros: float
    pss_mib: float
    series: int
    scrape_ms: float
    scrape_kib: float


def train_wide(folder: Path, features: int) -> tuple[Path, dict[str, float]]:
    """A published model with so many features, and a transaction of it."""
    draw = np.random.default_rng(features)
    table = draw.normal(size=(_ROWS, features)).round(3)
    frauds = (table[:, 0] + draw.normal(size=_ROWS) > 1.5).astype(int)
    names = [f"feature_{number}" for number in range(features)]
    file = folder / f"{features}.csv"
    everything = np.column_stack([table, frauds])
    head = ",".join([*names, "fraud"])
    formats = ["%.3f"] * features + ["%d"]
    np.savetxt(file, everything, formats, delimiter=",", header=head, comments="")
    models = train_model(
        folder / f"models-{features}", "--data", str(file), "--target", "fraud",
        "--candidates", "logistic",
    )  # fmt: skip
    # The middle of what was seen is allowed of every model.
    return models, dict(zip(names, np.median(table, axis=0).tolist(), strict=True))


def measure(
    models: Path, transaction: Mapping[str, float], workers: int, folder: Path, seconds: float
) -> Size:
    """One service by itself, with as much load as it takes."""
    settings = {"WEB_CONCURRENCY": str(workers), "LOG_LEVEL": "warning"}
    with Handler(folder / f"{len(transaction)}-{workers}", models, **settings) as handler:
        to = Target(handler.port, body=json.dumps(transaction).encode())
        send_load(to, 1, 16)
        before = _cpu_seconds(handler)
        load = send_load(to, seconds, 16)
        assert not load.failed, f"{load.failed} requests of {len(transaction)} features failed"
        cpu = _cpu_seconds(handler) - before
        text, scrapes = "", []
        for _ in range(_SCRAPES):
            began = time.perf_counter()
            text = handler.exposition()
            scrapes.append(1000 * (time.perf_counter() - began))
        pss = sum(one.memory_full_info().pss for one in _processes(handler)) / 2**20
    series = sum(not line.startswith("#") for line in text.splitlines())
    return Size(
        len(transaction), workers, load.rate, 1e6 * cpu / load.answered, pss, series,
        statistics.median(scrapes), len(text) / 1024,
    )  # fmt: skip


def _processes(handler: Handler) -> list[psutil.Process]:
    assert handler.process is not None
    master = psutil.Process(handler.process.pid)
    return [master, *master.children()]


def _cpu_seconds(handler: Handler) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in _processes(handler))


def format_table(sizes: list[Size]) -> str:
    """In Markdown."""
    head = (
        "features", "workers", "requests/s", "server CPU µs/request", "PSS MiB",
        "series on /metrics", "scrape", "its size",
    )  # fmt: skip
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [
        f"| {one.features} | {one.workers} | {one.rate:,.0f} | {one.cpu_micros:,.0f}"
        f" | {one.pss_mib:.0f} | {one.series:,} | {one.scrape_ms:.1f} ms"
        f" | {one.scrape_kib:,.0f} KiB |"
        for one in sizes
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    add = parser.add_argument
    add("--seconds", type=float, default=5, help="of load on each (%(default)s)")
    add("--print", action="store_true", help="print only, and leave docs/performance.md as it is")
    options = parser.parse_args()
    machine, sizes = describe_machine(), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = {features: train_wide(folder, features) for features in FEATURES}
        cases = [(FEATURES[0], workers) for workers in WORKERS]
        cases += [(features, 2) for features in FEATURES[1:]]
        for features, workers in cases:
            sizes.append(measure(*made[features], workers, folder, options.seconds))
            print(sizes[-1], flush=True)
    client = "wrk" if has_wrk() else "the Python client (wrk is not installed)"
    introduced = (
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}. Load by {client} on the same machine over 16"
        f" connections for {options.seconds:g} s; a scrape is the median of {_SCRAPES}."
    )
    text = f"{introduced}\n\n{format_table(sizes)}"
    print(text)
    if not options.print:
        write_generated(PAGE, COMMAND, text)


if __name__ == "__main__":
    main()
