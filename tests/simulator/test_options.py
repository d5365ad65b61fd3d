"""What the command line takes, what it refuses and with which sentence; --help."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.main import main
from simulator.options import read_options
from simulator.replay.replay import Replay
from simulator.traffic.delayed_labels import LabelDelay


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A file that exists."""
    path = tmp_path / "rows.csv"
    path.touch()
    return path


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rate", "0"], "argument --rate: must be a number above 0, got '0'"),
        (["--rate", "inf"], "must be a number above 0, got 'inf'"),
        (["--rate", "fast"], "must be a number above 0, got 'fast'"),
        (["--count", "0"], "argument --count: must be a whole number of at least 1, got '0'"),
        (["--count", "1.5"], "must be a whole number of at least 1, got '1.5'"),
        (["--duration", "-1"], "argument --duration: must be a number above 0"),
        (["--seed", "abc"], "argument --seed: must be a whole number of at least 0, got 'abc'"),
        (["--faulty", "2"], "argument --faulty: must be a share from 0 to 1, got '2'"),
        (["--max-failed", "nan"], "argument --max-failed: must be a share from 0 to 1"),
        (["--timeout", "0"], "argument --timeout: must be a number above 0"),
        (["--wait-for-target", "-3"], "must be a number of at least 0, got '-3'"),
        (["--max-in-flight", "0"], "argument --max-in-flight: must be a whole number"),
        (["--url", "localhost:5000"], "the target must be an address as http://localhost"),
        (["--url", "http://"], "the target must be an address"),
        (["--url", "http://a:99999"], "the target must be an address"),
        (["--url", "http://a/?x=1"], "the target must be an address"),
        (["--summary", "/no/such/folder/x.md"], "--summary must be in a folder that exists"),
        (["--summary", "/"], "--summary must be a file that can be written, got '/'"),
        (["--token", "secret"], "unrecognized arguments: --token"),
        (["--coun", "5"], "unrecognized arguments: --coun"),
    ],
)
def test_run_refuses_wrong_usage(
    capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    """Code 2 and one sentence naming the option and the value; nothing is sent."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err


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
def test_options_that_do_not_go_together(
    table: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    """Code 2 and one sentence."""
    words = [str(table) if word == "FILE" else word for word in arguments]

    with pytest.raises(SystemExit) as ended:
        read_options(words, {})

    assert ended.value.code == 2 and sentence in capsys.readouterr().err


def test_usage_of_a_replay(table: Path) -> None:
    """No invalid requests of its own; labels follow where there is a column of true classes."""
    options = read_options(
        ["--replay", str(table), "--target", "Class", "--time", "when", "--rows", "1:3"], {}
    )

    assert options.invalid.share == 0 and options.labels == LabelDelay(0, 1)
    assert options.replay == Replay(table, "Class", "when", 1, 1, 3)
    assert read_options(["--replay", str(table)], {}).labels is None


def test_help_names_every_exit_code_and_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """What a newcomer needs is in --help."""
    with pytest.raises(SystemExit):
        main(["--help"])

    text = capsys.readouterr().out
    for word in ("SIMULATOR_TARGET", "ACCESS_TOKEN", "exit codes", "  3  ", "--wait-for-target"):
        assert word in text
    for word in ("delayed labels (feedback)", "open-loop", "HTTPS_PROXY", "NO_PROXY", "Loopback"):
        assert word in text
