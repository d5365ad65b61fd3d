"""Synthetic transactions as a file that `train --data` reads."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from model.data.scenarios import Scenario
from model.data.synthetic import FEATURES, Transactions, generate
from model.serving.errors import ModelError

_WHOLE: Final = ("age", "transaction_frequency")


def write_transactions(
    path: Path,
    *,
    rows: int,
    seed: int,
    fraud_rate: float,
    scenario: Scenario,
    with_probability: bool,
) -> Transactions:
    """Write the columns time, the five features, fraud and, if wished, fraud_probability."""
    name = path.name.lower()
    if not name.endswith((".csv", ".csv.gz", ".parquet")):
        raise ModelError(f"{path} must end in .csv, .csv.gz or .parquet")
    if not path.parent.is_dir():
        raise ModelError(f"there is no folder {path.parent}")
    transactions = generate(rows, seed, fraud_rate, scenario)
    frame = _make_frame(transactions, with_probability)
    if name.endswith(".parquet"):
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return transactions


def _make_frame(transactions: Transactions, with_probability: bool) -> pd.DataFrame:
    frame = pd.DataFrame({"time": transactions.time})
    for index, name in enumerate(FEATURES):
        values = transactions.features[:, index]
        frame[name] = values.astype("int64") if name in _WHOLE else values
    frame["fraud"] = transactions.fraud
    if with_probability:
        frame["fraud_probability"] = transactions.probability
    return frame
