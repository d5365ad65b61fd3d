"""Cells become values, true classes and times as they are meant, or a sentence says why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas
import pytest

from simulator.contract.errors import ReplayError
from simulator.contract.model_info import Feature, ModelInfo
from simulator.replay.cells import Place, parse_flag, parse_timestamp, parse_value
from simulator.replay.replay import Replay
from simulator.replay.rows import check_replay, read_replay_rows

PLACE = Place("rows.csv, row 3:", "x")
FEATURE = Feature("x", "number", None, None, (), (), (), (), 0.0, nullable=True)
DAY = datetime(2024, 1, 31, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cell", "kind", "value"),
    [
        ("12.5", "number", 12.5),
        (" 12 ", "number", 12.0),
        ("-1e3", "number", -1000.0),
        (".5", "number", 0.5),
        ("12.0", "integer", 12),
        ("12.5", "integer", 12.5),
        (12, "number", 12.0),
        (Decimal("12.50"), "number", 12.5),
        (Decimal("12"), "integer", 12),
        (True, "integer", 1),
        ("9223372036854775808", "integer", 2**63),
        ("9007199254740993", "integer", 2**53 + 1),
        (2**64, "integer", 2**64),
        ("1.797e308", "number", 1.797e308),
        ("5e-324", "number", 5e-324),
        ("NaN", "number", None),
        ("", "integer", None),
        (float("nan"), "number", None),
        (None, "boolean", None),
        ("Yes", "boolean", True),
        (False, "boolean", False),
        ("0.0", "boolean", False),
    ],
)
def test_value(cell: Any, kind: str, value: object) -> None:
    """Every digit of an integer is sent; numbers keep their type."""
    parsed = parse_value(cell, replace(FEATURE, type=kind), PLACE)

    assert parsed == value and type(parsed) is type(value)


@pytest.mark.parametrize(
    ("cell", "categories", "value"),
    [
        ("a", ("a", "b"), "a"),
        ("NA", ("NA", "EU"), "NA"),
        ("None", ("None", "Some"), "None"),
        ("NA", ("EU",), None),
        ("c", ("a", "b"), "c"),
        (51, ("51", "52"), "51"),
        (51.0, ("51", "52"), "51"),
        (51.0, ("51.0", "52.0"), "51.0"),
        (True, ("False", "True"), "True"),
        (None, ("a",), None),
    ],
)
def test_category(cell: Any, categories: tuple[str, ...], value: str | None) -> None:
    """A word of the model's own is that word, though elsewhere it means a missing value."""
    feature = replace(FEATURE, type="category", categories=categories)

    assert parse_value(cell, feature, PLACE) == value


@pytest.mark.parametrize(
    "cell",
    [
        "1,000", "12,5", "$12", "45 %", "1_000", "\uff11\uff12", "?", "0x1F", "inf", "1e999",
        "-Infinity", float("inf"), 10**400, "1" + "0" * 400, "9" * 5000, [1, 2], {"a": 1}, b"1",
        date(2024, 1, 31), timedelta(1),
    ],
    ids=lambda cell: f"{cell!r:.20}",
)  # fmt: skip
@pytest.mark.parametrize("kind", ["number", "integer"])
def test_cell_that_is_no_number(cell: Any, kind: str) -> None:
    """Refused with its place: nothing is sent as something else."""
    with pytest.raises(ReplayError, match=r"^rows.csv, row 3: x must be a number, got "):
        parse_value(cell, replace(FEATURE, type=kind), PLACE)


@pytest.mark.parametrize("cell", ["1,000", "12,5", "$12", "45 %"])
def test_number_as_people_write_it(cell: str) -> None:
    """The sentence says how to go on."""
    with pytest.raises(ReplayError, match="write it with digits and a decimal point alone"):
        parse_value(cell, FEATURE, PLACE)


@pytest.mark.parametrize("cell", ["1", "1.0", "1.00", 1, 1.0, True, "TRUE", "yes", "fraud"])
def test_flag_that_is_true(cell: Any) -> None:
    """In any of the usual words."""
    assert parse_flag(cell, PLACE) is True


