"""The simulator is started by other files of the project; they say what it understands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from simulator.options import read_options

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / ".github" / "workflows" / "simulate.yml"
STARTERS = ("Procfile.native", ".railway/railway.py", "docs", "README.md", ".github/workflows")
COMMAND = re.compile(r"python -m simulator((?: +(?:\\\n\s*)?(?:--[a-z-]+|[\w./:$\"-]+))*)")


def find_commands() -> Iterator[tuple[str, str]]:
    """File and arguments of each command line that starts the simulator."""
    for starter in STARTERS:
        path = ROOT / starter
        files = sorted(path.glob("**/*.*")) if path.is_dir() else [path]
        for file in (file for file in files if file.is_file() and file.suffix != ".png"):
            for match in COMMAND.finditer(file.read_text(encoding="utf-8")):
                yield f"{file.relative_to(ROOT)}", match[1].replace("\\\n", " ").replace('"', "")


@pytest.mark.parametrize(("file", "arguments"), sorted(set(find_commands())))
def test_command_is_understood(file: str, arguments: str, tmp_path: Path) -> None:
    """No file asks for an option that is gone, or gives one a value it refuses."""
    table = tmp_path / "table.csv"
    table.touch()
    filled = {
        "FILE.csv": str(table),
        "$COUNT": "60",
        "$DURATION": "240",
        "$GITHUB_STEP_SUMMARY": str(tmp_path / "s.md"),
    }
    words = [filled.get(word, word) for word in arguments.split()]

    if words not in (["--help"], ["-h"]):
        assert read_options(words, {}).address.url


def test_scheduled_run_is_bounded_in_count_and_time() -> None:
    """A schedule that does not end costs money, and piles up."""
    job = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]["simulate"]
    step = job["steps"][-1]

    assert job["timeout-minutes"] <= 10
    for word in ("--count", "--duration", "--wait-for-target", "$GITHUB_STEP_SUMMARY"):
        assert word in step["run"]
    # What a person types in goes through the environment: in the script it would be run.
    assert "${{" not in step["run"]


def test_scheduled_run_pins_its_actions() -> None:
    """A tag can be moved, a commit cannot."""
    used = re.findall(r"uses: \S+@(\S+)", WORKFLOW.read_text(encoding="utf-8"))

    assert used and all(re.fullmatch("[0-9a-f]{40}", commit) for commit in used)
