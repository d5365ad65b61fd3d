"""The rows of a table, in their order and at their pace."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any, Protocol

import pytest

from simulator.contract.errors import ReplayError
from simulator.contract.model_info import ModelInfo
from simulator.contract.vocabulary import FRAUD, LEGITIMATE
from simulator.replay.replay import Replay
from simulator.replay.replay_plan import plan_replay
from simulator.replay.rows import check_replay
from simulator.target.model_info_parser import parse_model_info
from simulator.traffic.arrivals import LoadProfile
from simulator.traffic.delayed_labels import LabelDelay
from simulator.traffic.planned_request import PlannedRequest
from tests.simulator.faulty_target import describe_model

HEAD = "when,age,amount,note,account_balance,transaction_frequency,location_risk,Class\n"
ROWS = (
    "0,30,12.5,a,100,2,0.1,0\n"
    "10,40.0,,b,200,3,0.2,1\n"
    "10,50,30,c,300,4,0.3,\n"
    "40,60,40,d,400,5,0.4,true\n"
)  # fmt: skip
AT_FIVE = LoadProfile(rate=5)


class WriteTable(Protocol):
    """Writes a CSV file, by default with HEAD and ROWS."""

    def __call__(self, rows: str = ROWS, name: str = "rows.csv", head: str = HEAD) -> Path: ...


@pytest.fixture
def table(tmp_path: Path) -> WriteTable:
    def write(rows: str = ROWS, name: str = "rows.csv", head: str = HEAD) -> Path:
        path = tmp_path / name
        text = (head + rows).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    return write


def plan(
    info: ModelInfo,
    replay: Replay,
    load: LoadProfile = AT_FIVE,
    labels: LabelDelay | None = None,
    seed: int = 1,
) -> list[PlannedRequest]:
    return list(plan_replay(info, seed, load, replay, labels))


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.parquet"])
def test_replay_sends_the_rows_as_they_are(
    info: ModelInfo, table: WriteTable, tmp_path: Path, name: str
) -> None:
    """In file order; only the model's features, whole numbers whole, an empty cell null."""
    path = table(name="rows.csv" if name.endswith("parquet") else name)
    if name.endswith("parquet"):
        import pandas

        frame = pandas.read_csv(path, dtype={"Class": str})
        path = tmp_path / name
        frame.to_parquet(path)

    requests = plan(info, Replay(path, "Class", "when"), labels=LabelDelay(1))

    bodies = [json.loads(r.body) for r in requests]
    assert bodies[0] == {
        "amount": 12.5,
        "age": 30,
        "account_balance": 100.0,
        "transaction_frequency": 2,
        "location_risk": 0.1,
    }
    assert bodies[1]["amount"] is None and b'"age": 40,' in requests[1].body
    assert [r.label and r.label.true_class for r in requests] == [LEGITIMATE, FRAUD, None, FRAUD]
    assert [r.due for r in requests] == [0, 10, 10, 40]


def test_replay_speed_divides_the_times_and_leaves_the_labels(
    info: ModelInfo, table: WriteTable
) -> None:
    """N times as fast; a label's delay is the simulator's own."""
    replay = Replay(table(), "Class", "when", speed=20)

    requests = plan(info, replay, labels=LabelDelay(4))

    assert [r.due for r in requests] == [0, 0.5, 0.5, 2]
    assert all(2 <= r.label.delay <= 6 for r in requests if r.label)


def test_replay_takes_dates(info: ModelInfo, table: WriteTable) -> None:
    """With a zone or in UTC."""
    rows = (
        "2026-01-01T00:00:00Z,30,1,a,1,1,0.1,0\n"
        "2026-01-01 01:00:10+01:00,30,1,a,1,1,0.1,0\n"
        "2026-01-01 00:00:30,30,1,a,1,1,0.1,0\n"
    )

    assert [r.due for r in plan(info, Replay(table(rows), time_column="when"))] == [0, 10, 30]


def test_replay_without_times_has_the_pace_of_the_seed(info: ModelInfo, table: WriteTable) -> None:
    """As usual traffic."""
    replay = Replay(table(), "Class")

    first, again, other = (plan(info, replay, seed=seed) for seed in (1, 1, 2))

    assert first == again and [r.body for r in first] == [r.body for r in other]
    assert [r.due for r in first] != [r.due for r in other]
    assert all(r.label is None for r in first)


