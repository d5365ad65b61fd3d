"""What the log says where a model is served from joblib."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import sklearn.base
from sklearn.linear_model import LogisticRegression

from model.cli import main
from model.registry.writer import RegistryWriter
from model.serving.scorer import load_scorer
from tests.model.elsewhere import FRAME, NUMBERS, write
from tests.model.serving.joblib_models import ALL, own_step, publish_joblib


def test_serving_it_is_said_as_a_warning(
    imported: RegistryWriter, caplog: pytest.LogCaptureFixture
) -> None:
    load_scorer(imported.root, allow_joblib=True)

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert f"version {imported.champion()} is served from joblib" in record.message
    assert f"scikit-learn {sklearn.__version__} scores" in record.message


def test_another_scikit_learn_than_the_card_s_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = LogisticRegression().fit(FRAME[NUMBERS], FRAME.fraud)

    load_scorer(
        publish_joblib(tmp_path, model, libraries={"scikit-learn": "1.2.0"}).root, allow_joblib=True
    )

    assert "was published with scikit-learn 1.2.0" in caplog.text


def test_another_scikit_learn_than_the_fit_s_is_said_at_import_and_at_each_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """scikit-learn's own InconsistentVersionWarning, once for all parts of the model."""
    model = own_step()
    monkeypatch.setattr(sklearn.base, "__version__", "1.2.0")
    command = [*write(tmp_path, model, ALL), "--allow-joblib"]
    monkeypatch.undo()

    assert main(command) == 0
    scorer = load_scorer(tmp_path / "models", allow_joblib=True)

    assert any("fitted with scikit-learn 1.2.0" in note for note in scorer.card.data.notes)
    warnings = [record.message for record in caplog.records if "was fitted with" in record.message]
    assert len(warnings) == 1 and "scikit-learn 1.2.0" in warnings[0]
