"""Anybody's table: what is understood, what is done to it, and what is refused with a way on."""

from __future__ import annotations

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from model.data.dataset import Dataset
from model.data.files import Table, read_table
from model.data.split import Holdout
from model.data.tables import Layout, build_dataset, load_dataset
from model.data.times import read_times
from model.registry.writer import RegistryWriter
from model.serving.card import MODEL_FILE
from model.serving.errors import ModelError
from model.serving.features import TransactionReader
from model.serving.scorer import load_scorer
from model.train import train

ROWS = 3000


def table() -> pd.DataFrame:
    """Every type of column, with a fraud rate that depends on three of them."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "when": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(ROWS), unit="h"),
            "amount": random.lognormal(3, 1, ROWS).round(2),
            "items": random.integers(1, 9, ROWS),
            "is_new": random.random(ROWS) < 0.3,
            "weekend": random.integers(0, 2, ROWS),
            "channel": random.choice(["web", "app", "shop"], ROWS),
            "income": np.where(random.random(ROWS) < 0.1, np.nan, random.normal(0, 9, ROWS)),
        }
    )
    logit = -4 + 0.6 * np.log(frame.amount) + 1.5 * (frame.channel == "web") + frame.is_new
    frame["fraud"] = (random.random(ROWS) < 1 / (1 + np.exp(-logit))).astype(int)
    return frame


def read(frame: pd.DataFrame, **layout: object) -> Dataset:
    options = {"target": "fraud", "time": "when"} | layout
    return build_dataset(Table(frame, ()), Layout(**options), "table.csv", "0" * 64)  # type: ignore[arg-type]


def test_the_types_are_those_of_the_columns() -> None:
    columns = {column.name: column for column in read(table()).columns}

    assert {name: column.type for name, column in columns.items()} == {
        "amount": "number",
        "items": "integer",
        "is_new": "boolean",
        "weekend": "integer",
        "channel": "category",
        "income": "number",
    }
    assert columns["channel"].categories == ("app", "shop", "web")
    assert [name for name, column in columns.items() if column.nullable] == ["income"]


def test_bounds_are_wide_rounded_outwards_and_keep_zero_and_flags() -> None:
    columns = {column.name: column for column in read(table()).columns}

    assert (columns["weekend"].minimum, columns["weekend"].maximum) == (0, 1)
    assert (columns["items"].minimum, columns["items"].maximum) == (0, 78)
    assert columns["amount"].minimum == 0
    assert columns["income"].minimum is not None and columns["income"].minimum < -100


def test_rows_are_put_in_time_order() -> None:
    shuffled = table().sample(frac=1, random_state=3)

    assert np.array_equal(read(shuffled).features, read(table()).features, equal_nan=True)


def test_bounds_and_categories_come_from_the_rows_before_the_holdout_only() -> None:
    frame = table()
    frame.loc[ROWS - 10 :, "amount"] = 1e9
    frame.loc[ROWS - 10 :, "channel"] = "phone"

    dataset = read(frame)

    assert dataset.columns[0].maximum == read(table()).columns[0].maximum
    assert dataset.columns[4].categories == ("app", "shop", "web")
    assert any(
        "10 later rows have a 'channel' that was never trained on" in n for n in dataset.notes
    )


def test_the_label_delay_and_a_holdout_in_time_shape_the_split() -> None:
    split = read(table(), label_delay=86_400.0, holdout=Holdout(seconds=10 * 86_400.0)).split

    assert (split.holdout.start, split.unlabelled) == (ROWS - 240, 24)


def test_the_holdout_of_the_label_delay_is_noted() -> None:
    assert any("inside the label delay" in note for note in read(table(), label_delay=86_400).notes)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda f: f.assign(same=1), "column 'same' is constant in the training rows"),
        (lambda f: pd.concat([f, f.tail(5)]), "5 rows repeat another one in every column"),
        (lambda f: f.assign(fraud=f.fraud.where(f.index > 4)), "5 rows without a label"),
        (lambda f: f, "null stands for missing values in: income"),
        (lambda f: f, "column 'amount' was taken for the transaction's value"),
    ],
    ids=["constant", "duplicates", "no label", "missing", "value"],
)
def test_what_is_done_to_the_rows_is_noted(change: object, note: str) -> None:
    notes = read(change(table())).notes  # type: ignore[operator]

    assert any(note in line for line in notes), notes


def test_without_a_time_column_the_rows_own_order_is_taken_and_noted() -> None:
    dataset = read(table().drop(columns="when"), time=None)

    assert any("the order of the rows" in note for note in dataset.notes)


LAYOUT_PROBLEMS: dict[str, tuple[dict[str, object], str]] = {
    "target": ({"target": "label"}, "there is no column 'label'; the columns are when, amount"),
    "time": ({"time": "date"}, "there is no column 'date'"),
    "drop": ({"drop": ("id",)}, "there is no column 'id'"),
    "value": ({"value": "price"}, "there is no column 'price'"),
    "value is text": ({"value": "channel"}, "'channel' is not a feature that is a number"),
    "delay without time": ({"time": None, "label_delay": 5.0, "drop": ("when",)}, "needs a time"),
    "delay too long": ({"label_delay": 1e9}, "no rows are left to train on"),
    "target of many values": ({"target": "items"}, r"must hold 0 \(legitimate\) and 1"),
    "target of texts": ({"target": "channel"}, r"must hold 0 .* not 'app', 'shop', 'web'"),
    "nothing to learn from": (
        {"drop": ("amount", "items", "is_new", "weekend", "channel", "income")},
        "no column is left",
    ),
}


@pytest.mark.parametrize(
    ("layout", "sentence"), LAYOUT_PROBLEMS.values(), ids=LAYOUT_PROBLEMS.keys()
)
def test_a_layout_that_does_not_fit_is_refused(layout: dict[str, object], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        read(table(), **layout)


FRAME_PROBLEMS: dict[str, tuple[dict[str, object], str]] = {
    "one class": ({"fraud": 0}, r"holds only \[0\]; both 0 and 1 are needed"),
    "infinite": ({"amount": [1.0, np.inf] * (ROWS // 2)}, "holds 1,200 infinite values"),
    "infinite in the holdout": ({"amount": [*range(ROWS - 1), np.inf]}, "1 infinite values"),
    "many texts": ({"id": [f"u{n}" for n in range(ROWS)]}, "--drop id"),
    "mixed": ({"mix": [1, "a"] * (ROWS // 2)}, "column 'mix' holds int and str values"),
    "dates": (
        {"day": pd.date_range("2026-01-01", periods=ROWS)},
        "holds dates such as '2026-01-01'.*--time day",
    ),
    "large identifiers": ({"id": np.arange(ROWS) + 2**60}, r"beyond 2\^53"),
    "reserved name": ({"transactions": range(ROWS)}, "cannot be called 'transactions'"),
    "time missing": ({"when": pd.NaT}, "'when' has 3,000 missing values"),
    "time no date": ({"when": "soon"}, "'when' holds neither numbers nor dates"),
}


@pytest.mark.parametrize(("change", "sentence"), FRAME_PROBLEMS.values(), ids=FRAME_PROBLEMS.keys())
def test_a_table_that_would_need_a_guess_is_refused(
    change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        read(table().assign(**change))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.csv", None, "there is no file"),
        ("table.xlsx", b"x", r"neither .csv, .csv.gz nor .parquet"),
        ("empty.csv", b"", "cannot be read as a table"),
        ("header.csv", b"a,b\n", "holds no rows"),
        ("fake.parquet", b"not parquet", "cannot be read as a table"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3,4\n", "cannot be read as a table"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(ModelError, match=sentence):
        read_table(tmp_path / name)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet"])
def test_every_format_gives_the_same_dataset(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"table.{ending}"
    frame = table()
    frame.to_parquet(path) if ending == "parquet" else frame.to_csv(path, index=False)

    dataset = load_dataset(path, Layout("fraud", "when"))

    assert dataset.columns == read(frame).columns
    assert np.array_equal(dataset.features, read(frame).features, equal_nan=True)


def test_times_are_seconds_whether_numbers_or_dates() -> None:
    dates = pd.Series(["2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z"])

    assert np.diff(read_times(dates)).tolist() == [90.0]
    assert read_times(pd.Series([5, 95])).tolist() == [5.0, 95.0]


@pytest.mark.parametrize("candidate", ["logistic", "boosting", "forest"])
def test_every_candidate_is_served_as_it_was_fitted(tmp_path: Path, candidate: str) -> None:
    """With categories, flags and missing values: ONNX against joblib, on all rows."""
    dataset = read(table())
    registry = RegistryWriter(tmp_path)
    version = train(dataset, registry, seed=1, candidates=(candidate,)).version

    model = joblib.load(registry.folder(version) / MODEL_FILE)
    scores = load_scorer(tmp_path).score_table(dataset.features)

    assert np.abs(scores - model.predict_proba(dataset.features)[:, 1]).max() <= 1e-6


def test_requests_follow_the_tables_columns(tmp_path: Path) -> None:
    registry = RegistryWriter(tmp_path)
    train(read(table()), registry, seed=1, candidates=("logistic",))
    scorer = load_scorer(tmp_path)
    reader = TransactionReader(scorer.card)
    request = {
        "amount": 500.0,
        "items": 3,
        "is_new": True,
        "weekend": 0,
        "channel": "web",
        "income": None,
    }

    risky = reader.read(request)
    harmless = reader.read(request | {"amount": 2.0, "is_new": False, "channel": "shop"})

    assert scorer.score([risky.row])[0] > 0.5 > 0.1 > scorer.score([harmless.row])[0]
    assert risky.value == 500.0
