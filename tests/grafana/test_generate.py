"""Generated files follow from grafana/panels/, and a new dashboard is one file there."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grafana import __main__ as cli
from grafana import generate, panels
from grafana.errors import GrafanaError
from grafana.render.board import panels_of
from tests.grafana.conftest import Cloud

SPARE = """
from grafana.dashboard import Dashboard, Panel, Query, Section
from grafana.promql import latest, total

WAITING = Panel(
    id=1,
    title="Waiting",
    why="A panel of the tests.",
    unit="short",
    queries=(Query("waiting", total(latest("queue_size"))),),
    empty="Nobody is there.",
)
DASHBOARD = Dashboard(
    uid="fraud-spare",
    title="Fraud detection: spare",
    question="Does one file do?",
    sections=(Section("Queue", (WAITING,)),),
    variables=("version", "instance"),
    time="1h",
    refresh="1m",
)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder whose modules belong to grafana/panels/ while the test runs."""
    added = tmp_path / "panels"
    added.mkdir()
    monkeypatch.setattr(panels, "__path__", [*panels.__path__, str(added)])
    yield added
    for path in added.glob("*.py"):
        sys.modules.pop(f"{panels.__name__}.{path.stem}", None)
        if hasattr(panels, path.stem):
            delattr(panels, path.stem)


def test_generated_files_are_current() -> None:
    """`python -m grafana generate` would change nothing in the tree."""
    assert generate.find_outdated() == [], "run `make generate`"


def test_file_changed_by_hand_is_outdated(tmp_path: Path) -> None:
    """What somebody edited in the JSON is found, and written over by the next generation."""
    generate.write(tmp_path)
    overview = generate.locate_dashboard("overview")
    edited = tmp_path / overview
    edited.write_text(edited.read_text(encoding="utf-8").replace("Queue Size", "Queue"))

    assert generate.find_outdated(tmp_path) == [overview]
    assert generate.write(tmp_path) == [overview]
    assert generate.find_outdated(tmp_path) == []


def test_file_without_a_source_is_removed(tmp_path: Path) -> None:
    """A dashboard that is declared no longer would stay in Grafana for ever."""
    generate.write(tmp_path)
    left = generate.PROVISIONED / "left.json"
    (tmp_path / left).write_text("{}")

    assert generate.write(tmp_path) == [left]
    assert not (tmp_path / left).exists()


def test_check_names_what_is_outdated_and_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m grafana check` fails with the file's name and the command that mends it."""
    changed = {**generate.render_files(), generate.locate_dashboard("overview"): "else"}
    monkeypatch.setattr(generate, "render_files", lambda: changed)

    assert cli.main(["check"]) == 1
    assert capsys.readouterr().out == (
        "grafana/dashboards/overview.json is not current: run `python -m grafana generate`\n"
    )


def test_check_is_silent_in_a_current_tree(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check"]) == 0
    assert capsys.readouterr().out == ""


def test_new_dashboard_is_one_file(
    folder: Path, tmp_path: Path, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Declared in one file, it is generated into the provisioned folder and uploaded."""
    (folder / "spare.py").write_text(SPARE)
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)

    assert generate.find_outdated() == [generate.locate_dashboard("spare")]
    generate.write(tmp_path)
    content = json.loads(
        (tmp_path / generate.locate_dashboard("spare")).read_text(encoding="utf-8")
    )
    assert (content["uid"], panels_of(content)[0]["title"]) == ("fraud-spare", "Waiting")
    assert cli.main(["upload", "--only", "dashboards"]) == 0
    assert {"fraud-overview", "fraud-spare"} < set(cloud.dashboards)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("", r"panels/spare\.py must declare DASHBOARD"),
        (SPARE.replace("fraud-spare", "fraud-overview"), "has the uid 'fraud-overview'"),
    ],
    ids=["nothing declared", "uid of another"],
)
def test_file_that_declares_no_dashboard_of_its_own_is_named(
    folder: Path, source: str, sentence: str
) -> None:
    (folder / "spare.py").write_text(source)

    with pytest.raises(GrafanaError, match=sentence):
        panels.dashboards()
