"""CONTRIBUTING.md's recipes: short, and about files that exist.

A step that was left out is named by the tests of its room: what is declared, counted, drawn or
served there must be everywhere where a recipe says so.
"""

from __future__ import annotations

import re

import pytest

from telemetry.metrics import ENDPOINTS
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


@pytest.mark.parametrize("path", ENDPOINTS)
def test_endpoint_is_tried(path: str) -> None:
    files = sorted((ROOT / "tests" / "service").glob("*.py"))
    tried = any(re.search(rf'"{path}["?]', file.read_text(encoding="utf-8")) for file in files)
    assert tried, f"no test in tests/service/ asks {path}: add one to test_other_endpoints.py"
