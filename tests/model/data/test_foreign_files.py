"""Files as other programs write them: read right, with a note, or refused with the option."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.cli import main
from model.data.dataset import Dataset
from model.data.files import Reading, Table, read_table
from model.data.labels import read_labels
from model.data.schema import infer_column
from model.data.tables import Layout, build_dataset
from model.data.times import read_times
from model.serving.errors import ModelError


def save(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read_notes(table: Table) -> str:
    return "; ".join(table.notes)


def build(frame: pd.DataFrame, **layout: object) -> Dataset:
    options = {"target": "fraud", "whole": True} | layout
    return build_dataset(Table(frame, ()), Layout(**options), "x.csv", "0")  # type: ignore[arg-type]


def test_rows_that_end_in_a_comma_keep_their_names(tmp_path: Path) -> None:
    """A header shorter than its rows: pandas would take the first column for an index."""
    rows = "id,fraud,flag,amount,age\n0,0,1,12.50,40,\n1,1,0,99.00,30,\n"
    table = read_table(save(tmp_path, rows))

    assert table.frame.to_dict("list") == {
        "id": [0, 1],
        "fraud": [0, 1],
        "flag": [1, 0],
        "amount": [12.5, 99.0],
        "age": [40, 30],
    }
    assert "every row ends in a separator" in read_notes(table)


UNREADABLE: dict[str, tuple[str, str, str]] = {
    "one field more": ("a,b\n1,2,3\n4,5,6\n", "utf-8", "line 2 has 3 fields, the header 2"),
    "one field less": ("a,b,c\n1,2,3\n4,5\n", "utf-8", "line 3 has 2 fields, the header 3"),
    "some end in a comma": ("a,b\n1,2,\n4,5\n", "utf-8", "1 of 2 rows end in ','"),
    "behind a quote": ('a,b\n"1,0",2\n3\n', "utf-8", "line 3 has 1 fields, the header 2"),
    "semicolons": ("a;b\n1;2\n", "utf-8", r"--separator ';'"),
    "tabs": ("a\tb\n1\t2\n", "utf-8", "--separator tab"),
    "UTF-16": ("a,b\n1,2\n", "utf-16", "--encoding utf-16"),
    "Latin-1": ("a,b\nZürich,2\n", "latin-1", "--encoding latin-1"),
    "two of one name": ("amount,b,amount\n1,2,3\n", "utf-8", r"columns 1, 3 are called 'amount'"),
    "two of one name but for a blank": ("amount, amount\n1,2\n", "utf-8", "are called 'amount'"),
    "UTF-16 without a mark": ("a,b\n1,2\n", "utf-16-le", "--encoding utf-16-le"),
    "Excel's first line": ("sep=;\na;b\n1;2\n", "utf-8", "--separator ';'"),
    "no header": ("0,12.5\n1,7.5\n", "utf-8", "begins with a line of numbers, not of names"),
    "nothing": ("", "utf-8", "it is empty"),
    "no name": ("a,,b\n1,x,2\n2,y,3\n", "utf-8", "column 2 has no name"),
}


@pytest.mark.parametrize(
    ("text", "encoding", "sentence"), UNREADABLE.values(), ids=UNREADABLE.keys()
)
def test_file_that_would_need_a_guess_is_refused_with_the_option(
    tmp_path: Path, text: str, encoding: str, sentence: str
) -> None:
    with pytest.raises(ModelError, match=sentence):
        read_table(save(tmp_path, text, encoding))


READ: dict[str, tuple[str, str, Reading]] = {
    "separator": ("a;b\n1;2,5\n", "utf-8", Reading(separator=";", decimal=",")),
    "encoding": ("a,b\n1,2.5\n", "utf-16", Reading(encoding="utf-16")),
    "byte order mark": ("a,b\n1,2.5\n", "utf-8-sig", Reading()),
    "unit": ("a,b\n1,$2.5\n", "utf-8", Reading(units=("$",))),
    "blanks in names": (" a, b \n1,2.5\n", "utf-8", Reading()),
    "quotes": ('a,b\n"1","2.5"\n', "utf-8", Reading()),
    "a comma at the end of every line": ("a,b,\n1,2.5,\n", "utf-8", Reading()),
    "row numbers": (",a,b\n0,1,2.5\n", "utf-8", Reading()),
}


@pytest.mark.parametrize(("text", "encoding", "reading"), READ.values(), ids=READ.keys())
def test_file_is_read_as_it_is_written(
    tmp_path: Path, text: str, encoding: str, reading: Reading
) -> None:
    assert read_table(save(tmp_path, text, encoding), reading).frame.to_dict("list") == {
        "a": [1],
        "b": [2.5],
    }


@pytest.mark.parametrize(
    "texts",
    [
        ["01/01/2024", "02/01/2024"],
        ["2024-01-31T10:00:00Z", "2024-02-01"],
        ["01.02.2024", "02.02.2024", "2024-02-03"],
        pd.to_datetime(["2024-01-31", "2024-02-01"]),
    ],
    ids=["slashes", "ISO", "mixed", "timestamps"],
)
def test_dates_are_never_silently_categories(texts: list[str]) -> None:
    with pytest.raises(ModelError, match="order the rows by them with --time when, or leave"):
        infer_column("when", pd.Series(texts))


def test_odd_features_are_said_with_the_option() -> None:
    """They may be meant, so they stay."""
    frame = pd.DataFrame(
        {
            "my id": range(20),
            "day": [20240101 + number % 9 for number in range(20)],
            "country": ["DE", " DE", "de", "FR"] * 5,
            "fraud": [0, 1] * 10,
        }
    )

    notes = "; ".join(build(frame).notes)

    assert "'my id' numbers the rows and is a feature all the same: --drop 'my id'?" in notes
    assert "'day' looks like dates (20240101)" in notes
    assert "' DE' and 'DE' and 'de' are different categories" in notes


def test_row_numbers_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    table = read_table(save(tmp_path, ",amount\n5,1\n6,2\n7,3\n"))

    assert list(table.frame.columns) == ["amount"]
    assert "numbers the rows and was left out" in read_notes(table)


def test_words_that_were_read_as_missing_are_said_and_may_be_kept(tmp_path: Path) -> None:
    """NA is Namibia, None a kind of card."""
    path = save(tmp_path, "country,amount\nNA,1\nDE,2\n,3\nNA,4\n")

    table = read_table(path)
    kept = read_table(path, Reading(missing=()))

    assert "column 'country': 'NA' 2 times was read as missing" in read_notes(table)
    assert kept.frame.country.isna().tolist() == [False, False, True, False]
    assert "NA" not in read_notes(kept)


TIMES: dict[str, tuple[list[object], str]] = {
    "days up to 12": (["01/01/2024", "02/01/2024"], "day and month cannot be told apart"),
    "day first": (["31/01/2024", "02/01/2024"], "--time-format %d/%m/%Y"),
    "month first": (["01/31/2024", "02/01/2024"], "--time-format %m/%d/%Y"),
    "dots": (["31.01.24", "02.01.24"], r"--time-format %d.%m.%y"),
    "mixed": (["2024-01-31", "31/01/2024"], "--time-format"),
    "words": (["1 Feb 2024", "2 Feb 2024"], "holds neither numbers nor dates of one form"),
    "milliseconds": ([1_700_000_000_000, 1_700_000_001_000], "--time-format ms"),
    "dates as numbers": ([20240131, 20240201], "--time-format %Y%m%d"),
}


@pytest.mark.parametrize(("values", "sentence"), TIMES.values(), ids=TIMES.keys())
def test_times_that_would_need_a_guess_are_asked(values: list[object], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence) as caught:
        read_times(pd.Series(values, name="when"))
    assert str(caught.value).startswith("time column 'when'")


@pytest.mark.parametrize(
    ("values", "format"),
    [
        (["31/01/2024 00:00", "01/02/2024 00:00"], "%d/%m/%Y %H:%M"),
        ([1_706_659_200_000, 1_706_745_600_000], "ms"),
        ([20240131, 20240201], "%Y%m%d"),
        (["2024-01-31", "2024-02-01T00:00:00Z"], None),
    ],
)
def test_times_are_read_as_they_are_said_to_be_written(
    values: list[object], format: str | None
) -> None:
    seconds = read_times(pd.Series(values, name="when"), format)

    assert seconds.tolist() == [1_706_659_200, 1_706_745_600]


def test_time_of_another_form_is_named() -> None:
    with pytest.raises(ModelError, match="'soon' is not a date of the form %d/%m/%Y"):
        read_times(pd.Series(["31/01/2024", "soon"], name="when"), "%d/%m/%Y")


LABELS: dict[str, tuple[list[object], str]] = {
    "words": (["No", "Yes", "No"], "--positive Yes"),
    "minus one": ([-1, 1, -1], "--positive 1"),
    "one and two": ([1, 1, 2], "--positive 2"),
}


@pytest.mark.parametrize(("labels", "sentence"), LABELS.values(), ids=LABELS.keys())
def test_labels_that_are_not_0_and_1_are_refused_with_the_option(
    labels: list[object], sentence: str
) -> None:
    frame = pd.DataFrame({"fraud": labels})

    with pytest.raises(ModelError, match=sentence):
        read_labels(frame, "fraud", None, [])

    positive = sentence.split()[-1]
    _, target = read_labels(frame, "fraud", positive, [])
    assert target.tolist() == [int(str(label) == positive) for label in labels]


def test_label_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match=r"holds no 'yes' \(--positive\) but No, Yes"):
        read_labels(pd.DataFrame({"fraud": ["No", "Yes"]}), "fraud", "yes", [])


def test_51_states_need_one_option(tmp_path: Path) -> None:
    states = pd.Series([f"S{number:02}" for number in range(51)] * 2, name="state")

    with pytest.raises(ModelError, match="--most-categories 51"):
        infer_column("state", states)
    assert len(infer_column("state", states, 51).categories or ()) == 51


def test_column_of_lists_is_refused_or_left_out(tmp_path: Path) -> None:
    frame = pd.DataFrame({"amount": [1.0, 2.0, 3.0], "tags": [["a"], [], ["b", "c"]]})
    frame["fraud"] = [0, 1, 0]
    frame.to_parquet(tmp_path / "rows.parquet")
    read = read_table(tmp_path / "rows.parquet").frame

    with pytest.raises(ModelError, match=r"column 'tags' holds ndarray values.*--drop tags"):
        build(read)
    assert [column.name for column in build(read, drop=("tags",)).columns] == ["amount"]


@pytest.mark.parametrize("largest", [1.797e308, -1.797e308, 1e31])
def test_number_beyond_any_quantity_is_refused(largest: float) -> None:
    with pytest.raises(ModelError, match="larger than any quantity"):
        infer_column("amount", pd.Series([1.0, largest]))


def test_options_reach_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Semicolons, decimal commas, German dates and labels in words, in one command each."""
    random = np.random.default_rng(1)
    lines = ["wann;betrag;betrug"]
    for day in range(400):
        fraud = random.random() < 0.3
        amount = f"{random.lognormal(3 + fraud, 1):.2f}".replace(".", ",")
        lines.append(f"{day % 28 + 1:02}.{day // 28 % 12 + 1:02}.{2024 + day // 336};{amount};"
                     f"{'ja' if fraud else 'nein'}")  # fmt: skip
    path = save(tmp_path, "\n".join(lines) + "\n")
    file = ["--data", str(path), "--target", "betrug", "--positive", "ja", "--decimal", ","]
    file += ["--separator", ";"]
    models = ["--models", str(tmp_path / "models")]
    times = ["--time", "wann", "--time-format", "%d.%m.%Y"]

    assert main(["train", *models, *file, *times, "--candidates", "logistic"]) == 0
    assert main(["evaluate", *models, *file]) == 0
    assert "fraud is 'ja' in column 'betrug'" in capsys.readouterr().out


def test_label_that_is_not_known_is_named_with_the_option() -> None:
    frame = pd.DataFrame({"fraud": ["legit", "fraud", "unknown"]})

    for positive in (None, "fraud"):
        with pytest.raises(ModelError, match=r"'not known'.* --missing LABEL"):
            read_labels(frame, "fraud", positive, [])


def test_true_and_false_may_be_named_as_the_file_writes_them() -> None:
    """pandas has made TRUE a boolean by then."""
    _, target = read_labels(pd.DataFrame({"fraud": [True, False]}), "fraud", "TRUE", [])

    assert target.tolist() == [1, 0]
