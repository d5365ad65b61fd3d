"""Expected performance before labels: the rules against nannyml, and both against labels.

    python3 -m venv DIR && DIR/bin/pip install -r bench/cbpe/requirements.txt
    .venv/dev/bin/python -m bench.cbpe --nannyml DIR/bin/python --handbook FILE --models FOLDER

nannyml pins old libraries, hence an environment of its own. Both see the same chunks: a reference
with labels, which nannyml uses to decide whether to calibrate anew, and chunks to be estimated.
Synthetic rows: the champion of `models`, fresh rows, the second half with the scenario `drift` or
`burst` (the features move, their relation to fraud does not). Handbook: a model trained by
`python -m model train` on its first week with a label delay of 7 days; the last week's first three
days are the reference, each later day is a chunk. The rules are evaluated by promtool.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from model.data import synthetic
from model.serving.scorer import TableScorer, load_scorer
from model.training.evaluation import read_file_rows
from tests.lab.promtool import ask

MEASURES = ("accuracy", "precision", "recall", "f1")
ROWS = 20_000  # of a synthetic chunk
REFERENCE_DAYS, LAST_DAYS = 3, 7


@dataclass(frozen=True)
class Chunk:
    """Scores, decisions and labels of rows that belong together."""

    name: str
    probability: npt.NDArray[np.float64]
    decision: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]

    def frame(self) -> pd.DataFrame:
        """As with_nannyml.py reads it."""
        return pd.DataFrame(
            {
                "chunk": self.name,
                "p": self.probability,
                "decision": self.decision,
                "label": self.label,
            }
        )

    def compute_performance(self) -> dict[str, float]:
        """What the labels say."""
        hits = float((self.label & self.decision).sum())
        alarms, frauds = float(self.decision.sum()), float(self.label.sum())
        return {
            "accuracy": float((self.label == self.decision).mean()),
            "precision": hits / alarms,
            "recall": hits / frauds,
            "f1": 2 * hits / (alarms + frauds),
        }


def score_chunk(
    scorer: TableScorer, name: str, features: synthetic.Floats, labels: object
) -> Chunk:
    """Decisions at the card's threshold."""
    probability = np.asarray(scorer.score_table(features), dtype=np.float64)
    decision = (probability >= scorer.card.threshold).astype(np.int64)
    return Chunk(name, probability, decision, np.asarray(labels, dtype=np.int64))


def make_synthetic_chunks(scorer: TableScorer) -> Iterator[Chunk]:
    """The reference first, then four chunks for each scenario, the last two of them shifted."""
    fresh = synthetic.generate(3 * ROWS, 101)
    yield score_chunk(scorer, "reference", fresh.features, fresh.fraud)
    for scenario in ("drift", "burst"):
        rows = synthetic.generate(4 * ROWS, 102, scenario=scenario)
        for number in range(4):
            part = slice(number * ROWS, (number + 1) * ROWS)
            name = f"{scenario} {number + 1}"
            yield score_chunk(scorer, name, rows.features[part], rows.fraud[part])


def read_handbook_chunks(scorer: TableScorer, file: Path) -> Iterator[Chunk]:
    """The reference first, then a chunk for each day."""
    rows = pd.read_parquet(file)
    day = (rows["TX_DATETIME"] - rows["TX_DATETIME"].min()).dt.days
    first = int(day.max()) + 1 - LAST_DAYS
    parts = {"reference": (day >= first) & (day < first + REFERENCE_DAYS)}
    for number in range(first + REFERENCE_DAYS, int(day.max()) + 1):
        parts[f"day {number + 1}"] = day == number
    for name, chosen in parts.items():
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder, "part.parquet")
            rows[chosen].to_parquet(part)
            read = read_file_rows(scorer.card, part, "TX_FRAUD")
        yield score_chunk(scorer, name, read.features, read.target)


