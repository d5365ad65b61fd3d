"""An estimator gets its rows as it was trained on them, and one thread."""

from __future__ import annotations

import ast
import io
import os
import subprocess
import sys
from typing import Any

import joblib
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from model.data.dataset import Column
from model.registry.writer import RegistryWriter
from model.serving.estimator import Estimator
from tests.model.elsewhere import FRAME, NUMBERS
from tests.model.serving.joblib_models import ROOT


class Counting(LogisticRegression):  # type: ignore[misc]
    """Would work in eight jobs, and remembers how many it was given."""

    def predict_proba(self, rows: Any) -> Any:
        self.jobs_ = joblib.effective_n_jobs(8)
        return super().predict_proba(rows)


def test_a_model_with_many_jobs_takes_one() -> None:
    model = Counting().fit(FRAME[NUMBERS].to_numpy(), FRAME.fraud)
    columns = [Column(name, "number") for name in NUMBERS]

    Estimator(model, columns, "matrix").probabilities(FRAME[NUMBERS].to_numpy())

    assert model.jobs_ == 1


def test_each_library_has_one_thread_in_every_thread_of_the_service(
    imported: RegistryWriter,
) -> None:
    code = (
        "from pathlib import Path; from model.serving.scorer import load_scorer\n"
        "from threading import Thread; from threadpoolctl import threadpool_info\n"
        f"load_scorer(Path({str(imported.root)!r}), allow_joblib=True)\n"
        "def show(): print(sorted((i['user_api'], i['num_threads']) for i in threadpool_info()))\n"
        "thread = Thread(target=show); thread.start(); thread.join()"
    )
    environment = {name: value for name, value in os.environ.items() if "THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = ast.literal_eval(done.stdout)
    assert {api for api, _ in found} == {"blas", "openmp"}
    assert {threads for _, threads in found} == {1}


COLUMNS = (
    Column("n", "number", nullable=True),
    Column("i", "integer"),
    Column("b", "boolean"),
    Column("gap", "boolean", nullable=True),
    Column("c", "category", categories=("x", "y"), nullable=True),
)


class Mirror:
    """Shows what it was given."""

    def predict_proba(self, rows: Any) -> Any:
        self.rows = rows
        return np.zeros((len(rows), 2))


def test_a_table_is_what_pandas_reads_from_a_file() -> None:
    mirror = Mirror()
    features = np.array([[1.5, 2, 1, 0, 1], [np.nan, 3, 0, np.nan, np.nan]])

    Estimator(mirror, COLUMNS, "table").probabilities(features)

    text = "n,i,b,gap,c\n1.5,2,True,False,y\n,3,False,,\n"
    pd.testing.assert_frame_equal(mirror.rows, pd.read_csv(io.StringIO(text)))


def test_a_matrix_holds_texts_as_texts() -> None:
    mirror = Mirror()
    columns = (COLUMNS[0], COLUMNS[4])

    Estimator(mirror, columns, "matrix").probabilities(np.array([[1.5, 1.0]]))

    assert mirror.rows.tolist() == [[1.5, "y"]]
