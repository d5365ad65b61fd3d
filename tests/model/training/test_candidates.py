"""A candidate is complete: a name, a maker, a graph; each missing part is named in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from model.data.dataset import Column
from model.onnx.export import export_onnx
from model.onnx.parity import check_parity
from model.serving.errors import ModelError
from model.training.candidate_names import CANDIDATE_NAMES, SYNTHETIC_CANDIDATES
from model.training.candidates import CANDIDATES, fit_candidate

COLUMNS = (Column("amount", "number"), Column("age", "integer"))


def test_every_named_candidate_has_a_maker_and_every_maker_a_name() -> None:
    unmade = [name for name in CANDIDATE_NAMES if name not in CANDIDATES]
    unnamed = [name for name in CANDIDATES if name not in CANDIDATE_NAMES]

    assert not unmade, f"{unmade} has no maker: add it to CANDIDATES in training/candidates.py"
    assert not unnamed, f"{unnamed} cannot be chosen: add it to training/candidate_names.py"
    assert set(SYNTHETIC_CANDIDATES) <= set(CANDIDATE_NAMES)


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_becomes_an_onnx_file_with_the_same_scores(name: str) -> None:
    random = np.random.default_rng(1)
    features = np.column_stack([random.lognormal(3, 1, 600), random.integers(18, 90, 600)])
    target = (random.random(600) < features[:, 0] / 100).astype(np.int8)
    pipeline = fit_candidate(name, COLUMNS, features, target, seed=1)

    try:
        file = export_onnx(pipeline)
    except ModelError as error:
        pytest.fail(f"candidate '{name}' has no graph: add it to onnx/export.py ({error})")

    check_parity(file, features, pipeline.predict_proba(features)[:, 1])
