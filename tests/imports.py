"""What the project's modules import of each other, read from their text: nothing is executed."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.lab.paths import ROOT


def module_of(path: Path) -> str:
    """The dotted name of a file below the root; a package is named without `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def file_of(module: str) -> Path:
    """The file of a dotted name; a package's is its `__init__.py`."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def own_files() -> list[Path]:
    """Every Python file of the project; hidden folders and what .gitignore names are left out."""
    made = {line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines()}
    folders = [
        folder
        for folder in sorted(ROOT.iterdir())
        if folder.is_dir() and folder.name not in made and not folder.name.startswith(".")
    ]
    inside = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    return [*sorted(ROOT.glob("*.py")), *inside]


def import_graph() -> dict[str, set[str]]:
    """Each module of the project with the modules of the project that it imports, at any depth of
    its code."""
    files = {module_of(path): path for path in own_files()}
    return {
        name: {
            found for each in _list_imports(path, name) if (found := _nearest(each, files)) != name
        }
        - {""}
        for name, path in files.items()
    }


def _list_imports(path: Path, name: str) -> Iterable[str]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, node.module or ""]).strip(".") if node.level else node.module
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _nearest(dotted: str, files: Mapping[str, Path]) -> str:
    """The project's module that `dotted` is, or is a name of; empty for foreign ones."""
    while dotted and dotted not in files:
        dotted = dotted.rpartition(".")[0]
    return dotted


def folders_of(
    graph: Mapping[str, set[str]], room: str = "", apart: Collection[str] = ()
) -> dict[str, set[str]]:
    """The same graph between the folders directly below `room`; what lies in the room itself
    is left out. A folder further down that is named in `apart` ("prometheus.client") counts as one
    of its own."""
    depth = len(room.split(".")) if room else 0
    found: dict[str, set[str]] = {}
    for name, imported in graph.items():
        own = _folder(name, room, depth, apart)
        if own:
            others = {_folder(each, room, depth, apart) for each in imported} - {own, ""}
            found.setdefault(own, set()).update(others)
    return found


def _folder(name: str, room: str, depth: int, apart: Collection[str]) -> str:
    for folder in apart:
        if f"{name}.".startswith(f"{folder}."):
            return folder
    parts = name.split(".")
    if room and not name.startswith(f"{room}."):
        return ""
    path = ROOT.joinpath(*parts[: depth + 1])
    return parts[depth] if path.is_dir() else ""


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """A circle of imports, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(one) for one in error.args[1]]
    return []


def reached(graph: Mapping[str, set[str]], start: str) -> set[str]:
    """Everything that `start` imports, itself included; a package's own file comes with it."""
    found: set[str] = set()
    left = [start]
    while left:
        name = left.pop()
        if name in found or name not in graph:
            continue
        found.add(name)
        left += [*graph[name], name.rpartition(".")[0]]
    return found