def estimate_by_rules(chunks: list[Chunk]) -> dict[str, dict[str, float]]:
    """The recorded model_*{evaluation="expected"} of each chunk, which is a job of its own."""
    series = {}
    for chunk in chunks:
        for name, decision in (("legitimate", 0), ("fraud", 1)):
            chosen = chunk.decision == decision
            labels = f'{{job="{chunk.name}", instance="host-0", class_name="{name}"}}'
            series[f"champion_decisions_total{labels}"] = f"0 {int(chosen.sum())}"
            total = float(chunk.probability[chosen].sum())
            series[f"prediction_probability_total{labels}"] = f"0 {total!r}"
    names = {each: f"model_{'f1_score' if each == 'f1' else each}" for each in MEASURES}
    questions = [f'sum by (job) ({name}{{evaluation="expected"}})' for name in names.values()]
    found: dict[str, dict[str, float]] = {chunk.name: {} for chunk in chunks}
    for measure, answer in zip(
        MEASURES, ask(series, tuple(names.values()), 60, 1, *questions), strict=True
    ):
        for labels, value in answer.items():
            found[labels.split('"')[1]][measure] = value
    return found


def estimate_by_nannyml(
    python: Path, chunks: list[Chunk]
) -> dict[str, dict[str, dict[str, float]]]:
    """Its estimates by chunk, with its own calibration and without any."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows.csv")
        pd.concat([chunk.frame() for chunk in chunks]).to_csv(rows, index=False)
        command = [str(python), str(Path(__file__).with_name("with_nannyml.py")), str(rows)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    answer: dict[str, dict[str, dict[str, float]]] = json.loads(printed.splitlines()[-1])
    return answer


def compare(title: str, python: Path, chunks: list[Chunk]) -> None:
    """Print every estimate, and the largest differences."""
    rules, nannyml = estimate_by_rules(chunks[1:]), estimate_by_nannyml(python, chunks)
    print(f"\n### {title}\n")
    print("| chunk | measure | realised | rules | nannyml, uncalibrated | nannyml, as it chooses |")
    print("| --- | --- | --- | --- | --- | --- |")
    for chunk in chunks[1:]:
        labelled = chunk.compute_performance()
        for measure in MEASURES:
            values = (
                labelled[measure],
                rules[chunk.name][measure],
                nannyml["plain"][chunk.name][measure],
                nannyml["calibrated"][chunk.name][measure],
            )
            cells = " | ".join(f"{value:.4f}" for value in values)
            print(f"| {chunk.name} | {measure} | {cells} |")
    names = [chunk.name for chunk in chunks[1:]]
    realised = {chunk.name: chunk.compute_performance() for chunk in chunks[1:]}
    print()
    for what, one, other in (
        ("rules and nannyml without calibration", rules, nannyml["plain"]),
        ("rules and nannyml as it chooses", rules, nannyml["calibrated"]),
        ("rules and the realised", rules, realised),
        ("nannyml as it chooses and the realised", nannyml["calibrated"], realised),
    ):
        largest = {m: max(abs(one[n][m] - other[n][m]) for n in names) for m in MEASURES}
        figures = ", ".join(f"{measure} {value:.2g}" for measure, value in largest.items())
        print(f"- largest difference of {what}: {figures}")


def main() -> None:
    """Both sets."""
    parser = argparse.ArgumentParser(prog="python -m bench.cbpe", description=__doc__)
    parser.add_argument("--nannyml", type=Path, required=True, help="python that has nannyml")
    parser.add_argument("--handbook", type=Path, help="handbook_3weeks.parquet")
    parser.add_argument("--models", type=Path, help="folder of the model trained on it")
    asked = parser.parse_args()
    compare("Synthetic", asked.nannyml, list(make_synthetic_chunks(load_scorer(Path("models")))))
    if asked.handbook and asked.models:
        chunks = list(read_handbook_chunks(load_scorer(asked.models), asked.handbook))
        compare("Handbook, three weeks", asked.nannyml, chunks)


if __name__ == "__main__":
    main()
