"""What others wrote is stopped when its time is up, and its errors are its own."""

from __future__ import annotations

import os
import time

import pytest

from model.onnx.errors import NotConverted, OutOfTime
from model.onnx.time_limit import run_limited


def run_for_ever() -> None:
    while True:
        pass


def fail() -> None:
    raise NotConverted("no way leads there")


def test_result_comes_back() -> None:
    assert run_limited(lambda: [1, 2], 60, "adding", print) == [1, 2]


def test_what_does_not_end_is_killed_and_named() -> None:
    began = time.monotonic()

    with pytest.raises(OutOfTime, match=r"converting did not end within 0\.5 s and was stopped"):
        run_limited(run_for_ever, 0.5, "converting", print)

    assert time.monotonic() - began < 10


def test_progress_says_that_it_is_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr("model.onnx.time_limit._TELL_EVERY", 0.1)

    with pytest.raises(OutOfTime):
        run_limited(run_for_ever, 0.5, "converting", lines.append)

    assert lines and all(line.startswith("converting: ") for line in lines)


def test_own_errors_are_raised_here() -> None:
    with pytest.raises(NotConverted, match="no way leads there"):
        run_limited(fail, 60, "converting", print)


def test_process_that_dies_is_an_error() -> None:
    with pytest.raises(Exception, match="ended its process without an answer"):
        run_limited(lambda: os._exit(3), 60, "converting", print)
