"""What cannot be converted: refused with its reason, or served from joblib where allowed."""

from __future__ import annotations

import ast
import importlib
import io
import json
import logging
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import msgspec
import numpy as np
import pandas as pd
import pytest
import sklearn.base
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model.cli import main
from model.data.dataset import Column
from model.registry.card_file import number_card
from model.registry.model_card import MODEL_CARD_FILE
from model.registry.writer import RegistryWriter
from model.serving.card import MODEL_FILE, ONNX_FILE, SCALER_FILE, Card, hash_file
from model.serving.errors import ModelError, NotAllowed
from model.serving.estimator import Estimator
from model.serving.registry import Published
from model.serving.scorer import load_explainer, load_scorer
from tests.model.conftest import make_card, number
from tests.model.elsewhere import FRAME, NUMBERS, Derived, forest, served, write

ROOT = Path(__file__).parents[3]
ALL = [*NUMBERS, "channel", "income"]


def own_step() -> Any:
    return make_pipeline(Derived(), LogisticRegression()).fit(FRAME[ALL], FRAME.fraud)


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


@pytest.fixture(scope="session")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of one's own, its sample, and the registry it was imported into."""
    folder = tmp_path_factory.mktemp("brought")
    assert main([*write(folder, own_step(), ALL), "--allow-joblib"]) == 0
    return folder


@pytest.fixture
def imported(brought: Path, tmp_path: Path) -> RegistryWriter:
    """A registry whose champion is served from joblib, to be changed at will."""
    shutil.copytree(brought, tmp_path, dirs_exist_ok=True)
    return RegistryWriter(tmp_path / "models")


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


class Bomb:
    """What a hostile file does: the call happens when it is loaded."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.trace),)


def laid(tmp_path: Path, item: object, **changes: object) -> RegistryWriter:
    """A registry whose champion's joblib file holds `item`."""
    files = tmp_path / "files"
    files.mkdir()
    joblib.dump(item, files / MODEL_FILE)
    hashes = {MODEL_FILE: hash_file(files / MODEL_FILE)}
    values = {"files": hashes, "format": "joblib", "rows_as": "matrix"} | changes
    card = number_card(make_card(number("amount", 0, 100), number("items", 0, 10), **values), 1)
    registry = RegistryWriter(tmp_path / "models")
    registry.publish(card, files, Published(trained_at=0, training_seconds=0))
    registry.promote(card.version)
    return registry


def test_nothing_is_loaded_before_it_is_allowed_and_its_hash_is_right(tmp_path: Path) -> None:
    """The same file does its deed as soon as both hold, so the test can fail."""
    trace = tmp_path / "trace"
    registry = laid(tmp_path, Bomb(trace))
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
    registry = laid(tmp_path, make())

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
    registry = laid(tmp_path, model, rows_as="table")
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

    load_scorer(laid(tmp_path, model, libraries={"scikit-learn": "1.2.0"}).root, allow_joblib=True)

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


def run(registry: RegistryWriter, *arguments: str) -> int:
    command, *rest = arguments
    return main([command, *rest, "--models", str(registry.root)])


def test_show_list_and_the_card_for_people_tell_the_format(
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
def beside(tmp_path: Path, imported: RegistryWriter) -> tuple[RegistryWriter, str, str]:
    """A registry with an ONNX version beside the one from joblib: it, that, this."""
    kept = imported.champion()
    converted = forest().fit(FRAME[NUMBERS], FRAME.fraud)
    assert main(write(tmp_path, converted, NUMBERS)) == 0
    return imported, imported.champion(), kept


def test_compare_tells_that_the_formats_differ(
    beside: tuple[RegistryWriter, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    registry, onnx, kept = beside

    assert run(registry, "compare", onnx, kept) == 0
    assert "served from: onnx -> joblib" in capsys.readouterr().out


def test_it_is_promoted_when_asked_to_and_rolled_back_to(
    beside: tuple[RegistryWriter, str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    registry, onnx, kept = beside

    assert run(registry, "promote", kept) == 1
    assert registry.champion() == onnx
    assert run(registry, "promote", kept, "--allow-joblib") == 0
    assert registry.champion() == kept
    assert "after its next start with ALLOW_JOBLIB=true" in capsys.readouterr().out

    run(registry, "promote", onnx)
    assert run(registry, "rollback") == 0
    assert registry.champion() == kept
    assert "after its next start with ALLOW_JOBLIB=true" in capsys.readouterr().out


def test_prune_removes_it_whole(beside: tuple[RegistryWriter, str, str], tmp_path: Path) -> None:
    registry, onnx, kept = beside
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


def test_a_card_from_before_formats_is_onnx() -> None:
    content = msgspec.json.decode(msgspec.json.encode(make_card()))
    del content["format"], content["rows_as"]

    assert msgspec.json.decode(msgspec.json.encode(content), type=Card).format == "onnx"