def test_replay_of_a_part(info: ModelInfo, table: WriteTable) -> None:
    """Rows A up to before B; times begin with the first that is sent."""
    path = table()

    assert [r.due for r in plan(info, Replay(path, None, "when", 1, 1, 3))] == [0, 0]
    assert len(plan(info, Replay(path, first=3))) == 1
    assert len(plan(info, Replay(path), LoadProfile(5, count=2))) == 2
    assert len(plan(info, Replay(path, time_column="when"), LoadProfile(duration=10))) == 1


def test_replay_knows_categories_and_booleans(table: WriteTable) -> None:
    """As the model names them."""
    document = describe_model()
    document["features"].append({"name": "note", "type": "category", "categories": ["a", "b"]})
    document["features"].append({"name": "Class", "type": "boolean"})
    rows = "0,30,1,a,1,1,0.1,1\n0,30,1,,1,1,0.1,False\n"

    requests = plan(parse_model_info(document), Replay(table(rows)))

    got = [(json.loads(r.body)["note"], json.loads(r.body)["Class"]) for r in requests]
    assert got == [("a", True), (None, False)]


def test_replay_streams(info: ModelInfo, table: WriteTable) -> None:
    """The first request is there before the last row is read: a fault at the end comes last."""
    path = table(ROWS + "50,x,1,a,1,1,0.1,0\n")
    requests = plan_replay(info, 1, LoadProfile(5), Replay(path), None)

    assert [next(requests).number for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ReplayError):
        next(requests)


@pytest.mark.parametrize(
    ("rows", "replay", "sentence"),
    [
        ("0,x,1,a,1,1,0.1,0\n", {}, "row 0: age must be a number, got 'x'"),
        ("0,3,inf,a,1,1,0.1,0\n", {}, "row 0: amount must be a number, got 'inf'"),
        (
            ROWS + "0,3,1,a,1,1,0.1,2\n",
            {"label_column": "Class"},
            "row 4: Class must be 0 or 1, false",
        ),
        (ROWS, {"label_column": "label"}, "has no column 'label'; its columns are when, age"),
        (ROWS, {"time_column": "moment"}, "has no column 'moment'"),
        (
            ROWS + "39,3,1,a,1,1,0.1,0\n",
            {"time_column": "when"},
            "row 4: when goes back in time; sort",
        ),
        (
            "soon,3,1,a,1,1,0.1,0\n",
            {"time_column": "when"},
            "row 0: when must be seconds or a date",
        ),
        (",3,1,a,1,1,0.1,0\n", {"time_column": "when"}, "when must be seconds or a date, got None"),
        ("", {}, "holds no rows from 0 on"),
        (ROWS, {"first": 9}, "holds no rows from 9 on"),
    ],
)
def test_replay_refuses_before_anything_is_sent(
    info: ModelInfo, table: WriteTable, rows: str, replay: dict[str, Any], sentence: str
) -> None:
    """One sentence names file, row and column."""
    with pytest.raises(ReplayError) as caught:
        check_replay(info, Replay(table(rows), **replay))

    assert sentence in str(caught.value) and "rows.csv" in str(caught.value)


def test_replay_needs_every_feature(info: ModelInfo, table: WriteTable) -> None:
    """And names the one that is missing."""
    with pytest.raises(ReplayError, match="no column 'amount'; its columns are age, price"):
        check_replay(info, Replay(table("1,2\n", head="age,price\n")))


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.parquet"])
def test_replay_of_what_is_no_table(info: ModelInfo, tmp_path: Path, name: str) -> None:
    """A file by another name."""
    path = tmp_path / name
    path.write_bytes(b"\x00\x01nonsense" * 10)

    with pytest.raises(ReplayError, match=f"{name} cannot be read as a table"):
        check_replay(info, Replay(path))


def test_replay_of_parquet_without_its_reader(
    info: ModelInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environment of the simulator has none: the sentence names two ways out."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ReplayError, match=r"run the simulator from \.venv/dev, or make it a CSV"):
        check_replay(info, Replay(tmp_path / "rows.parquet"))
