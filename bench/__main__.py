"""Throughput and p99 of `/predict` with telemetry on and off, beside a bare Flask application.

The variants take turns, round after round, so that a machine that changes its speed changes it for
all of them; what is printed are medians over the rounds and the ratio to 'telemetry off'.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.client import load
from bench.servers import VARIANTS, running, sink

REFERENCE = "telemetry off"


@dataclass(frozen=True)
class Round:
    """One variant's figures in one round: requests/s and the 99th percentile in ms."""

    rate: float
    p99_ms: float


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each variant (7)")
    parser.add_argument("--seconds", type=float, default=4, help="length of a turn (4)")
    parser.add_argument("--connections", type=int, default=4, help="connections kept open (4)")
    asked = parser.parse_args()
    rounds: dict[str, list[Round]] = {name: [] for name in VARIANTS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(sink())
        ports = {name: stack.enter_context(running(name, folder, port)) for name in VARIANTS}
        for name in VARIANTS:
            _turn(ports[name], 1, asked.connections)  # a warm-up that does not count
        for number in range(asked.rounds):
            print(f"round {number + 1} of {asked.rounds}", file=sys.stderr)
            for name in VARIANTS:
                rounds[name].append(_turn(ports[name], asked.seconds, asked.connections))
    _print(rounds)


def _turn(port: int, seconds: float, connections: int) -> Round:
    told = load(port, seconds, connections)
    latencies = sorted(told.latencies)
    p99 = latencies[int(0.99 * len(latencies))]
    return Round(told.answered / told.seconds, 1000 * p99)


def _print(rounds: dict[str, list[Round]]) -> None:
    print("| variant | requests/s | of telemetry off | p99 ms | of telemetry off |")
    print("| --- | --- | --- | --- | --- |")
    for name, turns in rounds.items():
        reference = rounds[REFERENCE]
        rate = statistics.median(turn.rate for turn in turns)
        p99 = statistics.median(turn.p99_ms for turn in turns)
        pairs = list(zip(turns, reference, strict=True))
        rates = statistics.median(turn.rate / other.rate for turn, other in pairs)
        tails = statistics.median(turn.p99_ms / other.p99_ms for turn, other in pairs)
        print(f"| {name} | {rate:.0f} | {rates:.2f} | {p99:.1f} | {tails:.2f} |")


if __name__ == "__main__":
    main()
