"""What a model is trained on: a table of numbers with its schema, in time order."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from model.data import synthetic
from model.data.split import Split, split_by_time
from model.serving.card import FeatureType, UserTypes

# Each category is a series of the drift metrics.
MOST_CATEGORIES: Final = 50

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Column:
    """A feature before it was trained on; bounds are those that requests will be held to."""

    name: str
    type: FeatureType
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] | None = None
    nullable: bool = False


@dataclass(frozen=True)
class Dataset:
    """`features` (n, columns): categories as their index, missing as NaN; `target` (n): 1 is fraud.

    The rows ascend in time, `split` says what each is for. `notes`: what was done to the rows on
    the way, for the card. `value_column`: the feature that is the transaction's value. `times`: the
    rows' seconds, where they have a time column.
    """

    columns: tuple[Column, ...]
    features: Floats
    target: Labels
    split: Split
    target_name: str
    source: str
    sha256: str
    notes: tuple[str, ...] = ()
    user_types: UserTypes | None = None
    value_column: str | None = None
    times: Floats | None = None

    def __len__(self) -> int:
        return len(self.target)


SYNTHETIC_COLUMNS: Final = (
    Column("amount", "number", "value of the transaction in euros", 0, 50_000),
    Column("age", "integer", "the customer's age in years", 18, 120),
    Column("account_balance", "number", "balance before the transaction, euros", 0, 1_000_000),
    Column("transaction_frequency", "integer", "transactions in the last 24 hours", 0, 200),
    Column("location_risk", "number", "risk of the place, 0 none to 1 highest", 0, 1),
)
SYNTHETIC_USER_TYPES: Final = UserTypes("account_balance", 10_000, 1_500)


def make_synthetic_dataset(rows: int, seed: int) -> Dataset:
    """The documented synthetic transactions (model/data/synthetic.py)."""
    data = synthetic.generate(rows, seed)
    return Dataset(
        columns=SYNTHETIC_COLUMNS,
        features=data.features,
        target=data.fraud,
        split=split_by_time(data.time.astype(np.float64)),
        target_name="fraud",
        source=f"synthetic transactions, seed {seed}",
        sha256=_hash_arrays(data.features, data.time, data.fraud),
        user_types=SYNTHETIC_USER_TYPES,
        value_column="amount",
    )


def _hash_arrays(*arrays: npt.NDArray[np.generic]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
