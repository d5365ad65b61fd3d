"""list, compare, promote, rollback and prune as a person calls them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from model.cli import main
from model.serving.card import CARD_FILE, ONNX_FILE
from model.serving.registry import Registry


@pytest.fixture(scope="session")
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("two") / "models"
    for seed in ("1", "2"):
        command = ["train", "--models", str(root), "--rows", "4000", "--seed", seed]
        assert main([*command, "--candidates", "logistic"]) == 0
    return root


@pytest.fixture
def two(two_versions: Path, tmp_path: Path) -> Registry:
    """Two versions, the second the champion, in a folder of the test's own."""
    shutil.copytree(two_versions, tmp_path / "models")
    return Registry(tmp_path / "models")


def run(registry: Registry, *arguments: str) -> int:
    command, *rest = arguments
    return main([command, *rest, "--models", str(registry.root)])


def test_list_stars_the_champion(two: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(two, "list") == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line[0] for line in lines[1:]] == ["*", " "]
    assert two.champion() in lines[1]


def test_list_names_a_damaged_version_and_goes_on(
    two: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    (two.folder(two.versions()[0]) / CARD_FILE).write_text("{}")

    assert run(two, "list") == 0

    assert "unusable: " in capsys.readouterr().out


def test_compare_shows_both_figures_and_what_differs(
    two: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = two.versions()
    run(two, "compare", first, second)

    shown = capsys.readouterr().out
    a, b = (two.card(name).metrics.roc_auc for name in (first, second))
    assert f"{a:.4f}" in shown and f"{b:.4f}" in shown and f"{b - a:+.4f}" in shown
    assert "seed: 1 -> 2" in shown
    assert "different rows" in shown


def test_compare_with_itself_finds_no_difference(
    two: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    run(two, "compare", two.champion(), two.champion())

    assert "same model type, data, threshold and features" in capsys.readouterr().out


def test_promote_and_rollback(two: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = two.versions()

    assert run(two, "promote", first) == 0
    assert two.champion() == first
    assert run(two, "rollback") == 0
    assert two.champion() == second
    assert f"{second} is champion again" in capsys.readouterr().out


def test_a_damaged_version_is_not_promoted(
    two: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = two.versions()
    (two.folder(first) / ONNX_FILE).write_bytes(b"")

    assert run(two, "promote", first) == 1
    assert two.champion() == second
    assert "is damaged" in capsys.readouterr().err


def test_prune_keeps_the_last_two_champions(
    two: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(two, "prune", "--keep", "1") == 0

    assert len(two.versions()) == 2
    assert "removed nothing" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [("list",), ("rollback",), ("promote", "1-00000000"), ("compare", "1-00000000", "2-0")],
    ids=" ".join,
)
def test_an_empty_registry_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(Registry(tmp_path / "none"), *arguments) == 1

    assert capsys.readouterr().err.count("\n") == 1
