"""Programs are built from their pinned modules once, with progress, and safely interrupted."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from stack import build
from stack.errors import StackError
from stack.progress import ProgressDisplay, Task
from stack.subprocesses import CommandFailed, SubprocessRunner

needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="the go command is not here")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four folders: the first takes in a module beside it, the last one is optional."""
    parts = tmp_path / "otel-collector" / "parts"
    parts.mkdir(parents=True)
    (parts / "go.mod").write_text("module parts\n\ngo 1.21\n")
    (parts / "parts.go").write_text('package parts\n\nconst Word = "one"\n')
    folders = {
        "otel-collector": "otelcol",
        "prometheus": "prometheus",
        "prometheus/alertmanager": "alertmanager",
        "deploy/cortex": "cortex",
    }
    for folder, name in folders.items():
        make_distribution(tmp_path / folder / "distribution", name)
    return tmp_path


def make_distribution(folder: Path, name: str) -> None:
    folder.mkdir(parents=True)
    program = {"name": name, "package": ".", "tags": ["x"], "env": {"CGO_ENABLED": "0"}}
    described = {"programs": [program], "optional": name == "cortex"}
    (folder / "build.json").write_text(json.dumps(described))
    needs_parts = name == "otelcol"
    require = "require parts v0.0.0\n\nreplace parts => ../parts\n" if needs_parts else ""
    (folder / "go.mod").write_text(f"module {name}\n\ngo 1.21\n\n{require}")
    imports = 'import "parts"\n\n' if needs_parts else ""
    word = "parts.Word" if needs_parts else '"own"'
    (folder / "main.go").write_text(f"package main\n\n{imports}func main() {{ println({word}) }}\n")


def ensure(root: Path) -> str:
    out = io.StringIO()
    with ProgressDisplay(out) as display:
        build.ensure(
            root, ["otelcol", "prometheus"], root / ".tools/bin", display, SubprocessRunner()
        )
    return out.getvalue()


def run(root: Path, name: str) -> str:
    return subprocess.run([root / ".tools/bin" / name], capture_output=True, text=True).stderr


@needs_go
def test_ensure_builds_every_program_once(root: Path) -> None:
    said = ensure(root)
    assert said.count("ready") == 2 and "(1 of 2)" in said and "(2 of 2)" in said
    assert run(root, "otelcol") == "one\n" and run(root, "prometheus") == "own\n"
    assert ensure(root) == ""


@needs_go
def test_ensure_builds_again_when_a_taken_in_module_changed(root: Path) -> None:
    ensure(root)
    (root / "otel-collector/parts/parts.go").write_text('package parts\n\nconst Word = "two"\n')
    assert "otelcol" in ensure(root)
    assert run(root, "otelcol") == "two\n"


@needs_go
def test_a_build_that_fails_is_reported_and_leaves_the_last_program(root: Path) -> None:
    ensure(root)
    (root / "prometheus/distribution/main.go").write_text("package main\n\nfunc main() { oops }\n")
    with pytest.raises(CommandFailed, match="building prometheus failed") as error:
        ensure(root)
    assert "undefined: oops" in str(error.value)
    assert run(root, "prometheus") == "own\n"
    assert "prometheus" not in [path.name for path in (root / ".tools/bin").glob(".*.unfinished")]


def test_without_go_a_build_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(StackError, match="`go` command is not on the PATH"):
        ensure(root)


def test_a_stamp_is_the_same_for_a_copy_elsewhere(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copy = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(root, copy)
    ours, theirs = build.read_programs(root)["otelcol"], build.read_programs(copy)["otelcol"]
    assert build.source_digest(ours) == build.source_digest(theirs)


def test_a_description_that_is_damaged_is_named(root: Path) -> None:
    (root / "prometheus/distribution/build.json").write_text("{}")
    with pytest.raises(StackError, match=r"build\.json does not describe"):
        build.read_programs(root)


def test_an_optional_program_is_built_only_by_its_name(root: Path) -> None:
    assert build.choose_programs(root, []) == ["otelcol", "prometheus", "alertmanager"]
    assert build.choose_programs(root, ["cortex"]) == ["cortex"]


def test_a_name_that_is_no_program_is_named(root: Path) -> None:
    with pytest.raises(StackError, match="'cortx' is no program: there are otelcol, prometheus, "):
        build.choose_programs(root, ["cortx"])


def test_meter_shows_modules_then_packages() -> None:
    task = Task("building", 0.0)
    meter = build.BuildProgress(task)
    meter.read_list("go: downloading github.com/one/two v1.2.3")
    assert task.text == "1 modules fetched, github.com/one/two"
    for name in ("a", "b", "c"):
        meter.read_list(f"package example/{name}")
    meter.read_build("example/a")
    meter.read_build("# example/b warning: not a package")
    meter.read_build("example/b")
    assert task.text == "2/3 packages compiled"


def test_oldest_go_is_the_newest_that_a_folder_asks_for(root: Path) -> None:
    (root / "prometheus/distribution/go.mod").write_text("module prometheus\n\ngo 1.26.7\n")
    assert build.minimum_go_version(root) == "1.26"
