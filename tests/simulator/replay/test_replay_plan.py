"""The rows of a table, in their order and at their pace."""

from __future__ import annotations

import gzip
import json
import sys

import pytest

from simulator.contract.errors import TargetError
from simulator.contract.model_info import parse_model_info
from simulator.options.command_line import read_options
from simulator.replay.replay_plan import Replay, check_replay, replay_requests
from simulator.traffic.delayed_labels import FRAUD, LEGITIMATE, Labels
from simulator.traffic.request_plan import Pace

HEAD = "when,age,amount,note,account_balance,transaction_frequency,location_risk,Class\n"
ROWS = (
    "0,30,12.5,a,100,2,0.1,0\n"
    "10,40.0,,b,200,3,0.2,1\n"
    "10,50,30,c,300,4,0.3,\n"
    "40,60,40,d,400,5,0.4,true\n"
)  # fmt: skip
AT_FIVE = Pace(rate=5)


@pytest.fixture
def table(tmp_path):
    """Writes a CSV file with HEAD."""

    def write(rows=ROWS, name="rows.csv", head=HEAD):
        path = tmp_path / name
        text = (head + rows).encode()
        path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        return path

    return write


def planned(info, replay, pace=AT_FIVE, labels=None, seed=1):
    return list(replay_requests(info, seed, pace, replay, labels))


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.parquet"])
def test_replay_sends_the_rows_as_they_are(info, table, tmp_path, name):
    """In file order; only the model's features, whole numbers whole, an empty cell null."""
    path = table(name="rows.csv" if name.endswith("parquet") else name)
    if name.endswith("parquet"):
        import pandas

        frame = pandas.read_csv(path, dtype={"Class": str})
        path = tmp_path / name
        frame.to_parquet(path)

    requests = planned(info, Replay(path, "Class", "when"), labels=Labels(1))

    bodies = [json.loads(r.body) for r in requests]
    assert bodies[0] == {
        "amount": 12.5,
        "age": 30,
        "account_balance": 100.0,
        "transaction_frequency": 2,
        "location_risk": 0.1,
    }
    assert bodies[1]["amount"] is None and b'"age": 40,' in requests[1].body
    assert [r.label and r.label.truth for r in requests] == [LEGITIMATE, FRAUD, None, FRAUD]
    assert [r.at for r in requests] == [0, 10, 10, 40]


def test_replay_speed_divides_the_times_and_leaves_the_labels(info, table):
    """N times as fast; a label's delay is the simulator's own."""
    replay = Replay(table(), "Class", "when", speed=20)

    requests = planned(info, replay, labels=Labels(4))

    assert [r.at for r in requests] == [0, 0.5, 0.5, 2]
    assert all(2 <= r.label.delay <= 6 for r in requests if r.label)


def test_replay_takes_dates(info, table):
    """With a zone or in UTC."""
    rows = (
        "2026-01-01T00:00:00Z,30,1,a,1,1,0.1,0\n"
        "2026-01-01 01:00:10+01:00,30,1,a,1,1,0.1,0\n"
        "2026-01-01 00:00:30,30,1,a,1,1,0.1,0\n"
    )

    assert [r.at for r in planned(info, Replay(table(rows), time="when"))] == [0, 10, 30]


def test_replay_without_times_has_the_pace_of_the_seed(info, table):
    """As usual traffic."""
    replay = Replay(table(), "Class")

    first, again, other = (planned(info, replay, seed=seed) for seed in (1, 1, 2))

    assert first == again and [r.body for r in first] == [r.body for r in other]
    assert [r.at for r in first] != [r.at for r in other]
    assert all(r.label is None for r in first)


def test_replay_of_a_part(info, table):
    """Rows A up to before B; times begin with the first that is sent."""
    path = table()

    assert [r.at for r in planned(info, Replay(path, None, "when", 1, 1, 3))] == [0, 0]
    assert len(planned(info, Replay(path, first=3))) == 1
    assert len(planned(info, Replay(path), Pace(5, count=2))) == 2
    assert len(planned(info, Replay(path, time="when"), Pace(duration=10))) == 1


def test_replay_knows_categories_and_booleans(describe, table):
    """As the model names them."""
    document = describe()
    document["features"].append({"name": "note", "type": "category", "categories": ["a", "b"]})
    document["features"].append({"name": "Class", "type": "boolean"})
    rows = "0,30,1,a,1,1,0.1,1\n0,30,1,,1,1,0.1,False\n"

    requests = planned(parse_model_info(document), Replay(table(rows)))

    got = [(json.loads(r.body)["note"], json.loads(r.body)["Class"]) for r in requests]
    assert got == [("a", True), (None, False)]


