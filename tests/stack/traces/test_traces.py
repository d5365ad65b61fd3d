"""`traces` in the terminal: a list, a waterfall by id, and sentences where there is nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stack.commands.traces import show_traces
from stack.errors import StackError
from stack.settings import Settings, read_settings
from stack.traces.spans import FILE
from stack.traces.waterfall import TOLD
from tests.lab.paths import ROOT
from tests.stack.traces.exports import OTHER, REQUEST, SCORE, TRACE, VALIDATE, export, span


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Two traces, in a terminal of 80 columns and in UTC."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    made = read_settings(tmp_path, {})
    made.traces.mkdir(parents=True)
    failed = span("POST /predict", "c1", 50, 52, trace=OTHER, http__response__status_code=500)
    (made.traces / FILE).write_text(export(REQUEST, VALIDATE, SCORE) + export(failed))
    return made


def test_list_says_what_became_of_each(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert show_traces(settings, None) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.split() == [
        "1970-01-01", "00:00:50", OTHER, "POST", "/predict", "2.00", "s", "failed", "·", "500",
    ]  # fmt: skip
    assert second.endswith("20.00 ms  200 · fraud")
    assert last == "2 are kept. One of them: ./start_mlops.sh traces ID"


@pytest.mark.parametrize("wanted", [TRACE, TRACE[:6], f" {TRACE.upper()} "])
def test_waterfall_has_each_span_at_its_time(
    settings: Settings, capsys: pytest.CaptureFixture[str], wanted: str
) -> None:
    """Children below their parent, bars where they were, as wide as they lasted."""
    assert show_traces(settings, wanted) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{TRACE}  fraud-handler  1970-01-01 00:00:10  20.00 ms",
        "POST /predict                ████████████████████   20.00 ms  200",
        "  validate                   ██                      2.00 ms",
        "  score                           ██████████        10.00 ms  fraud",
    ]


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("5b8e", "'5b8e' is not enough"),
        ("5b", "'5b' is not enough"),
        ("", "'' is not enough"),
        ("ffffffff", r"No kept trace has the id 'ffffffff'\. Kept are failed"),
        ("../../etc", "No kept trace has the id"),
    ],
)
def test_id_that_names_no_one_trace_is_answered(
    settings: Settings, wanted: str, sentence: str
) -> None:
    with pytest.raises(StackError, match=sentence):
        show_traces(settings, wanted)


def test_no_traces_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"No trace is in .*traces: a native start keeps them"):
        show_traces(read_settings(tmp_path, {}), None)


def test_a_reader_that_goes_away_is_no_error() -> None:
    """As in `./start_mlops.sh traces | head`."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "stack", "status"]
    with os.fdopen(writing) as pipe:
        ran = subprocess.run(command, cwd=ROOT, stdout=pipe, stderr=subprocess.PIPE, text=True)
    assert (ran.returncode, ran.stderr) == (128 + signal.SIGPIPE, "")


def test_live_view_tells_the_same_of_a_span() -> None:
    """In another language, so that it is written twice."""
    script = (ROOT / "prometheus" / "live_view" / "js" / "waterfall.js").read_text("utf-8")
    found = re.search(r"const TOLD = (\{.*?),\n\};", script, re.DOTALL)
    assert found is not None
    assert json.loads(found[1] + "}") == TOLD