@pytest.mark.parametrize("cell", ["-1", "2", "maybe", "F", 0.5, "0,0"])
def test_flag_that_is_neither(cell: Any) -> None:
    """-1 and 1, or 1 and 2, may mean either."""
    with pytest.raises(ReplayError, match="must be 0 or 1, false or true, no or yes, legitimate"):
        parse_flag(cell, PLACE)


@pytest.mark.parametrize(
    ("cell", "seconds", "is_date"),
    [
        ("12.5", 12.5, False),
        (86_400, 86_400.0, False),
        (Decimal("0.5"), 0.5, False),
        (timedelta(minutes=2), 120.0, False),
        ("1700000000", 1.7e9, False),
        ("2024-01-31", DAY, True),
        ("2024-01-31 12:00", DAY + 43_200, True),
        ("2024-01-31T13:00:00+01:00", DAY + 43_200, True),
        ("2024-01-31 12:00:00.250000000", DAY + 43_200.25, True),
        ("2024-01-31 00:00:00 UTC", DAY, True),
        (date(2024, 1, 31), DAY, True),
        (datetime(2024, 1, 31), DAY, True),
        (pandas.Timestamp("2024-01-31", tz="Europe/Berlin"), DAY - 3600, True),
    ],
)
def test_timestamp(cell: Any, seconds: float, is_date: bool) -> None:
    """Seconds since some beginning, or ISO dates; without a zone in UTC."""
    timestamp = parse_timestamp(cell, PLACE)

    assert (timestamp.seconds, timestamp.is_date) == (seconds, is_date)


@pytest.mark.parametrize(
    ("cell", "advice"),
    [
        ("01/02/2024", "a date is 2024-01-31"),
        ("31.01.2024", "a date is 2024-01-31"),
        ("Jan 31 2024", "a date is 2024-01-31"),
        ("2024-02-30", "a date is 2024-01-31"),
        (None, "a date is 2024-01-31"),
        (True, "a date is 2024-01-31"),
        ([1], "a date is 2024-01-31"),
        ("1700000000000", "it counts milliseconds or less: divide"),
        (1_700_000_000_000_000_000, "it counts milliseconds or less: divide"),
        ("1e999", "it counts milliseconds or less: divide"),
    ],
)
def test_timestamp_that_needs_a_guess(cell: Any, advice: str) -> None:
    """Day or month first, seconds or milliseconds: refused, with the way out."""
    with pytest.raises(ReplayError) as caught:
        parse_timestamp(cell, PLACE)

    assert "row 3: x must be seconds or a date, got " in str(caught.value)
    assert advice in str(caught.value)


def write_times(folder: Path, *times: str) -> Replay:
    """A table of one feature with these times."""
    path = folder / "rows.csv"
    path.write_text("\n".join(["t,x", *(f"{time},1" for time in times)]))
    return Replay(path, time_column="t")


@pytest.fixture
def one_feature() -> ModelInfo:
    """A model of one number."""
    return ModelInfo("1", (FEATURE,), None)


def test_times_of_two_kinds(tmp_path: Path, one_feature: ModelInfo) -> None:
    """From second 0 to a date are 54 years: the rest would never be sent."""
    replay = write_times(tmp_path, "0", "2024-01-31")

    with pytest.raises(ReplayError, match="row 1: t must be seconds, as in the row before"):
        check_replay(one_feature, replay)


def test_dates_without_hyphens(tmp_path: Path, one_feature: ModelInfo) -> None:
    """20240131 and 20240201 would be read as seconds, 70 apart."""
    with pytest.raises(ReplayError, match="t looks like dates without hyphens"):
        check_replay(one_feature, write_times(tmp_path, "20240131", "20240201"))

    assert check_replay(one_feature, write_times(tmp_path, "20240131", "20240199")) == 2


def test_list_in_a_column_that_is_used(tmp_path: Path, one_feature: ModelInfo) -> None:
    """A Parquet file can hold lists; the sentence names the row and the column."""
    path = tmp_path / "rows.parquet"
    pandas.DataFrame({"x": [[1.0, 2.0]]}).to_parquet(path)

    with pytest.raises(ReplayError, match=r"row 0: x must be a number, got \[1.0, 2.0\]"):
        list(read_replay_rows(one_feature, Replay(path)))
