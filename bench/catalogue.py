"""Which measurements there are, read from this folder's modules: nothing is imported or run."""

from __future__ import annotations

import ast
from pathlib import Path

FOLDER = Path(__file__).parent


def list_measurements() -> dict[str, str]:
    """Each module that is a command with options, as it is called: its docstring's first line."""
    found = {}
    for path in sorted(FOLDER.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if _is_command(tree):
            found[_call(path)] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def format_measurements() -> str:
    """The list for `--help`."""
    rows = (f"  {call}\n      {what}" for call, what in list_measurements().items())
    return "Measurements; each has a --help of its own:\n" + "\n".join(rows)


def _call(path: Path) -> str:
    parts = path.relative_to(FOLDER.parent).with_suffix("").parts
    return "python -m " + ".".join(parts[:-1] if parts[-1] == "__main__" else parts)


def _is_command(tree: ast.Module) -> bool:
    imported = {
        alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names
    }
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    return "argparse" in imported and "main" in functions
