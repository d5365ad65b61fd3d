"""The service beside whole frameworks for serving models, once, for the record: BentoML, MLServer.

Each has an environment of its own: `python -m stack.environments peers-bentoml peers-mlserver`.
The table goes into docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.comparison import Plan, describe_machine, format_table, introduce, measure
from bench.contenders import OTHERS
from bench.load import has_wrk
from stack.environments import python_of
from telemetry.generated import write_generated
from tests.lab.paths import ROOT

PAGE = ROOT / "docs" / "performance.md"
COMMAND = "python -m bench.others"


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=3, help="turns of each (%(default)s)")
    add("--seconds", type=float, default=3, help="of each of its two loads (%(default)s)")
    add("--connections", type=int, default=16, help="at saturation (%(default)s)")
    add("--models", type=Path, default=ROOT / "models", help="folder of the published model")
    for name in ("bentoml", "mlserver"):
        own = python_of(ROOT, f"peers-{name}")
        add(f"--{name}", type=Path, default=own, help="the interpreter of its environment")
    add("--print", action="store_true", help="print only, and leave docs/performance.md as it is")
    options = parser.parse_args()
    interpreters = {
        "dev": Path(sys.executable),
        "peers-bentoml": options.bentoml,
        "peers-mlserver": options.mlserver,
    }
    for name, python in interpreters.items():
        if not python.exists():
            sys.exit(f"{python} is missing: python -m stack.environments {name}")
    if not has_wrk():
        sys.exit("wrk is not installed: the others' requests are sent by it alone")
    machine = describe_machine()
    plan = Plan(options.rounds, options.seconds, options.connections, interpreters)
    rounds = measure(OTHERS, options.models, plan)
    text = f"{introduce(plan, machine)}\n\n{format_table(rounds)}"
    print(text)
    if not options.print:
        write_generated(PAGE, COMMAND, text)


if __name__ == "__main__":
    main()
