"""Models that cannot be served: the start is refused with a sentence."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.lab.handler import Handler


def _remove(models: Path) -> None:
    _graph(models).unlink()


def _truncate(models: Path) -> None:
    _graph(models).write_bytes(_graph(models).read_bytes()[:-100])


def _name_another(models: Path) -> None:
    (models / "champion").write_text("9-deadbeef\n")


def _graph(models: Path) -> Path:
    [file] = models.glob("*/model.onnx")
    return file


_FAULTS: dict[str, Callable[[Path], None]] = {
    "model missing": _remove,
    "model truncated": _truncate,
    "model of another version": _name_another,
}


def measure_starts(models: Path, folder: Path, only: str) -> Iterator[tuple[str, ...]]:
    """A row of the table of faults for each."""
    for fault, spoil in _FAULTS.items():
        if only not in fault:
            continue
        copy = folder / fault.replace(" ", "-")
        shutil.copytree(models, copy)
        spoil(copy)
        yield (fault, "-", "-", "-", "-", "-", _why_not_started(copy, folder))


def _why_not_started(models: Path, folder: Path) -> str:
    handler = Handler(folder / "start", models)
    handler.launch()
    assert handler.process is not None
    try:
        code = handler.process.wait(60)
    finally:
        handler.kill()
    lines = [line for line in handler.output().splitlines() if "cannot start" in line]
    said = lines[-1] if lines else f"exit code {code}"
    return said.replace(str(models), "models")
