"""`data` writes what `train --data` and `evaluate --data` read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.cli import main
from model.data.files import read_table
from model.data.scenarios import Scenario
from model.data.synthetic import FEATURES, generate, true_probability
from model.serving.registry import Registry
from model.serving.scorer import load_scorer
from model.training.metrics import measure


def write(path: Path, *more: str, rows: int = 6000, seed: int = 5) -> Path:
    assert main(["data", "--out", str(path), "--rows", str(rows), "--seed", str(seed), *more]) == 0
    return path


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_the_file_holds_the_generators_rows(tmp_path: Path, ending: str) -> None:
    frame = read_table(write(tmp_path / f"rows.{ending}", "--probability")).frame

    rows = generate(6000, 5)
    assert list(frame.columns) == ["time", *FEATURES, "fraud", "fraud_probability"]
    assert np.array_equal(frame[list(FEATURES)].to_numpy(), rows.features)
    assert np.array_equal(frame.fraud, rows.fraud)
    assert np.allclose(frame.fraud_probability, rows.probability, rtol=1e-12)


@pytest.mark.parametrize("rate", [0.001, 0.03, 0.2])
def test_the_fraud_rate_is_the_one_asked_for(rate: float) -> None:
    assert generate(200_000, 3, rate).probability.mean() == pytest.approx(rate, rel=0.05)


@pytest.mark.parametrize("scenario", ["drift", "concept", "burst"])
def test_a_scenario_changes_the_second_half_only(scenario: Scenario) -> None:
    steady, changed = generate(20_000, 3), generate(20_000, 3, scenario=scenario)
    half = int(np.searchsorted(steady.time, steady.time[0] + 15 * 86_400)) - 100

    assert np.array_equal(steady.features[:half], changed.features[:half])
    assert np.array_equal(steady.fraud[:half], changed.fraud[:half])
    assert not np.array_equal(steady.probability[-half:], changed.probability[-half:])


def test_drift_moves_the_features_and_concept_the_labels() -> None:
    drift, concept = generate(20_000, 3, scenario="drift"), generate(20_000, 3, scenario="concept")

    assert np.allclose(drift.probability, true_probability(drift.features))
    assert np.array_equal(concept.features, generate(20_000, 3).features)
    assert not np.allclose(concept.probability, true_probability(concept.features))


def test_in_every_scenario_frauds_come_at_the_stated_probability() -> None:
    for scenario in ("drift", "concept", "burst"):
        rows = generate(200_000, 4, scenario=scenario)
        assert rows.fraud.mean() == pytest.approx(rows.probability.mean(), abs=0.002)


def test_a_file_can_be_trained_on_and_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The synthetic columns are known again: their ranges and customer types are used."""
    models = tmp_path / "models"
    training = write(tmp_path / "training.csv")
    fresh = write(tmp_path / "fresh.parquet", seed=6)
    common = ["--models", str(models), "--target", "fraud"]
    command = ["train", *common, "--data", str(training), "--time", "time"]
    assert main([*command, "--candidates", "logistic"]) == 0
    capsys.readouterr()

    assert main(["evaluate", *common, "--data", str(fresh), "--json"]) == 0

    answer = json.loads(capsys.readouterr().out)
    scorer = load_scorer(models)
    rows = generate(6000, 6)
    expected = measure(rows.fraud, scorer.score_table(rows.features), scorer.card.threshold)
    assert answer["average_precision"] == expected.average_precision
    assert answer["roc_auc"] == expected.roc_auc
    low, high = answer["intervals"]["average_precision"]
    assert low < answer["average_precision"] < high
    assert scorer.card.user_types is not None
    assert scorer.card.features[1].maximum == 120


def test_rows_that_no_request_may_hold_are_left_out_and_counted(
    registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "rows.csv")
    frame = pd.read_csv(path)
    frame.loc[:9, "age"] = 17
    frame.to_csv(path, index=False)

    command = ["evaluate", "--models", str(registry.root), "--data", str(path)]
    main([*command, "--target", "fraud", "--json"])

    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["refused_rows"], answer["rows"]) == ({"age": 10}, 5990)


WRONG: dict[str, tuple[list[str], str]] = {
    "no target": (["evaluate", "--data", "rows.csv"], "--data needs --target"),
    "other columns": (
        ["evaluate", "--data", "rows.csv", "--target", "label"],
        "there is no column 'label'",
    ),
    "target without data": (["train", "--target", "fraud"], "--target is about a file"),
    "delay without data": (["train", "--label-delay", "7d"], "--label-delay is about a file"),
    "no folder": (["data", "--out", "none/rows.csv"], "there is no folder none"),
    "no format": (["data", "--out", "rows.xlsx"], "must end in .csv, .csv.gz or .parquet"),
}


@pytest.mark.parametrize(("arguments", "sentence"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_done_is_said_in_one_sentence(
    registry: Registry,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODEL_DIR", str(registry.root))
    write(tmp_path / "rows.csv", rows=500)

    assert main(arguments) == 1
    assert sentence in capsys.readouterr().err
