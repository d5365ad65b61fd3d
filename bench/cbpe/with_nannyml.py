"""NannyML's CBPE on rows of a CSV file; runs in an environment of its own, which has nannyml.

    python bench/cbpe/with_nannyml.py rows.csv

Columns: chunk ("reference" or a name), p, decision, label. Prints a line of JSON: the estimates by
chunk, once with the scores as they are, once calibrated as nannyml chooses on the reference.
"""

from __future__ import annotations

import json
import sys

import nannyml
import pandas as pd

METRICS = ("accuracy", "precision", "recall", "f1")


def estimate(rows: pd.DataFrame, calibrate: bool) -> dict[str, dict[str, float]]:
    """By chunk and measure."""
    reference = rows[rows["chunk"] == "reference"].reset_index(drop=True)
    found = {}
    for name, chunk in rows[rows["chunk"] != "reference"].groupby("chunk", sort=False):
        estimator = nannyml.CBPE(
            metrics=list(METRICS),
            y_pred_proba="p",
            y_pred="decision",
            y_true="label",
            problem_type="classification_binary",
            chunk_number=1,
        )
        estimator.fit(reference)
        if not calibrate:
            estimator.needs_calibration = False
        result = estimator.estimate(chunk.reset_index(drop=True).drop(columns="label"))
        table = result.filter(period="analysis").to_df()
        found[str(name)] = {metric: float(table[metric]["value"].iloc[0]) for metric in METRICS}
    return found


def main() -> None:
    """Read, estimate twice, print."""
    rows = pd.read_csv(sys.argv[1])
    both = {"plain": estimate(rows, False), "calibrated": estimate(rows, True)}
    print(json.dumps(both))


if __name__ == "__main__":
    main()
