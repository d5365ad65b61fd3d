"""`python -m bench --help` names every measurement, and each is a command that takes options."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.catalogue import list_measurements
from tests.lab.paths import ROOT


def run_help(call: str) -> str:
    words = call.split()[1:]
    done = subprocess.run(
        [sys.executable, *words, "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("call", list_measurements())
def test_measurement_has_a_help(call: str) -> None:
    assert f"usage: {call} " in run_help(call)


def test_help_lists_every_measurement_with_what_it_measures() -> None:
    printed = run_help("python -m bench")
    assert len(list_measurements()) >= 6
    for call, what in list_measurements().items():
        assert what.endswith(".")
        assert f"  {call}\n      {what}\n" in printed
