"""A drill beyond one machine, bounded and on loopback: `python -m bench.scale NAME`.

Each module of this folder with a function `run` is a drill: `run` takes what follows the name, and
gives the exit code.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def list_drills() -> list[str]:
    """The names; nothing is imported."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if _is_drill(path))


def _is_drill(path: Path) -> bool:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in body)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("drill", choices=list_drills())
    parser.add_argument("options", nargs=argparse.REMAINDER, help="of the drill: NAME --help")
    given = parser.parse_args()
    code: int = importlib.import_module(f"bench.scale.{given.drill}").run(given.options)
    return code


if __name__ == "__main__":
    sys.exit(main())
