"""Rounds of measurements of all contenders, in turns, and the table of what they gave."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.contenders import Contender, Server
from bench.load import Load, Target, has_wrk, send_load
from bench.otlp_sink import otlp_sink

_WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Turn:
    """One contender in one round: started, loaded with all that it takes, then with half of it."""

    cold_start_seconds: float
    saturated: Load
    half: Load
    cpu_micros: float
    """Processor time of the server for one request, at saturation."""
    pss_mib: float


Rounds = dict[str, list[Turn]]
Figure = Callable[[Turn], float]


@dataclass(frozen=True)
class Plan:
    """How often, how long, over how many connections; the interpreter of each environment."""

    rounds: int
    seconds: float
    connections: int
    interpreters: Mapping[str, Path]


def measure(contenders: Mapping[str, Contender], models: Path, plan: Plan) -> Rounds:
    """Every contender in every round; each begins a round in its turn."""
    found: Rounds = {name: [] for name in contenders}
    with tempfile.TemporaryDirectory() as folder, otlp_sink() as sink:
        for number in range(plan.rounds):
            first = number % len(contenders)
            for name in [*contenders][first:] + [*contenders][:first]:
                print(f"round {number + 1} of {plan.rounds}: {name}", file=sys.stderr)
                place = Path(folder) / f"{number}-{len(found[name])}-{abs(hash(name))}"
                python = plan.interpreters[contenders[name].environment]
                server = Server(contenders[name], python, place, models, sink)
                found[name].append(_take_turn(server, plan))
    return found


def _take_turn(server: Server, plan: Plan) -> Turn:
    began = time.monotonic()
    server.launch()
    try:
        while not server.is_ready():
            assert server.process is not None
            if server.process.poll() is not None or time.monotonic() - began > 120:
                raise RuntimeError(f"it does not answer: {server.output()[-2000:]}")
            time.sleep(0.01)
        cold_start = time.monotonic() - began
        to = Target(server.port, server.contender.path, server.contender.body)
        send_load(to, _WARM_UP_SECONDS, plan.connections)
        before = server.cpu_seconds()
        saturated = send_load(to, plan.seconds, plan.connections)
        cpu = server.cpu_seconds() - before
        half = send_load(to, plan.seconds, 2 * plan.connections, _pause_for_half(saturated, plan))
        micros = cpu / saturated.answered * 1e6
        return Turn(cold_start, saturated, half, micros, server.pss_mib())
    finally:
        server.kill()


def _pause_for_half(saturated: Load, plan: Plan) -> int:
    """Milliseconds of pause with which twice the connections give half the rate."""
    between = 2 * plan.connections / (saturated.rate / 2)
    return max(1, round(1000 * between - saturated.p50_ms / 4))


COLUMNS: dict[str, tuple[Figure, str]] = {
    "requests/s": (lambda turn: turn.saturated.rate, ",.0f"),
    "p50 ms": (lambda turn: turn.saturated.p50_ms, ".1f"),
    "p99 ms": (lambda turn: turn.saturated.p99_ms, ".1f"),
    "half load: requests/s": (lambda turn: turn.half.rate, ",.0f"),
    "half: p50 ms": (lambda turn: turn.half.p50_ms, ".2f"),
    "half: p99 ms": (lambda turn: turn.half.p99_ms, ".1f"),
    "server CPU µs/request": (lambda turn: turn.cpu_micros, ",.0f"),
    "cold start s": (lambda turn: turn.cold_start_seconds, ".2f"),
    "PSS MiB": (lambda turn: turn.pss_mib, ".0f"),
    "failed": (lambda turn: turn.saturated.failed + turn.half.failed, ".0f"),
}


def format_table(rounds: Rounds) -> str:
    """In Markdown: medians, and the smallest and largest of the rounds below them."""
    lines = [f"| | {' | '.join(COLUMNS)} |", f"| --- |{' --- |' * len(COLUMNS)}"]
    for name, turns in rounds.items():
        cells = [_format(turns, figure, form) for figure, form in COLUMNS.values()]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _format(turns: list[Turn], figure: Figure, form: str) -> str:
    values = [figure(turn) for turn in turns]
    middle, low, high = (
        format(value, form) for value in (statistics.median(values), min(values), max(values))
    )
    return middle if low == high else f"{middle} ({low}…{high})"


@dataclass(frozen=True)
class Goal:
    """What the ratio of a figure to another contender's is to be."""

    figure: Figure
    bound: float
    at_least: bool

    def judge(self, ratio: float) -> str:
        """The goal, and whether it is reached."""
        reached = ratio >= self.bound if self.at_least else ratio <= self.bound
        sign, verdict = "≥" if self.at_least else "≤", "reached" if reached else "**missed**"
        return f"{sign} {self.bound:g}: {verdict}"


def format_ratios(rounds: Rounds, own: str, goals: Mapping[tuple[str, str], Goal]) -> str:
    """In Markdown: the own figure to another contender's in the same round, beside its goal, by
    what the figure is and whose."""
    lines = ["| ratio of | to | measured | goal |", "| --- | --- | --- | --- |"]
    for (what, name), goal in goals.items():
        pairs = zip(rounds[own], rounds[name], strict=True)
        ratios = [goal.figure(mine) / goal.figure(other) for mine, other in pairs]
        middle = statistics.median(ratios)
        span = f"{middle:.2f} ({min(ratios):.2f}…{max(ratios):.2f})"
        lines.append(f"| {what} | {name} | {span} | {goal.judge(middle)} |")
    return "\n".join(lines)


def describe_machine() -> str:
    """How many processors, and how busy they are with other work."""
    load = os.getloadavg()[2]
    return f"{os.cpu_count()} processors, load average of the quarter of an hour before {load:.1f}"


def introduce(plan: Plan, machine: str) -> str:
    """How the table below it was measured; `machine` as it was before."""
    client = "wrk" if has_wrk() else "the Python client (wrk is not installed)"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {machine}. Load by {client} on the same machine,"
        f" {plan.connections} connections; {plan.rounds} rounds of {plan.seconds:g} s each."
        " Medians, in brackets the smallest and the largest of the rounds."
    )
