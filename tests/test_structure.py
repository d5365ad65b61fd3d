"""The house: which room may import which, drawn from the folders, and what the root holds."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.code_size import FILE_LINES, FUNCTION_LINES, find_long_files, find_long_functions
from tests.imports import circle, folders_of, import_graph, module_of, own_files, reached
from tests.lab.paths import ROOT

GRAPH = import_graph()
# A room of its own here, though it lies in prometheus/ beside the generator of the rules: it
# imports nothing of the project, so the rooms that the generator imports may ask a Prometheus too.
CLIENT = "prometheus.client"
ROOMS = folders_of(GRAPH, apart=[CLIENT])
# What a room may import of the others. A room that is not named here may import none.
ALLOWED = {
    "service": {"telemetry", "model"},
    "telemetry": {"model"},
    "model": {CLIENT},
    "grafana": {"telemetry", "model", "prometheus", CLIENT},
    "prometheus": {"telemetry", "model"},
    "stack": {CLIENT},
    "bench": set(ROOMS),
    "tests": set(ROOMS),
}


def test_rooms_import_each_other_in_one_direction() -> None:
    assert {room: others - ALLOWED.get(room, set()) for room, others in ROOMS.items()} == {
        room: set() for room in ROOMS
    }
    assert circle({room: others for room, others in ROOMS.items() if room != "bench"}) == []


@pytest.mark.parametrize("room", sorted(set(ROOMS) - {"tests", "bench", CLIENT}))
def test_folders_of_a_room_import_each_other_in_one_direction(room: str) -> None:
    assert circle(folders_of(GRAPH, room)) == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circle(GRAPH) == []


@pytest.mark.parametrize("folder", sorted(folders_of(GRAPH, "model")))
def test_folder_of_the_model_does_not_know_its_commands(folder: str) -> None:
    """`model/*.py` is the command line; everything below it can be used without it."""
    imported = {
        each
        for name, others in GRAPH.items()
        if name.startswith(f"model.{folder}")
        for each in others
    }
    top = {name for name in imported if name.count(".") == 1 and (ROOT / "model").is_dir()}
    assert {name for name in top if (ROOT / f"{name.replace('.', '/')}.py").is_file()} == set()


def test_what_serves_imports_nothing_of_the_model_but_serving() -> None:
    served = reached(GRAPH, "handler")
    model = {name for name in served if name.startswith("model")}
    assert "model.serving.scorer" in model
    assert {name for name in model if not name.startswith("model.serving")} == {"model"}
    assert [name for name in served if name.startswith("prometheus")] == []


def test_telemetry_and_service_take_nothing_of_the_model_but_serving() -> None:
    for name, others in GRAPH.items():
        if name.startswith(("service", "telemetry")):
            model = {one for one in others if one.startswith("model.")}
            assert {one for one in model if not one.startswith("model.serving")} == set(), name


def test_service_imports_no_telemetry_sdk() -> None:
    """Only telemetry/ knows OpenTelemetry's SDK; what stands behind the handler is given parts."""
    for path in (ROOT / "service").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [one for one in names if one.startswith("opentelemetry")], module_of(path)


def test_root_holds_the_composition_root_and_what_gunicorn_looks_for() -> None:
    assert sorted(path.name for path in ROOT.glob("*.py")) == ["gunicorn.conf.py", "handler.py"]


def test_folder_that_a_container_mounts_holds_no_python() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8").splitlines()
    mounts = [line.split(":")[0].strip(" -") for line in compose if line.strip().startswith("- ./")]
    assert mounts
    for mount in mounts:
        assert list((ROOT / mount).rglob("*.py")) == [], mount


def test_every_folder_of_code_says_what_may_be_in_it() -> None:
    """A package's docstring is the sign on the door; tests and the rooms of bench/ have none."""
    without = {
        path.parent.relative_to(ROOT).as_posix()
        for path in own_files()
        if path.parent != ROOT
        and not module_of(path).startswith("tests")
        and not (path.parent / "__init__.py").is_file()
    }
    assert without == {"prometheus"}
    for path in own_files():
        if path.name == "__init__.py" and not module_of(path).startswith("tests"):
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path


def test_nothing_that_is_made_is_tracked() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:  # An unpacked archive has no history.
        return
    made = (".pyc", ".onnx", ".joblib", ".so")
    assert [name for name in listed.stdout.splitlines() if name.endswith(made)] == []


TABLES = {
    "telemetry/metrics.py": "every metric with its unit, labels and meaning",
    "grafana/panels/model.py": "the panels of a dashboard",
    "grafana/panels/overview.py": "the panels of a dashboard",
    "grafana/panels/service.py": "the panels of a dashboard",
    "tests/prometheus/rules/alert_cases.py": "series with which alerts fire, and are silent",
}
"""Files that may be longer because they are one table each: what the table holds."""


def list_entries(found: dict[str, int]) -> str:
    return "".join(f"\n  {name} ({lines} lines)" for name, lines in sorted(found.items()))


@pytest.mark.parametrize(
    ("found", "allowed", "limit"),
    [
        pytest.param(find_long_files, set(TABLES), FILE_LINES, id="files"),
        pytest.param(find_long_functions, set(), FUNCTION_LINES, id="functions"),
    ],
)
def test_code_is_in_short_pieces(
    found: Callable[[Iterable[Path]], dict[str, int]], allowed: set[str], limit: int
) -> None:
    """In every room; what is allowed to be longer has to be so."""
    long = found([*own_files(), *(ROOT / ".railway").glob("*.py")])
    new = {name: lines for name, lines in long.items() if name not in allowed}
    assert not new, f"longer than {limit} lines, split them:{list_entries(new)}"
    assert not allowed - set(long), f"short enough, take from the list: {allowed - set(long)}"
