"""The drill itself: `python -m bench.scale.autoscaling` in the namespaces that apart.py makes.

`python -m bench.scale autoscale` starts it; its figures go into FOLDER/result.json.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from bench.scale.autoscaling.apart import stop_as_ctrl_c
from bench.scale.autoscaling.drill import play
from bench.scale.autoscaling.stage import Plan

RESULT = "result.json"


def main() -> int:
    """0, or 1 with a sentence where it did not come to its end."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale.autoscaling", description=__doc__)
    for name in ("folder", "tools", "models"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--shipped-down", action="store_true")
    given = parser.parse_args()
    # The first process of a namespace has no default for it.
    signal.signal(signal.SIGTERM, stop_as_ctrl_c)
    plan = Plan(given.folder, given.tools, given.models, given.shipped_down)
    try:
        play(plan).write(plan.folder / RESULT)
    except (AssertionError, ValueError) as error:
        print(f"the drill did not come to its end: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
