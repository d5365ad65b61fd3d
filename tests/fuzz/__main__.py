"""Longer than in CI: `python -m tests.fuzz contract` (20,000 cases) or `readers` (10 minutes)."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from handler import create_app
from service.feedback import Feedback
from service.receipts import Receipts
from service.settings import read_settings
from service.used_receipts import SqliteUsedReceipts
from telemetry.lifecycle import start
from tests.conftest import FACTS, SILENT, LocationRiskScorer
from tests.fuzz.contract import count_cases, run_schemathesis
from tests.fuzz.mutation import Fuzzer
from tests.fuzz.targets import KEY, MODULES, describe_targets
from tests.json_client import make_client
from tests.lab.handler import Handler
from tests.lab.models import train_model

_STEP = 1000


def fuzz_contract(cases: int, seed: int) -> None:
    """Until so many requests were sent, each round with the next seed."""
    with tempfile.TemporaryDirectory() as name:
        folder, sent = Path(name), 0
        models = train_model(folder / "models", "--rows", "40000")
        with Handler(folder / "handler", models, LOG_LEVEL="warning") as handler:
            while sent < cases:
                code, report = run_schemathesis(handler.url, 1000, folder, seed)
                sent += count_cases(report)
                print(f"seed {seed}: {sent:,} requests", flush=True)
                if code:
                    sys.exit(report)
                seed += 1
            print(f"failures of the service in its log: {handler.output().count('request failed')}")


def fuzz_readers(seconds: float, seed: int) -> None:
    """Each target for its share of the processor's time."""
    with tempfile.TemporaryDirectory() as name:
        telemetry = start(Path(name), FACTS, 5000, SILENT)
        receipts, used = Receipts([KEY]), SqliteUsedReceipts(Path(name) / "used")
        roles = {"1-abcd1234": "champion"}
        feedback = Feedback(receipts, used, telemetry.recorder, telemetry.slot_name, roles, 3600)
        settings = read_settings({})
        app = create_app(LocationRiskScorer(), telemetry, receipts, settings, feedback=feedback)
        targets = describe_targets(make_client(app))
        for target_name, target in targets.items():
            fuzzer = Fuzzer(target.send, target.seeds, MODULES, seed)
            until = time.process_time() + seconds / len(targets)
            while time.process_time() < until:
                fuzzer.run(_STEP)
            print(
                f"{target_name}: {fuzzer.cases:,} cases, {fuzzer.lines} lines, no finding",
                flush=True,
            )
        telemetry.close(1)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("what", choices=("contract", "readers"))
    parser.add_argument("--cases", type=int, default=20_000, help="of the contract")
    parser.add_argument("--seconds", type=float, default=600, help="of the readers, computed")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; default 1")
    options = parser.parse_args()
    if options.what == "contract":
        fuzz_contract(options.cases, options.seed)
    else:
        fuzz_readers(options.seconds, options.seed)


if __name__ == "__main__":
    main()
