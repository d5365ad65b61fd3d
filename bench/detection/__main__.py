"""`make drill`: every scenario with its known fault on the real stack; writes docs/detection.md."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.detection.drills import DRILLS, Drill
from bench.detection.report import Conditions, render, render_rows, summarise
from bench.detection.run import Result, run
from tests.lab.models import train_model
from tests.lab.paths import ROOT
from tests.lab.tools import tools_folder

PAGE = ROOT / "docs" / "detection.md"


def main() -> int:
    """Exit code: 0 every drill as it should be, 1 not, 2 wrong usage."""
    asked = _parser().parse_args()
    chosen = [drill for drill in DRILLS if not asked.drill or drill.name in asked.drill]
    with tempfile.TemporaryDirectory(prefix="drill-models-") as folder:
        models = asked.models or _train(Path(folder))
        results = _run_all(chosen, tools_folder(), models, asked.scale)
    page = render(results, Conditions(asked.scale, time.strftime("%Y-%m-%d")))
    print(page)
    if not asked.drill:
        PAGE.write_text(page, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)}", file=sys.stderr)
    print(summarise(results), file=sys.stderr)
    return 0 if all(result.passed for result in results) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.detection", description=__doc__)
    names = [drill.name for drill in DRILLS]
    parser.add_argument(
        "drill", nargs="*", choices=[*names, []], metavar="DRILL",
        help=f"only these, and nothing is written; of {', '.join(names)}",
    )  # fmt: skip
    parser.add_argument(
        "--scale", type=int, default=60, help="the rules' clock is so many times as fast (60)"
    )
    parser.add_argument("--models", type=Path, help="folder of a published model, else one is made")
    return parser


def _train(folder: Path) -> Path:
    print("training the default model", file=sys.stderr)
    return train_model(folder)


def _run_all(drills: Sequence[Drill], tools: Path, models: Path, scale: int) -> list[Result]:
    """Two at a time, the longest first; in the order given."""

    def one(drill: Drill) -> Result:
        print(f"{drill.name}: {drill.minutes * 60 / scale:.0f} s", file=sys.stderr)
        result = run(drill, tools, models, scale)
        print(*render_rows([result]), file=sys.stderr)
        return result

    by_length = sorted(drills, key=lambda drill: -drill.minutes)
    with ThreadPoolExecutor(2) as lanes:
        done = dict(zip((d.name for d in by_length), lanes.map(one, by_length), strict=True))
    return [done[drill.name] for drill in drills]


if __name__ == "__main__":
    sys.exit(main())
