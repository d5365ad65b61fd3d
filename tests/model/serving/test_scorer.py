"""The served ONNX file: loaded only if whole, and equal to what scikit-learn computes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import joblib
import msgspec
import numpy as np
import pytest

from model.data.dataset import make_synthetic_dataset
from model.registry.card_file import encode_card, number_card
from model.registry.publication import Publication
from model.serving.card import (
    CARD_FILE,
    MODEL_FILE,
    ONNX_FILE,
    Card,
    hash_file,
)
from model.serving.errors import ModelError
from model.serving.registry import CHAMPION_FILE, PUBLISHED_FILE, Registry
from model.serving.scorer import load_scorer

ROOT = Path(__file__).parents[3]


def test_scores_equal_those_of_the_joblib_file(trained: tuple[Registry, Publication]) -> None:
    """To 1e-5 on 100,000 rows that were never seen."""
    registry, publication = trained
    features = make_synthetic_dataset(100_000, seed=99).features
    pipeline = joblib.load(registry.folder(publication.version) / MODEL_FILE)

    scores = np.array(load_scorer(registry.root).score(features.tolist()))

    assert np.abs(scores - pipeline.predict_proba(features)[:, 1]).max() <= 1e-5


def test_a_row_scores_the_same_alone_and_in_a_batch(registry: Registry) -> None:
    scorer = load_scorer(registry.root)
    rows = make_synthetic_dataset(50, seed=3).features.tolist()

    assert scorer.score(rows) == [scorer.score([row])[0] for row in rows]


def test_no_rows_have_no_scores(registry: Registry) -> None:
    assert load_scorer(registry.root).score([]) == []


def test_the_time_of_training_is_known(registry: Registry) -> None:
    scorer = load_scorer(registry.root)

    assert scorer.trained_at == registry.published(scorer.card.version).trained_at


def test_serving_loads_no_training_library(registry: Registry) -> None:
    """No unpickling: neither scikit-learn nor joblib nor pandas is imported on the way."""
    code = (
        "import sys; from pathlib import Path; from model.serving.scorer import load_scorer\n"
        "import model.serving.features, model.serving.sampling\n"
        f"load_scorer(Path({str(registry.root)!r}))\n"
        "print(sorted({'sklearn', 'joblib', 'pandas', 'scipy', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


DAMAGES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "model missing": (ONNX_FILE, Path.unlink, "is missing"),
    "model empty": (ONNX_FILE, lambda path: path.write_bytes(b""), "is damaged"),
    "model cut off": (ONNX_FILE, _cut, "is damaged"),
    "one bit of the model": (ONNX_FILE, _flip, "is damaged"),
    "card missing": (CARD_FILE, Path.unlink, "is not in"),
    "one bit of the card": (CARD_FILE, _flip, "changed after it was published|not a model card"),
    "no time": (PUBLISHED_FILE, Path.unlink, "cannot be read"),
    "time is no JSON": (PUBLISHED_FILE, lambda path: path.write_text("now"), "cannot be read"),
}


@pytest.mark.parametrize(("name", "damage", "sentence"), DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_version_is_refused_in_one_sentence(
    registry: Registry, name: str, damage: Callable[[Path], object], sentence: str
) -> None:
    damage(registry.folder(registry.champion()) / name)

    with pytest.raises(ModelError, match=sentence) as caught:
        load_scorer(registry.root)

    assert "\n" not in str(caught.value)


def republished(registry: Registry, onnx: bytes, **changes: object) -> Registry:
    """A version whose card and hash are right, but whose model is not the project's own."""
    version = registry.champion()
    folder = registry.folder(version)
    (folder / ONNX_FILE).write_bytes(onnx)
    files = {ONNX_FILE: hash_file(folder / ONNX_FILE)}
    card: Card = msgspec.structs.replace(registry.card(version), files=files, **changes)
    named = number_card(card, 9)
    (folder / CARD_FILE).write_bytes(encode_card(named))
    folder.rename(registry.root / named.version)
    (registry.root / CHAMPION_FILE).write_text(named.version + "\n")
    return registry


def test_a_file_that_is_no_onnx_model_is_refused(registry: Registry) -> None:
    republished(registry, b"not a model")

    with pytest.raises(ModelError, match="not a model that ONNX Runtime can load"):
        load_scorer(registry.root)


def test_a_model_of_another_number_of_features_is_refused(registry: Registry) -> None:
    version = registry.champion()
    onnx = (registry.folder(version) / ONNX_FILE).read_bytes()
    republished(registry, onnx, features=registry.card(version).features[:4])

    with pytest.raises(ModelError, match="its card describes 4 features"):
        load_scorer(registry.root)


def test_a_model_with_foreign_inputs_is_refused(registry: Registry) -> None:
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "foreign",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 5])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 5])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    republished(registry, model.SerializeToString())

    with pytest.raises(ModelError, match="has no input 'features'"):
        load_scorer(registry.root)


def test_an_empty_folder_is_said_with_the_command_that_fills_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model is published .*python -m model train"):
        load_scorer(tmp_path / "models")
