"""The commands of `python -m model` with a version that is served from joblib."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.cli import main
from model.registry.model_card import MODEL_CARD_FILE
from model.registry.writer import RegistryWriter
from tests.model.elsewhere import FRAME, NUMBERS, forest, write


def run(registry: RegistryWriter, *arguments: str) -> int:
    command, *rest = arguments
    return main([command, *rest, "--models", str(registry.root)])


def test_show_list_and_the_card_for_people_say_the_format(
    imported: RegistryWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    run(imported, "show")
    assert "served from  joblib" in capsys.readouterr().out

    run(imported, "list")
    assert "LogisticRegression (joblib)" in capsys.readouterr().out

    text = (imported.folder(imported.champion()) / MODEL_CARD_FILE).read_text(encoding="utf-8")
    assert "served by scikit-learn from `model.joblib`, only where `ALLOW_JOBLIB=true`" in text
    assert "runs whatever their maker put into them" in text
    assert "not be converted" in text or "cannot be converted to ONNX" in text


def test_evaluate_loads_it_only_when_asked_to(
    tmp_path: Path, imported: RegistryWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("evaluate", "--data", str(tmp_path / "sample.csv"), "--target", "fraud", "--json")
    assert run(imported, *asked) == 1
    assert "kept as joblib" in capsys.readouterr().err

    assert run(imported, *asked, "--allow-joblib") == 0

    figures = json.loads(capsys.readouterr().out)
    stored = imported.card(imported.champion()).metrics
    assert figures["roc_auc"] == pytest.approx(stored.roc_auc, abs=1e-12)


@pytest.fixture
def both_formats(tmp_path: Path, imported: RegistryWriter) -> tuple[RegistryWriter, str, str]:
    """A registry with an ONNX version both_formats the one from joblib: it, that, this."""
    kept = imported.champion()
    converted = forest().fit(FRAME[NUMBERS], FRAME.fraud)
    assert main(write(tmp_path, converted, NUMBERS)) == 0
    return imported, imported.champion(), kept


def test_compare_says_that_the_formats_differ(
    both_formats: tuple[RegistryWriter, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    registry, onnx, kept = both_formats

    assert run(registry, "compare", onnx, kept) == 0
    assert "served from: onnx -> joblib" in capsys.readouterr().out


def test_it_is_promoted_when_asked_to_and_rolled_back_to(
    both_formats: tuple[RegistryWriter, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    registry, onnx, kept = both_formats

    assert run(registry, "promote", kept) == 1
    assert registry.champion() == onnx
    assert run(registry, "promote", kept, "--allow-joblib") == 0
    assert registry.champion() == kept
    assert "after its next start with ALLOW_JOBLIB=true" in capsys.readouterr().out

    run(registry, "promote", onnx)
    assert run(registry, "rollback") == 0
    assert registry.champion() == kept
    assert "after its next start with ALLOW_JOBLIB=true" in capsys.readouterr().out


def test_prune_removes_it_whole(
    both_formats: tuple[RegistryWriter, str, str], tmp_path: Path
) -> None:
    registry, onnx, kept = both_formats
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(FRAME[NUMBERS], FRAME.fraud)
    main(write(tmp_path, model, NUMBERS))

    assert run(registry, "prune", "--keep", "2") == 0

    assert kept not in registry.versions() and onnx in registry.versions()
    assert not (registry.root / kept).exists()


def test_the_setting_is_the_commands_default(
    tmp_path: Path, imported: RegistryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALLOW_JOBLIB", "true")

    assert run(imported, "promote", imported.champion()) == 0
