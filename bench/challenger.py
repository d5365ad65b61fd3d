"""What a challenger costs the champion's answers: none, a good one, and three bad ones, in turns.

The challenger is the champion once more, with another threshold: in the shadow of all requests.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.variants import Pace, Turns, Variant, measure, median, median_ratio
from model.registry.writer import RegistryWriter
from model.serving.card import CARD_FILE, Card
from model.serving.registry import PUBLISHED_FILE, Published
from model.serving.scorer import Scorer
from service.asgi.application import AsgiApplication
from service.served_models import ServedModels, load_models
from service.settings import Settings
from tests.lab.paths import ROOT

_HANG_SECONDS = 5.0
_SLOWER = 10
ALONE = "no challenger"
FAULTS = {
    "challenger": "none",
    "challenger crashes": "crash",
    "challenger hangs 5 s": "hang",
    "challenger 10 times slower": "slow",
}


class FaultyScorer:
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


def application() -> AsgiApplication:
    """The service, with the fault of BENCH_FAULT built into its challenger."""
    import handler

    def load_with_fault(settings: Settings) -> ServedModels:
        models = load_models(settings)
        if models.challenger is None:
            raise SystemExit("the challenger cannot be loaded")
        faulty = FaultyScorer(models.challenger, os.environ["BENCH_FAULT"])
        return dataclasses.replace(models, challenger=faulty)

    return handler.build(load=load_with_fault)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.challenger", description=__doc__)
    Pace(rounds=5, seconds=6, connections=2).add_options(parser)
    pace = Pace.of(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder, "models")
        print(format_table(measure(_variants(_publish_challenger(models)), models, pace)))


def _variants(challenger: str) -> dict[str, Variant]:
    """Without traces, whose export would be most of the tail."""
    common = {"OTEL_TRACES_SAMPLER": "always_off", "LOG_LEVEL": "error"}
    faulty = {
        name: Variant(
            common | {"CHALLENGER": challenger, "BENCH_FAULT": fault},
            "bench.challenger:application()",
        )
        for name, fault in FAULTS.items()
    }
    return {ALONE: Variant(common), **faulty}


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


def format_table(turns: Turns) -> str:
    """In Markdown, a row for each variant."""
    rows = [
        "| variant | requests/s | p50 ms | p99 ms | p99 of no challenger | errors |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, own in turns.items():
        rate, p50 = median(own, lambda t: t.rate), median(own, lambda t: t.p50_ms)
        p99 = median(own, lambda t: t.p99_ms)
        tail = median_ratio(own, turns[ALONE], lambda t: t.p99_ms)
        refused = sum(turn.refused for turn in own)
        total = refused + sum(turn.answered for turn in own)
        figures = f"{rate:.0f} | {p50:.1f} | {p99:.1f} | {tail:.2f} | {refused} of {total}"
        rows.append(f"| {name} | {figures} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()
