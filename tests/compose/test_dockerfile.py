"""What the Dockerfile promises by its text; what it does when run is in test_started.py."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.imports import file_of, import_graph, reached
from tests.lab.paths import ROOT

Stages = dict[str, list[str]]


@pytest.fixture(scope="module")
def stages(root: Path) -> Stages:
    """Each stage's instructions, one a line."""
    text = re.sub(r"\\\n\s*", " ", (root / "Dockerfile").read_text())
    found: Stages = {}
    name = ""
    for line in text.splitlines():
        started = re.match(r"FROM (\S+) AS (\S+)", line)
        if started:
            name = started[2]
            found[name] = []
        if name and line and not line.startswith("#"):
            found[name].append(line)
    return found


def test_base_images_are_pinned(root: Path) -> None:
    images = re.findall(r"^ARG \w+_IMAGE=(\S+)$", (root / "Dockerfile").read_text(), re.MULTILINE)
    assert len(images) == 2
    assert all(re.search(r":\d+\.\d+\.\d+-", image) for image in images)


@pytest.mark.parametrize("stage", ["handler", "simulator", "collector"])
def test_image_does_not_run_as_root(stages: Stages, stage: str) -> None:
    [user] = [line.split()[1] for line in stages[stage] if line.startswith("USER")]
    assert user in {"app", "10001:10001"}


def test_handler_checks_its_health_without_curl(stages: Stages) -> None:
    [check] = [line for line in stages["handler"] if line.startswith("HEALTHCHECK")]
    assert '"python"' in check and "/health/ready" in check and "curl" not in check


def test_what_serves_has_nothing_of_the_training(stages: Stages) -> None:
    copied = [line for line in stages["handler"] if line.startswith("COPY --from")]
    assert copied == [
        "COPY --from=serving-packages /opt/venv /opt/venv",
        "COPY --from=model /app/models models/",
    ]
    assert any("requirements.txt" in line for line in stages["serving-packages"])


def copied_sources(stage: list[str]) -> list[str]:
    """What a stage copies from the repository."""
    copies = [line.split()[1:-1] for line in stage if line.startswith("COPY ")]
    return [source.strip("/") for copy in copies if "--from" not in copy[0] for source in copy]


def is_within(path: str, allowed: str) -> bool:
    return fnmatch(path, allowed) or path.startswith(f"{allowed}/")


def test_every_module_that_the_handler_imports_is_copied(stages: Stages) -> None:
    copied = copied_sources(stages["handler"])
    modules = reached(import_graph(), "handler")
    files = [file_of(module).relative_to(ROOT).as_posix() for module in sorted(modules)]
    assert len(files) > 20
    assert [f for f in files if not any(is_within(f, source) for source in copied)] == []


def test_handler_has_nothing_of_the_model_but_serving(stages: Stages) -> None:
    copied = copied_sources(stages["handler"])
    assert [source for source in copied if source.startswith("model")] == [
        "model/__init__.py",
        "model/serving",
    ]


@pytest.mark.parametrize("stage", ["serving-packages", "simulator-packages", "model"])
def test_packages_are_installed_by_their_hashes(stages: Stages, stage: str) -> None:
    [install] = [line for line in stages[stage] if " install " in line]
    assert "--require-hashes --only-binary :all:" in install


def test_last_stage_is_the_handler_unless_told_otherwise(root: Path, stages: Stages) -> None:
    text = (root / "Dockerfile").read_text()
    assert list(stages)[-1] == "service"
    assert stages["service"] == ["FROM ${SERVICE} AS service"]
    assert "\nARG SERVICE=handler\n" in text


@pytest.mark.parametrize("ignore_file", [".dockerignore", ".railwayignore"])
def test_everything_copied_is_let_through(root: Path, ignore_file: str) -> None:
    """Both files keep everything out and let named paths in again."""
    lines = (root / ignore_file).read_text().splitlines()
    allowed = [line[1:].strip("/") for line in lines if line.startswith("!")]
    text = (root / "Dockerfile").read_text()
    copies = re.findall(r"^COPY (?!--)(.+) \S+$", text, re.MULTILINE)
    sources = [source.strip("/") for copy in copies for source in copy.split()]
    assert "model" in sources and "handler.py" in sources
    assert [s for s in sources if not any(is_within(s, a) for a in allowed)] == []


def test_nothing_of_a_build_machine_is_in_it(root: Path) -> None:
    text = (root / "Dockerfile").read_text()
    assert not re.search(r"index-url|proxy|https?://(?!127\.0\.0\.1)", text, re.IGNORECASE)
