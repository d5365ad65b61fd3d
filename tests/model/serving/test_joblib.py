"""What cannot be converted: refused with its reason, or served from joblib where allowed."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from model.cli import main
from model.registry.writer import RegistryWriter
from model.serving.card import MODEL_FILE, ONNX_FILE, SCALER_FILE, Card, hash_file
from model.serving.errors import NotAllowed
from model.serving.scorer import load_explainer, load_scorer
from tests.model.conftest import make_card
from tests.model.elsewhere import FRAME, NUMBERS, forest, served, write
from tests.model.serving.joblib_models import ALL, own_step


def sets_of_categories() -> Any:
    model = HistGradientBoostingClassifier(max_iter=20, categorical_features="from_dtype")
    return model.fit(FRAME[ALL].astype({"channel": "category"}), FRAME.fraud)


def steps_of_isotonic() -> Any:
    model = CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=3)
    return model.fit(FRAME[NUMBERS], FRAME.fraud)


# how it is made, its columns, the reason against it
UNCONVERTIBLE: dict[str, tuple[Callable[[], Any], list[str], str]] = {
    "step of one's own": (own_step, ALL, "Unable to find a shape calculator for type"),
    "categories and missing values": (sets_of_categories, ALL, "splits on sets of categories"),
    "isotonic": (steps_of_isotonic, NUMBERS, "differ from scikit-learn's by up to"),
}
UNCONVERTIBLE_CASES = pytest.mark.parametrize(
    ("make", "columns", "reason"), UNCONVERTIBLE.values(), ids=UNCONVERTIBLE.keys()
)


@UNCONVERTIBLE_CASES
def test_without_the_option_it_is_refused_with_its_reason_and_the_option(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[], Any],
    columns: list[str],
    reason: str,
) -> None:
    assert main(write(tmp_path, make(), columns)) == 1

    refusal = capsys.readouterr().err.splitlines()[-1]
    assert "cannot be converted to ONNX" in refusal and reason in refusal
    assert "--allow-joblib publishes it all the same" in refusal
    assert "runs whatever is in its file" in refusal
    assert RegistryWriter(tmp_path / "models").versions() == []


@UNCONVERTIBLE_CASES
def test_with_the_option_it_is_served_with_the_estimator_s_own_scores(
    tmp_path: Path, make: Callable[[], Any], columns: list[str], reason: str
) -> None:
    """Exactly, row by row as requests bring them."""
    model = make()
    assert main([*write(tmp_path, model, columns), "--allow-joblib"]) == 0

    scorer = load_scorer(tmp_path / "models", allow_joblib=True)

    assert served(scorer, columns).tolist() == model.predict_proba(FRAME[columns])[:, 1].tolist()
    assert scorer.card.format == "joblib"
    assert any(reason in note for note in scorer.card.data.notes)


def test_its_folder_holds_the_file_that_was_brought_and_no_onnx(
    tmp_path: Path, imported: RegistryWriter
) -> None:
    folder = imported.folder(imported.champion())
    card = imported.card(imported.champion())

    assert not (folder / ONNX_FILE).exists() and ONNX_FILE not in card.files
    assert (folder / MODEL_FILE).read_bytes() == (tmp_path / "my.joblib").read_bytes()
    assert card.files[MODEL_FILE] == hash_file(tmp_path / "my.joblib")


def test_what_can_be_converted_is_converted_although_joblib_is_allowed(tmp_path: Path) -> None:
    model = forest().fit(FRAME[NUMBERS], FRAME.fraud)

    main([*write(tmp_path, model, NUMBERS), "--allow-joblib"])

    assert load_scorer(tmp_path / "models").card.format == "onnx"


def test_not_allowed_is_one_sentence_with_version_danger_and_setting(
    imported: RegistryWriter,
) -> None:
    with pytest.raises(NotAllowed) as caught:
        load_scorer(imported.root)

    assert str(caught.value) == (
        f"version {imported.champion()} is kept as joblib, and loading it runs whatever is in its"
        " file; if you trust where it comes from, allow it: ALLOW_JOBLIB=true"
    )


def test_it_is_explained_in_one_call_like_any_other(imported: RegistryWriter) -> None:
    scorer = load_scorer(imported.root, allow_joblib=True)
    explainer = load_explainer(imported.root, scorer)
    assert explainer is not None

    row = [40.0, 2.0, 1.0, math.nan]
    explanation = explainer.explain(row)

    total = explanation.base_value + sum(explanation.contributions)
    assert total == pytest.approx(scorer.score([row])[0], abs=1e-12)
    assert explanation.contributions[3] == pytest.approx(0, abs=1e-12)  # income: never looked at


def test_no_rows_have_no_scores(imported: RegistryWriter) -> None:
    assert load_scorer(imported.root, allow_joblib=True).score([]) == []


def test_a_scaler_of_its_own_is_applied_first(tmp_path: Path) -> None:
    scaler = StandardScaler().fit(FRAME[NUMBERS].to_numpy())
    scaled = scaler.transform(FRAME[NUMBERS].to_numpy())
    model = CalibratedClassifierCV(LogisticRegression(), method="isotonic", cv=3)
    model.fit(scaled, FRAME.fraud)
    joblib.dump(scaler, tmp_path / "scaler.joblib")
    command = [*write(tmp_path, model, NUMBERS), "--scaler", str(tmp_path / "scaler.joblib")]

    assert main([*command, "--allow-joblib"]) == 0

    scorer = load_scorer(tmp_path / "models", allow_joblib=True)
    assert SCALER_FILE in scorer.card.files
    expected = model.predict_proba(scaler.transform(np.ascontiguousarray(FRAME[NUMBERS])))[:, 1]
    assert served(scorer, NUMBERS).tolist() == expected.tolist()


def test_a_card_from_before_formats_is_onnx() -> None:
    content = msgspec.json.decode(msgspec.json.encode(make_card()))
    del content["format"], content["rows_as"]

    assert msgspec.json.decode(msgspec.json.encode(content), type=Card).format == "onnx"
