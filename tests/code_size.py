"""How long files and functions are, read from their text."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.lab.paths import ROOT

FILE_LINES = 300
FUNCTION_LINES = 40


def find_long_files(paths: Iterable[Path]) -> dict[str, int]:
    """Lines of each file that has more than FILE_LINES."""
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in paths}
    return {name: lines for name, lines in lengths.items() if lines > FILE_LINES}


def find_long_functions(paths: Iterable[Path]) -> dict[str, int]:
    """Lines of each function that has more than FUNCTION_LINES, its docstring among them."""
    return {
        f"{name_of(path)}::{function}": lines
        for path in paths
        for function, lines in _functions(ast.parse(path.read_text("utf-8")))
        if lines > FUNCTION_LINES
    }


def name_of(path: Path) -> str:
    """As it is written in a list: from the root on."""
    return path.relative_to(ROOT).as_posix()


def _functions(node: ast.AST, within: str = "") -> Iterator[tuple[str, int]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{within}.{child.name}".strip(".")
            if not isinstance(child, ast.ClassDef):
                yield name, (child.end_lineno or 0) - child.lineno + 1
            yield from _functions(child, name)
        else:
            yield from _functions(child, within)
