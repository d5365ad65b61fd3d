""".github/workflows: actions pinned by commit, words and versions that the tree has."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.build import DISTRIBUTIONS
from tests.lab.paths import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(params=WORKFLOWS, ids=lambda file: file.name)
def text(request: pytest.FixtureRequest) -> str:
    file: Path = request.param
    return file.read_text()


def test_the_workflows_are_there() -> None:
    names = [file.name for file in WORKFLOWS]
    assert names == ["audit.yml", "ci.yml", "deploy.yml", "image.yml", "simulate.yml"]


def test_actions_are_pinned_by_commit(text: str) -> None:
    """A tag can be moved; the comment tells people which one it was."""
    foreign = [use for use in re.findall(r"uses: (.+)", text) if not use.startswith("./")]
    pinned = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [use for use in foreign if not pinned.fullmatch(use)] == []


def test_one_action_has_one_version_everywhere() -> None:
    uses = {use for file in WORKFLOWS for use in re.findall(r"uses: (\S+@.+)", file.read_text())}
    names = [use.split("@")[0] for use in uses]
    assert sorted(names) == sorted(set(names))


def test_jobs_are_bounded_and_may_do_little(text: str) -> None:
    workflow: dict[str, Any] = yaml.safe_load(text)
    assert workflow["permissions"] == {"contents": "read"}
    jobs = [job for job in workflow["jobs"].values() if "uses" not in job]
    assert all(job["timeout-minutes"] <= 60 for job in jobs)


def test_words_of_make_exist(text: str) -> None:
    words = set(re.findall(r"run: make (\S+)", text))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert words <= targets


def test_files_and_modules_that_are_named_exist(text: str) -> None:
    files = re.findall(r"(?<![\w/.])[\w.*-]+(?:/[\w.*-]+)*\.(?:txt|sum|sh|json)\b", text)
    assert [file for file in files if not list(ROOT.glob(file))] == []
    modules = [module.split(".") for module in re.findall(r"python -m ([\w.]+)", text)]
    found = [ROOT.joinpath(*module) for module in modules]
    assert [
        path for path in found if not path.is_dir() and not path.with_suffix(".py").exists()
    ] == []


def test_go_is_that_of_the_image() -> None:
    [image] = re.findall(r"GO_IMAGE=golang:([\d.]+)-", (ROOT / "Dockerfile").read_text())
    texts = [file.read_text() for file in WORKFLOWS]
    versions = {found for text in texts for found in re.findall(r'go-version: "(.+)"', text)}
    assert versions == {image}


def read_jobs(name: str) -> dict[str, Any]:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    jobs: dict[str, Any] = workflow["jobs"]
    return jobs


def test_every_image_is_built_and_published() -> None:
    stages = re.findall(r"^FROM .+ AS (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    for job in ("build", "publish"):
        targets = read_jobs("image.yml")[job]["strategy"]["matrix"]["target"]
        assert targets == ["handler", "simulator", "collector"]
        assert set(targets) <= set(stages)


def test_only_what_publishes_may_write_and_only_after_the_tests() -> None:
    """No job that runs for a pull request has more than a look at the repository."""
    jobs = {name: read_jobs(name) for name in (file.name for file in WORKFLOWS)}
    writing = {
        (name, one)
        for name, all_ in jobs.items()
        for one in all_
        if "write" in str(all_[one].get("permissions"))
    }
    assert writing == {("image.yml", "publish")}
    image = jobs["image.yml"]
    assert image["publish"]["needs"] == "test"
    assert image["test"] == {
        "if": "startsWith(github.ref, 'refs/tags/v')", "uses": "./.github/workflows/ci.yml",
    }  # fmt: skip


def test_published_image_is_made_of_its_sources_alone_and_says_so() -> None:
    [push] = [
        step["with"]
        for step in read_jobs("image.yml")["publish"]["steps"]
        if "build-push" in step.get("uses", "")
    ]
    assert push["no-cache"] and not {"cache-from", "cache-to"} & set(push)
    assert push["sbom"] and push["provenance"] == "mode=max"


def test_every_lock_and_every_go_module_is_audited() -> None:
    jobs = read_jobs("audit.yml")
    locks = {path.relative_to(ROOT).as_posix() for path in (ROOT / "requirements").glob("*.txt")}
    assert set(jobs["python"]["strategy"]["matrix"]["lock"]) == locks | {"requirements.txt"}
    folders = {folder.as_posix() for folder in DISTRIBUTIONS}
    assert set(jobs["go"]["strategy"]["matrix"]["folder"]) == folders
