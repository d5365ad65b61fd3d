"""What a challenger costs the champion's answers: none, a good one, and three bad ones, in turns.

The challenger is the champion once more, with another threshold: in the shadow of all requests.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec
from flask import Flask

from bench.client import load
from bench.servers import ROOT, Variants, running, sink
from model.registry.writer import RegistryWriter
from model.serving.card import CARD_FILE, Card
from model.serving.registry import PUBLISHED_FILE, Published
from model.serving.scorer import Scorer
from service.served_models import ServedModels, load_models
from service.settings import Settings

_HANG_SECONDS = 5.0
_SLOWER = 10
ALONE = "no challenger"
FAULTS = {
    "challenger": "none",
    "challenger crashes": "crash",
    "challenger hangs 5 s": "hang",
    "challenger 10 times slower": "slow",
}


@dataclass(frozen=True)
class Turn:
    """One variant's answers in one turn; times in ms."""

    rate: float
    p50_ms: float
    p99_ms: float
    answered: int
    refused: int


class Faulty:
    """A scorer that behaves as `fault` says."""

    def __init__(self, scorer: Scorer, fault: str) -> None:
        self.card: Card = scorer.card
        self.trained_at = scorer.trained_at
        self._scorer = scorer
        self._fault = fault

    def score(self, rows: Sequence[Sequence[float]]) -> list[float]:
        """The scorer's probabilities, after whatever goes wrong."""
        if self._fault == "crash":
            raise RuntimeError("broken")
        if self._fault == "hang":
            time.sleep(_HANG_SECONDS)
        for _ in range(_SLOWER - 1 if self._fault == "slow" else 0):
            self._scorer.score(rows)
        return self._scorer.score(rows)


def application() -> Flask:
    """The service, with the fault of BENCH_FAULT built into its challenger."""
    import handler

    def load_with_fault(settings: Settings) -> ServedModels:
        models = load_models(settings)
        if models.challenger is None:
            raise SystemExit("the challenger cannot be loaded")
        faulty = Faulty(models.challenger, os.environ["BENCH_FAULT"])
        return dataclasses.replace(models, challenger=faulty)

    return handler.build(load=load_with_fault)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.challenger", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="turns of each variant (5)")
    parser.add_argument("--seconds", type=float, default=6, help="length of a turn (6)")
    parser.add_argument("--connections", type=int, default=2, help="connections kept open (2)")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        variants = _variants(folder / "models")
        port = stack.enter_context(sink())
        ports = {
            name: stack.enter_context(running(name, folder, port, variants)) for name in variants
        }
        turns: dict[str, list[Turn]] = {name: [] for name in variants}
        for number in range(asked.rounds + 1):
            print(f"round {number} of {asked.rounds} (0 does not count)", file=sys.stderr)
            # Each begins a round in its turn: the first one finds a machine that has rested.
            order = [*variants][number % len(variants) :] + [*variants][: number % len(variants)]
            for name in order:
                turn = _turn(ports[name], asked.seconds if number else 1, asked.connections)
                turns[name] += [turn] if number else []
    _print(turns)


def _variants(models: Path) -> Variants:
    """Without traces, whose export would be most of the tail."""
    version = _publish_challenger(models)
    common = {"MODEL_DIR": str(models), "OTEL_TRACES_SAMPLER": "always_off", "LOG_LEVEL": "error"}
    faulty = {
        name: ("bench.challenger:application()", common | {"CHALLENGER": version, "BENCH_FAULT": f})
        for name, f in FAULTS.items()
    }
    return {ALONE: ("handler:build()", common), **faulty}


def _publish_challenger(models: Path) -> str:
    shutil.copytree(ROOT / "models", models)
    registry = RegistryWriter(models)
    champion = registry.champion()
    files = models.with_name("files")
    shutil.copytree(registry.folder(champion), files)
    for name in (CARD_FILE, PUBLISHED_FILE):
        (files / name).unlink()
    card = registry.card(champion)
    named = registry.name_card(msgspec.structs.replace(card, threshold=card.threshold / 2))
    registry.publish(named, files, Published(trained_at=time.time(), training_seconds=0))
    return named.version


def _turn(port: int, seconds: float, connections: int) -> Turn:
    result = load(port, seconds, connections)
    times = sorted(result.latencies)
    p50, p99 = (1000 * times[int(share * len(times))] for share in (0.5, 0.99))
    return Turn(result.answered / result.seconds, p50, p99, result.answered, result.refused)


def _print(turns: dict[str, list[Turn]]) -> None:
    print("| variant | requests/s | p50 ms | p99 ms | p99 of no challenger | errors |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, own in turns.items():
        rate = statistics.median(turn.rate for turn in own)
        p50 = statistics.median(turn.p50_ms for turn in own)
        p99 = statistics.median(turn.p99_ms for turn in own)
        pairs = zip(own, turns[ALONE], strict=True)
        tail = statistics.median(turn.p99_ms / other.p99_ms for turn, other in pairs)
        refused = sum(turn.refused for turn in own)
        total = refused + sum(turn.answered for turn in own)
        print(
            f"| {name} | {rate:.0f} | {p50:.1f} | {p99:.1f} | {tail:.2f} | {refused} of {total} |"
        )


if __name__ == "__main__":
    main()
