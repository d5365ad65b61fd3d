"""Variants of a service measured side by side: they take turns, round after round.

So a machine that changes its speed changes it for all of them. What is printed are medians over the
rounds, and medians of the ratio to a reference in the same round. Each variant has one worker.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.client import run_client
from bench.otlp_sink import otlp_sink
from tests.lab.handler import Handler


@dataclass(frozen=True)
class Variant:
    """What gunicorn runs, with which settings."""

    settings: Mapping[str, str] = field(default_factory=dict)
    application: str = "handler:build()"


@dataclass(frozen=True)
class Turn:
    """One variant's answers in one turn: requests/s, times in ms, counts."""

    rate: float
    p50_ms: float
    p99_ms: float
    answered: int
    refused: int


Turns = dict[str, list[Turn]]
"""The turns of each variant, in the order of the rounds."""


@dataclass(frozen=True)
class Pace:
    """How often and how long each variant is measured, over how many kept connections."""

    rounds: int
    seconds: float
    connections: int

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Options of the command line, with this pace as the default."""
        add = parser.add_argument
        add("--rounds", type=int, default=self.rounds, help="turns of each variant (%(default)s)")
        add("--seconds", type=float, default=self.seconds, help="of a turn (%(default)s)")
        add("--connections", type=int, default=self.connections, help="kept open (%(default)s)")

    @classmethod
    def of(cls, options: argparse.Namespace) -> Pace:
        """What the options say."""
        return cls(options.rounds, options.seconds, options.connections)


def measure(variants: Mapping[str, Variant], models: Path, pace: Pace) -> Turns:
    """Start all variants with the champion of `models`, measure them in turns, end them."""
    turns: Turns = {name: [] for name in variants}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sink = stack.enter_context(otlp_sink())
        ports = {
            name: stack.enter_context(_make(variant, folder / name, models, sink)).port
            for name, variant in variants.items()
        }
        for number in range(pace.rounds + 1):
            print(f"round {number} of {pace.rounds} (0 does not count)", file=sys.stderr)
            # Each begins a round in its turn: the first one finds a machine that has rested.
            first = number % len(variants)
            for name in [*variants][first:] + [*variants][:first]:
                turn = _take_turn(ports[name], pace.seconds if number else 1, pace.connections)
                turns[name] += [turn] if number else []
    return turns


def _make(variant: Variant, folder: Path, models: Path, sink: str) -> Handler:
    own = {
        "WEB_CONCURRENCY": "1",
        "LOG_LEVEL": "warning",
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink,
        "OTEL_METRIC_EXPORT_INTERVAL": "5000",
    }
    return Handler(folder, models, variant.application, **own | dict(variant.settings))


def _take_turn(port: int, seconds: float, connections: int) -> Turn:
    result = run_client(port, seconds, connections)
    times = sorted(result.latencies)
    p50, p99 = (1000 * times[int(share * len(times))] for share in (0.5, 0.99))
    return Turn(result.answered / result.seconds, p50, p99, result.answered, result.refused)


def median(turns: list[Turn], figure: Callable[[Turn], float]) -> float:
    """Of a figure over the rounds."""
    return statistics.median(figure(turn) for turn in turns)


def median_ratio(
    turns: list[Turn], reference: list[Turn], figure: Callable[[Turn], float]
) -> float:
    """Of a figure to the reference's in the same round."""
    pairs = zip(turns, reference, strict=True)
    return statistics.median(figure(turn) / figure(other) for turn, other in pairs)
