"""A joblib file is loaded only when that is allowed and it is the published one."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression

from model.registry.writer import RegistryWriter
from model.serving.card import MODEL_FILE
from model.serving.errors import ModelError, NotAllowed
from model.serving.scorer import load_scorer
from tests.model.elsewhere import FRAME, NUMBERS, Derived
from tests.model.serving.joblib_models import ROOT, publish_joblib


class Bomb:
    """What a hostile file does: the call happens when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def test_nothing_is_loaded_before_it_is_allowed_and_its_hash_is_right(tmp_path: Path) -> None:
    """The same file does its deed as soon as both hold, so the test can fail."""
    trace = tmp_path / "trace"
    registry = publish_joblib(tmp_path, Bomb(trace))
    path = registry.folder(registry.champion()) / MODEL_FILE
    with pytest.raises(NotAllowed):
        load_scorer(registry.root)
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(ModelError, match="is damaged"):
        load_scorer(registry.root, allow_joblib=True)
    assert not trace.exists()

    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match="no model; it is foreign"):
        load_scorer(registry.root, allow_joblib=True)
    assert trace.exists()


class Lost:
    """Something of a module that is not installed here."""

    def __reduce__(self) -> tuple[Any, ...]:
        return importlib.import_module, ("lost_and_gone",)


FOREIGN: dict[str, tuple[Callable[[], Any], str]] = {
    "no model": (lambda: [1, 2], "holds a list, no model; it is foreign"),
    "another width": (
        lambda: LogisticRegression().fit(FRAME[["amount"]], FRAME.fraud),
        "takes 1 columns, its card describes 2 features",
    ),
    "a module that is not here": (Lost, "No module named 'lost_and_gone'"),
}


@pytest.mark.parametrize(("make", "sentence"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_foreign_file_is_refused_in_one_sentence(
    tmp_path: Path, make: Callable[[], Any], sentence: str
) -> None:
    registry = publish_joblib(tmp_path, make())

    with pytest.raises(ModelError, match=sentence) as caught:
        load_scorer(registry.root, allow_joblib=True)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (Path.unlink, "is missing"),
        (lambda path: path.write_bytes(b""), "is damaged"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "is damaged"),
    ],
    ids=["missing", "empty", "cut off"],
)
def test_a_damaged_file_is_refused(
    imported: RegistryWriter, damage: Callable[[Path], object], sentence: str
) -> None:
    damage(imported.folder(imported.champion()) / MODEL_FILE)

    with pytest.raises(ModelError, match=sentence):
        load_scorer(imported.root, allow_joblib=True)


def test_a_model_that_cannot_be_asked_any_more_stops_the_start(
    imported: RegistryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that another scikit-learn loads and fails to ask."""
    monkeypatch.delattr(Derived, "transform")

    with pytest.raises(ModelError, match="cannot score a row that it was published with"):
        load_scorer(imported.root, allow_joblib=True)


@pytest.mark.parametrize("missing", ["sklearn", "joblib", "threadpoolctl", "pandas"])
def test_without_scikit_learn_the_sentence_says_how_to_get_it(tmp_path: Path, missing: str) -> None:
    model = LogisticRegression().fit(FRAME[NUMBERS], FRAME.fraud)
    registry = publish_joblib(tmp_path, model, rows_as="table")
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from pathlib import Path; from model.serving.errors import ModelError\n"
        "from model.serving.scorer import load_scorer\n"
        f"try: load_scorer(Path({str(registry.root)!r}), allow_joblib=True)\n"
        "except ModelError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "needs scikit-learn, which is not here" in done.stdout
    assert "install requirements/train.txt beside requirements.txt" in done.stdout
