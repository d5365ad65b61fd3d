"""Files as other programs write them: read right, or refused with a sentence."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas
import pytest

from simulator.contract.errors import ReplayError
from simulator.replay.table import find_column, open_table

PLAIN = "id,shop,amount\n1,café,12.5\n2,bar,3\n"
CELLS = [["1", "café", "12.5"], ["2", "bar", "3"]]


def read(file: Path, columns: Sequence[str] = ("id", "shop", "amount")) -> list[list[Any]]:
    """The cells of the columns, row by row."""
    with open_table(file) as table:
        positions = [find_column(table, column, file) for column in columns]
        return [list(row) for row in table.read(positions)]


def write(folder: Path, content: bytes, name: str = "rows.csv") -> Path:
    """A file with these bytes."""
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(PLAIN.encode(), "rows.csv", id="plain"),
        pytest.param(codecs.BOM_UTF8 + PLAIN.encode(), "rows.csv", id="byte order mark"),
        pytest.param(PLAIN.encode("utf-16"), "rows.csv", id="UTF-16"),
        pytest.param(codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"), "rows.csv", id="UTF-16 BE"),
        pytest.param(PLAIN.encode("utf-32"), "rows.csv", id="UTF-32"),
        pytest.param(gzip.compress(PLAIN.encode()), "rows.csv.gz", id="gzip"),
        pytest.param(gzip.compress(PLAIN.encode()), "rows.csv", id="gzip by another name"),
        pytest.param(PLAIN.encode(), "rows.csv.gz", id="a browser unpacked it"),
        pytest.param(
            gzip.compress(codecs.BOM_UTF8 + PLAIN.encode()), "rows.csv.gz", id="gzip with a mark"
        ),
        pytest.param(PLAIN.replace(",", ";").encode(), "rows.csv", id="semicolons"),
        pytest.param(PLAIN.replace(",", "\t").encode(), "rows.tsv", id="tabs"),
        pytest.param(PLAIN.replace(",", "|").encode(), "rows.txt", id="bars"),
        pytest.param(PLAIN.replace("\n", "\r\n").encode(), "rows.csv", id="Windows"),
        pytest.param(PLAIN.replace("\n", "\r").encode(), "rows.csv", id="old Macintosh"),
        pytest.param(f"\n{PLAIN}\n \n".encode(), "rows.csv", id="blank lines"),
        pytest.param(PLAIN.replace("2,bar,3\n", "2,bar,3,,\n").encode(), "rows.csv", id="commas"),
        pytest.param(PLAIN.replace("amount", " amount ").encode(), "rows.csv", id="blank in name"),
        pytest.param(PLAIN.replace("bar", '"bar"').encode(), "rows.csv", id="quotes"),
    ],
)
def test_table_is_read_right(tmp_path: Path, content: bytes, name: str) -> None:
    """Whatever wrote it, the cells are the same."""
    assert read(write(tmp_path, content, name)) == CELLS


def test_separator_within_quotes_is_none(tmp_path: Path) -> None:
    """A header with a comma in a quoted name, separated by semicolons."""
    file = write(tmp_path, b'"id, own";amount\n1;2\n')

    assert read(file, ["id, own", "amount"]) == [["1", "2"]]


def test_header_shorter_than_its_rows_does_not_shift_the_names(tmp_path: Path) -> None:
    """Rows that end with a comma, as some databases write them."""
    file = write(tmp_path, b"id,fraud,flag,amount,age\n0,0,1,12.50,40,\n")

    assert read(file, ["fraud", "amount", "age"]) == [["0", "12.50", "40"]]


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "rows.csv", "rows.csv is empty"),
        (b"\n\n", "rows.csv", "rows.csv is empty"),
        (b"id,shop,amount\n7,1,bar,3\n", "rows.csv", "row 0: it has 4 cells, the header has 3"),
        (PLAIN.encode() + b"3,cut", "rows.csv", "row 2: it has 2 cells, the header has 3"),
        (PLAIN.encode("latin-1"), "rows.csv", "it is not utf-8 text"),
        (PLAIN.encode("utf-16-le"), "rows.csv", "it is no text"),
        (gzip.compress(PLAIN.encode())[:-12], "rows.csv.gz", "cannot be read as a table"),
        (gzip.compress(PLAIN.encode())[:10] + b"x" * 20, "rows.csv.gz", "cannot be read as"),
        (b"PK\x03\x04rest", "rows.xlsx", "is a ZIP or Excel file: save its table as CSV"),
        (b"PAR1rest", "rows.csv", "cannot be read as a table"),
        (b"id,amount,amount,shop\n", "rows.csv", "has 2 columns 'amount': rename all but one"),
        (b'id,shop,amount\n1,"' + b"x" * 200_000, "rows.csv", "cannot be read as a table: field"),
    ],
    ids=[
        "empty", "blank", "one cell more", "cut", "Latin-1", "UTF-16 without a mark", "gzip, cut",
        "gzip, broken", "Excel", "Parquet, broken", "a name twice", "a quote that never ends",
    ],
)  # fmt: skip
def test_table_that_cannot_be_read(
    tmp_path: Path, content: bytes, name: str, sentence: str
) -> None:
    """One sentence with the file and what is wrong with it."""
    with pytest.raises(ReplayError) as caught:
        read(write(tmp_path, content, name))

    assert sentence in str(caught.value) and name in str(caught.value)


def test_name_that_stands_twice_and_is_not_used(tmp_path: Path) -> None:
    """It does not matter."""
    file = write(tmp_path, b"note,id,note\na,1,b\n")

    assert read(file, ["id"]) == [["1"]]


def test_parquet_by_any_name_with_columns_of_any_type(tmp_path: Path) -> None:
    """Lists, structures, bytes and times to the nanosecond beside what is read."""
    frame = pandas.DataFrame(
        {
            "list": [[1, 2], None],
            "struct": [{"a": 1}, {"a": 2}],
            "bytes": [b"\xff", b""],
            "nanoseconds": pandas.to_datetime([1, 2], unit="ns"),
            "id": [1, None],
            "a.b": ["x", "y"],
        }
    )
    path = tmp_path / "rows.table"
    frame.to_parquet(path)

    assert read(path, ["id", "a.b"]) == [[1.0, "x"], [None, "y"]]
    assert read(path, ["list"]) == [[[1, 2]], [None]]
