"""The service beside what a user would pick instead: throughput, latency, CPU, memory, cold start.

Each round starts every contender anew, gives it as much load as it takes, then half of that. The
table goes into docs/performance.md. `python -m stack.environments peers` makes the others'
environment.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.catalogue import format_measurements
from bench.comparison import (
    Goal,
    Plan,
    describe_machine,
    format_ratios,
    format_table,
    introduce,
    measure,
)
from bench.contenders import CONTENDERS, ONNX, ONNX_OTEL, OWN, QUIET, SKLEARN
from stack.environments import python_of
from telemetry.generated import write_generated
from tests.lab.paths import ROOT

PAGE = ROOT / "docs" / "performance.md"
COMMAND = "python -m bench"
_RATE, _P99, _HALF_P99 = "requests/s", "p99", "p99 at half load"
GOALS = {
    (_RATE, SKLEARN): Goal(lambda turn: turn.saturated.rate, 4, at_least=True),
    (_RATE, ONNX): Goal(lambda turn: turn.saturated.rate, 1.2, at_least=True),
    (_RATE, ONNX_OTEL): Goal(lambda turn: turn.saturated.rate, 2.5, at_least=True),
    (_RATE, QUIET): Goal(lambda turn: turn.saturated.rate, 0.8, at_least=True),
    (_P99, ONNX): Goal(lambda turn: turn.saturated.p99_ms, 1, at_least=False),
    (_HALF_P99, ONNX): Goal(lambda turn: turn.half.p99_ms, 1, at_least=False),
    ("cold start", SKLEARN): Goal(lambda turn: turn.cold_start_seconds, 0.5, at_least=False),
    ("PSS", SKLEARN): Goal(lambda turn: turn.pss_mib, 0.5, at_least=False),
}


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description=__doc__,
        epilog=format_measurements(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="turns of each contender (%(default)s)")
    add("--seconds", type=float, default=3, help="of each of its two loads (%(default)s)")
    add("--connections", type=int, default=16, help="at saturation (%(default)s)")
    add("--models", type=Path, default=ROOT / "models", help="folder of the published model")
    add("--peers", type=Path, default=python_of(ROOT, "peers"), help="the others' interpreter")
    add("--print", action="store_true", help="print only, and leave docs/performance.md as it is")
    options = parser.parse_args()
    if not options.peers.exists():
        sys.exit(f"{options.peers} is missing: python -m stack.environments peers")
    machine = describe_machine()
    interpreters = {"dev": Path(sys.executable), "peers": options.peers}
    plan = Plan(options.rounds, options.seconds, options.connections, interpreters)
    rounds = measure(CONTENDERS, options.models, plan)
    text = "\n\n".join(
        [introduce(plan, machine), format_table(rounds), format_ratios(rounds, OWN, GOALS)]
    )
    print(text)
    if not options.print:
        write_generated(PAGE, COMMAND, text)


if __name__ == "__main__":
    main()
