"""Numbers with marks around or inside them: read as they are said to be written, or refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.data.files import Reading, Table, read_table
from model.data.schema import infer_column
from model.serving.errors import ModelError


def save(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode())
    return path


def read_notes(table: Table) -> str:
    return "; ".join(table.notes)


GROUPED: dict[str, tuple[str, Reading, list[float]]] = {
    "dollars": ('"$1,234.50"\n-$7\n', Reading(units=("$",), thousands=","), [1234.5, -7]),
    "German": (
        '"1.234,5"\n"7,25"\n',
        Reading(thousands=".", decimal=","),
        [1234.5, 7.25],
    ),
    "French": (
        '"1\u202f234,5 €"\n"2 000"\n',
        Reading(units=("€",), thousands=" ", decimal=","),
        [1234.5, 2000],
    ),
    "Indian": ('"12,34,567"\n"8"\n', Reading(thousands=","), [1234567, 8]),
}


@pytest.mark.parametrize(("rows", "reading", "numbers"), GROUPED.values(), ids=GROUPED.keys())
def test_separators_and_units_are_taken_off_together(
    tmp_path: Path, rows: str, reading: Reading, numbers: list[float]
) -> None:
    table = read_table(save(tmp_path, f"amount\n{rows}"), reading)

    assert table.frame.amount.tolist() == numbers
    assert "column 'amount': numbers without" in read_notes(table)


def test_points_of_a_date_are_no_separators_of_thousands(tmp_path: Path) -> None:
    """pandas alone would read 01.02.2024 as 1022024."""
    path = save(tmp_path, 'day,amount\n01.02.2024,"1.234,5"\n02.02.2024,7\n')

    frame = read_table(path, Reading(thousands=".", decimal=",")).frame

    assert frame.day.tolist() == ["01.02.2024", "02.02.2024"]
    assert frame.amount.tolist() == [1234.5, 7.0]


def test_one_mark_cannot_separate_thousands_and_decimals(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be --decimal and --thousands at once"):
        read_table(save(tmp_path, "a\n1\n"), Reading(thousands="."))


def test_decimals_of_a_database_are_numbers(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"amount": [Decimal("12.50"), None, Decimal("7")]}).to_parquet(path)

    table = read_table(path)

    assert table.frame.amount.dtype == np.float64
    assert "decimals were read as floating-point numbers" in read_notes(table)


MARKED: dict[str, tuple[list[str], str]] = {
    "thousands": (["1,000", "12", "7"], "--thousands ,"),
    "dollars": (["$12", "$7.50", "$1"], r"--unit '\$'"),
    "decimal comma": (["12,5", "3,75", "7"], "--decimal ,"),
    "percent": (["45 %", "3 %", "7 %"], "--unit '%'"),
    "both": (["1.234,56", "1.000,00", "2.000,10"], "--thousands . --decimal ,"),
    "currency after": (["12 EUR", "7 EUR", "3 EUR"], "--unit 'EUR'"),
    "question mark": (["12", "?", "7"], r"--missing '\?'"),
    "dollars and thousands": (["$1,234.50", "$7", "-$2,000"], r"--unit '\$' --thousands ,"),
    "French": (["1\u202f234,50 €", "7,20 €", "3 €"], "--unit '€' --thousands ' ' --decimal ,"),
    "Swiss": (["1'234.50", "7.2", "2'000"], '--thousands "\'"'),
    "mostly plain": (["407,20", "1.234,50", "12,00"], "--thousands . --decimal ,"),
    "negative in brackets": (["(12.50)", "7", "3"], "write negative numbers with a plain minus"),
    "another minus": (["\u221212.50", "7", "3"], "write negative numbers with a plain minus"),
    "bounds": ([">60", "7", "3"], "bounds as numbers"),
    "a point where a comma was said": (["12.5", "7.25", "3"], "if --decimal is given"),
}


@pytest.mark.parametrize(("texts", "sentence"), MARKED.values(), ids=MARKED.keys())
def test_numbers_as_texts_are_named_with_how_to_read_them(texts: list[str], sentence: str) -> None:
    """Few or many: never silently a category, never 'leave it out'."""
    for repeated in (1, 100):
        with pytest.raises(ModelError, match=sentence):
            infer_column("amount", pd.Series(texts * repeated))


@pytest.mark.parametrize("texts", [["u12", "u13", "a"], ["12A", "13B", "7C"], ["web", "app", "9"]])
def test_names_with_digits_stay_categories(texts: list[str]) -> None:
    assert infer_column("code", pd.Series(texts)).type == "category"


def test_numbers_that_are_names_can_be_kept() -> None:
    column = infer_column("size", pd.Series(["1,5", "2,5"]), as_text=True)

    assert column.categories == ("1,5", "2,5")
