"""CONTRIBUTING.md's recipes: short, about files that exist, and a forgotten step is named.

Where no other test says which file was left out of a step, one here does.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

import pytest

from telemetry import docs, metrics
from telemetry.metrics import ENDPOINTS, METRICS, Kind, Metric
from telemetry.recorder import Recorder
from tests.docs.pages import ROOT, section

RECIPES = {
    name: re.findall(r"^\d+\. `([^`]+)`", steps, re.MULTILINE)
    for name, steps in re.findall(
        r"^### ([^\n]+)\n(.*?)(?=^### |\Z)",
        section(ROOT / "CONTRIBUTING.md", "Recipes"),
        re.MULTILINE | re.DOTALL,
    )
}
MOST_FILES = 5
a_recipe = pytest.mark.parametrize("recipe", RECIPES)
CONSTANTS = {id(value): name for name, value in vars(metrics).items() if isinstance(value, Metric)}


def texts(places: Iterable[str], *without: str) -> str:
    """The text of the Python files in these places, some left out."""
    files = [one for place in places for one in sorted((ROOT / place).rglob("*.py"))]
    skipped = {ROOT / path for path in without}
    return "\n".join(one.read_text(encoding="utf-8") for one in files if one not in skipped)


def test_there_is_a_recipe_for_each_usual_change() -> None:
    what = ("metric", "alert", "panel", "dashboard", "setting", "endpoint", "model candidate")
    assert list(RECIPES) == [f"Add {'an' if one[0] in 'ae' else 'a'} {one}" for one in what]


@a_recipe
def test_recipe_is_short(recipe: str) -> None:
    assert 1 <= len(RECIPES[recipe]) <= MOST_FILES


@a_recipe
def test_recipe_names_files_that_exist(recipe: str) -> None:
    """NAME stands for any name: there is a file to look at."""
    missing = [path for path in RECIPES[recipe] if not list(ROOT.glob(path.replace("NAME", "*")))]
    assert missing == []


# A metric.


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.exposed)
def test_metric_gets_its_values(metric: Metric) -> None:
    gauge = metric.kind is Kind.GAUGE
    place = "telemetry/export/gauges.py" if gauge else "telemetry/recorder.py"
    used = texts(["telemetry"], "telemetry/metrics.py", "telemetry/docs.py")
    name = CONSTANTS[id(metric)]
    found = re.search(rf"\b{name}\b", used) is not None
    assert found, f"{place} gives {metric.exposed} no value"


def test_every_metric_is_in_the_list() -> None:
    unlisted = [name for each, name in CONSTANTS.items() if each not in map(id, METRICS)]
    assert unlisted == [], "METRICS in telemetry/metrics.py lacks these"


@pytest.mark.parametrize(
    "method",
    [name for name, _ in inspect.getmembers(Recorder, inspect.isfunction) if name[0] != "_"],
)
def test_recorder_is_called(method: str) -> None:
    used = texts(["service", "telemetry"], "telemetry/recorder.py")
    called = f".{method}(" in used
    assert called, f"nothing in service/ calls Recorder.{method}: what it counts stays at 0"


def test_page_of_the_metrics_is_current() -> None:
    page = docs.PAGE.read_text(encoding="utf-8")
    current = page == docs.current(page)
    assert current, "docs/telemetry.md is not current: run `make generate`"


# An endpoint.


@pytest.mark.parametrize("path", ENDPOINTS)
def test_route_is_tried(path: str) -> None:
    tried = re.search(rf'"{path}["?]', texts(["tests/service"])) is not None
    assert tried, f"tests/service/test_other_endpoints.py does not ask {path}"
