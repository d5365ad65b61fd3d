"""`python -m model` as a person calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from model.cli import main
from model.serving.registry import Registry

ROOT = Path(__file__).parents[2]


def test_train_shows_progress_and_says_what_it_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["train", "--models", str(tmp_path / "m"), "--rows", "5000", "--seed", "3"])

    shown = capsys.readouterr()
    [version] = Registry(tmp_path / "m").versions()
    assert code == 0
    assert "boosting: fitting to 3,200 rows" in shown.err
    assert f"published {version}" in shown.out
    assert "average precision" in shown.out


def test_train_again_says_that_nothing_is_new(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--models", str(tmp_path / "m"), "--rows", "5000", "--seed", "3"]
    main(command)
    main(command)

    assert "nothing new: the same model is already published as 1-" in capsys.readouterr().out


def test_evaluate_prints_one_json_object(
    registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["evaluate", "--models", str(registry.root), "--rows", "20000", "--json"])

    answer = json.loads(capsys.readouterr().out)
    assert code == 0
    assert answer["version"] == registry.champion()
    assert 0.5 < answer["average_precision"] < 0.8
    assert answer["rows"] == 20_000


def test_show_prints_the_card(registry: Registry, capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", "--models", str(registry.root)])
    text = capsys.readouterr().out
    main(["show", "--models", str(registry.root), "--json"])
    card = json.loads(capsys.readouterr().out)

    assert registry.champion() in text and "location_risk" in text
    assert card["version"] == registry.champion()


@pytest.mark.parametrize(
    "arguments",
    [["show"], ["evaluate"], ["show", "--version", "7-00000000"]],
    ids=" ".join,
)
def test_a_missing_model_is_one_sentence_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    code = main([*arguments, "--models", str(tmp_path / "none")])

    shown = capsys.readouterr()
    assert (code, shown.out) == (1, "")
    assert shown.err.startswith("model: ") and shown.err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["learn"], ["train", "--rows", "0"], ["train", "--rows", "many"], ["show", "--what"]],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert "usage: python -m model" in capsys.readouterr().err


def test_the_folder_of_models_comes_from_the_environment(registry: Registry) -> None:
    """MODEL_DIR, as for the handler."""
    done = subprocess.run(
        [sys.executable, "-m", "model", "show"],
        cwd=ROOT,
        env=os.environ | {"MODEL_DIR": str(registry.root)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert registry.champion() in done.stdout
