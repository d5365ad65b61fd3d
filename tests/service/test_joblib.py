"""A model that is served from joblib: the start stops unless that is allowed, then it answers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from model.cli import main
from model.registry.writer import RegistryWriter
from tests.model.elsewhere import FRAME, Derived, mixed, requests, write

ROOT = Path(__file__).parents[2]
COLUMNS = ["amount", "items", "channel"]
ANSWERS = """
import json, sys
import handler
client = handler.build_flask().test_client()
transactions = json.loads(sys.stdin.read())
print(json.dumps({
    "scores": client.post("/predict", json={"transactions": transactions}).json,
    "reasons": client.post("/predict?explain=true", json=transactions[0]).json,
    "info": client.get("/model_info").json,
    "metrics": client.get("/metrics").text,
}))
"""


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a converted version and one, the champion, that is served from joblib."""
    folder = tmp_path_factory.mktemp("brought")
    for model in (mixed(LogisticRegression()), make_pipeline(Derived(), LogisticRegression())):
        command = write(folder, model.fit(FRAME[COLUMNS], FRAME.fraud), COLUMNS)
        assert main([*command, "--allow-joblib"]) == 0
    return folder


@pytest.fixture(scope="module")
def registry(brought: Path) -> RegistryWriter:
    return RegistryWriter(brought / "models")


def run_service(
    registry: RegistryWriter, code: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """A process in which the service is built, and given some of the sample."""
    silent = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}
    return subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(requests(COLUMNS)[:20]),
        cwd=ROOT,
        env={**os.environ, **silent, "MODEL_DIR": str(registry.root)} | settings,
        capture_output=True,
        text=True,
    )


def test_champion_from_joblib_stops_the_start_with_one_sentence(registry: RegistryWriter) -> None:
    done = run_service(registry, "import handler; handler.build()")

    assert done.returncode == 3
    [line] = done.stderr.splitlines()
    assert line.startswith(f"The handler cannot start: version {registry.champion()} is kept as")
    assert "runs whatever is in its file" in line and "ALLOW_JOBLIB=true" in line


@pytest.fixture
def converted_champion(brought: Path, tmp_path: Path) -> tuple[RegistryWriter, str]:
    """A registry whose champion is converted, and its version that is not."""
    shutil.copytree(brought / "models", tmp_path / "models")
    registry = RegistryWriter(tmp_path / "models")
    kept = registry.champion()
    registry.rollback()
    return registry, kept


def test_challenger_from_joblib_stops_the_start_too(
    converted_champion: tuple[RegistryWriter, str],
) -> None:
    """Unlike other faults of a challenger, with which the champion serves alone."""
    registry, kept = converted_champion

    done = run_service(registry, "import handler; handler.build()", CHALLENGER=kept)

    assert done.returncode == 3
    assert f"version {kept} is kept as joblib" in done.stderr


def test_without_scikit_learn_the_start_says_what_to_install(registry: RegistryWriter) -> None:
    code = "import sys; sys.modules['sklearn'] = None\nimport handler; handler.build()"

    done = run_service(registry, code, ALLOW_JOBLIB="true")

    assert done.returncode == 3
    assert "install requirements/train.txt beside requirements.txt" in done.stderr


def test_allowed_it_answers_with_the_estimators_own_probabilities(
    brought: Path, registry: RegistryWriter
) -> None:
    done = run_service(registry, ANSWERS, ALLOW_JOBLIB="true")

    assert done.returncode == 0, done.stderr
    assert "is served from joblib: loading it ran what is in its file" in done.stderr
    answer = json.loads(done.stdout)
    model = joblib.load(brought / "my.joblib")
    expected = model.predict_proba(FRAME[COLUMNS][:20])[:, 1].tolist()
    assert [one["fraud_probability"] for one in answer["scores"]["predictions"]] == expected
    assert answer["info"]["format"] == "joblib"
    assert "predictions_total" in answer["metrics"]
    reasons = answer["reasons"]["explanation"]
    total = reasons["base_value"] + sum(reasons["contributions"].values())
    assert total == pytest.approx(answer["reasons"]["fraud_probability"], abs=1e-12)


def test_as_challenger_it_serves_its_share(converted_champion: tuple[RegistryWriter, str]) -> None:
    registry, kept = converted_champion
    settings = {"CHALLENGER_SERVES_PERCENT": "100", "CHALLENGER_TIMEOUT_MS": "10000"}

    done = run_service(registry, ANSWERS, ALLOW_JOBLIB="true", CHALLENGER=kept, **settings)

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["scores"]["model_version"] == kept
    assert answer["reasons"]["model_version"] == registry.champion()


def test_nothing_of_scikit_learn_is_imported_for_a_converted_model(
    converted_champion: tuple[RegistryWriter, str],
) -> None:
    """Also where joblib would be allowed."""
    code = (
        "import sys, handler; handler.build()\n"
        "print(sorted({'sklearn', 'joblib', 'pandas', 'scipy'} & set(sys.modules)))"
    )

    done = run_service(converted_champion[0], code, ALLOW_JOBLIB="true")

    assert done.stdout.strip() == "[]"