def test_replay_streams(info, table):
    """The first request is there before the last row is read: a fault at the end comes last."""
    path = table(ROWS + "50,x,1,a,1,1,0.1,0\n")
    requests = replay_requests(info, 1, Pace(5), Replay(path), None)

    assert [next(requests).number for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(TargetError):
        next(requests)


@pytest.mark.parametrize(
    ("rows", "replay", "sentence"),
    [
        ("0,x,1,a,1,1,0.1,0\n", {}, "row 0: age must be a number, got 'x'"),
        ("0,3,inf,a,1,1,0.1,0\n", {}, "row 0: amount must be a number, got 'inf'"),
        (ROWS + "0,3,1,a,1,1,0.1,2\n", {"target": "Class"}, "row 4: Class must be 0 or 1, false"),
        (ROWS, {"target": "label"}, "has no column 'label'; its columns are when, age"),
        (ROWS, {"time": "moment"}, "has no column 'moment'"),
        (ROWS + "39,3,1,a,1,1,0.1,0\n", {"time": "when"}, "row 4: when goes back in time; sort"),
        ("soon,3,1,a,1,1,0.1,0\n", {"time": "when"}, "row 0: when must be seconds or a date"),
        (",3,1,a,1,1,0.1,0\n", {"time": "when"}, "when must be seconds or a date, got None"),
        ("", {}, "holds no rows from 0 on"),
        (ROWS, {"first": 9}, "holds no rows from 9 on"),
    ],
)
def test_replay_refuses_before_anything_is_sent(info, table, rows, replay, sentence):
    """One sentence names file, row and column."""
    with pytest.raises(TargetError) as caught:
        check_replay(info, Replay(table(rows), **replay))

    assert sentence in str(caught.value) and "rows.csv" in str(caught.value)


def test_replay_needs_every_feature(info, table):
    """And names the one that is missing."""
    with pytest.raises(TargetError, match="no column 'amount'; its columns are age, price"):
        check_replay(info, Replay(table("1,2\n", head="age,price\n")))


@pytest.mark.parametrize("name", ["rows.csv.gz", "rows.parquet"])
def test_replay_of_what_is_no_table(info, tmp_path, name):
    """A file by another name."""
    path = tmp_path / name
    path.write_bytes(b"\x00\x01nonsense" * 10)

    with pytest.raises(TargetError, match=f"{name} cannot be read as a table"):
        check_replay(info, Replay(path))


def test_replay_of_parquet_without_its_reader(info, tmp_path, monkeypatch):
    """The environment of the simulator has none: the sentence names two ways out."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(TargetError, match=r"run the simulator from \.venv/dev, or make it a CSV"):
        check_replay(info, Replay(tmp_path / "rows.parquet"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--target", "Class"], "the service's address is --url"),
        (["--time", "Time"], "--time is about the file of --replay"),
        (["--speed", "2"], "--speed is about the file of --replay"),
        (["--rows", "1:2"], "--rows is about the file of --replay"),
        (["--replay", "none.csv"], "--replay must be a file that exists, got 'none.csv'"),
        (["--replay", "FILE", "--scenario", "drift"], "--scenario does not go with it"),
        (["--replay", "FILE", "--faulty", "0.1"], "--faulty does not go with it"),
        (["--replay", "FILE", "--time", "t", "--rate", "2"], "give one of them"),
        (["--replay", "FILE", "--speed", "2"], "--speed is about the pace of the column --time"),
        (["--replay", "FILE", "--labels-after", "2"], "--labels-after needs --target"),
        (["--replay", "FILE", "--rows", "5:5"], "must be A:B, A: or :B"),
        (["--replay", "FILE", "--rows", "5"], "must be A:B, A: or :B"),
        (["--labels", "0.5"], "--labels needs --labels-after"),
        (["--labels-after", "-1"], "argument --labels-after: must be a number of at least 0"),
        (["--scenario", "storm"], "argument --scenario: invalid choice: 'storm'"),
        (["--scenario", "concept"], "--scenario concept is about labels: it needs --labels-after"),
        (["--scenario-for", "0"], "argument --scenario-for: must be a number above 0"),
    ],
)
def test_wrong_usage(table, capsys, arguments, sentence):
    """Code 2 and one sentence."""
    words = [str(table()) if word == "FILE" else word for word in arguments]

    with pytest.raises(SystemExit) as ended:
        read_options(words, {})

    assert ended.value.code == 2 and sentence in capsys.readouterr().err


def test_usage_of_a_replay(table):
    """No faults of its own; labels follow where the truth is told."""
    options = read_options(
        ["--replay", str(table()), "--target", "Class", "--time", "when", "--rows", "1:3"], {}
    )

    assert options.mix.faulty == 0 and options.labels == Labels(0, 1)
    assert options.replay == Replay(table(), "Class", "when", 1, 1, 3)
    assert read_options(["--replay", str(table())], {}).labels is None
