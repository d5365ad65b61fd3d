"""Replays against the real application: rows, labels and outcomes agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from simulator.main import main
from tests.simulator.handler.outcomes import ReadOutcomes, summed_outcomes
from tests.simulator.runs import Simulate


def test_replay_sends_the_labels_of_the_file(
    simulate: Simulate, outcomes: ReadOutcomes, tmp_path: Path
) -> None:
    """Rows, labels and outcomes agree; a row that the service refuses is counted."""
    rows = [f"{30 + n},100,{n},2,{n / 50},{n % 2}" for n in range(50)]
    head = "age,amount,account_balance,transaction_frequency,location_risk,fraud"
    file = tmp_path / "rows.csv"
    file.write_text("\n".join([head, *rows, "17,100,1,2,0.9,1"]))

    code, summary = simulate(f"--replay {file} --target fraud")

    expected = Counter(
        ("fraud" if n / 50 >= 0.5 else "legitimate", "fraud" if n % 2 else "legitimate")
        for n in range(50)
    )
    assert code == 0 and summary["sent"] == 51 and summary["replayed"] == str(file)
    assert outcomes() == summed_outcomes(summary) == expected
    assert summary["unexpected"] == [{"kind": "valid", "expected": 200, "got": "400", "count": 1}]


@pytest.mark.parametrize("number", [2**63, 2**64, 10**30, 10**300])
def test_replay_of_integers_beyond_64_bits(
    simulate: Simulate, tmp_path: Path, counted: Callable[..., float], number: int
) -> None:
    """Sent digit by digit; the service refuses them as out of range, and nothing breaks."""
    file = tmp_path / "rows.csv"
    head = "age,amount,account_balance,transaction_frequency,location_risk"
    file.write_text(f"{head}\n{number},1,1,2,0.2\n30,1,1,{number},0.2\n30,{number},1,2,0.2\n")

    code, summary = simulate(f"--replay {file}")

    assert code == 3 and summary["by_status"] == {"400": 3}
    assert summary["error_types"] == {"out_of_range": 3}


def test_replay_of_a_table_with_a_fault_sends_nothing(
    url: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, counted: Callable[..., float]
) -> None:
    """One sentence, code 1."""
    file = tmp_path / "rows.csv"
    file.write_text("age,amount\n3,4\n")

    assert main(f"--url {url} --replay {file}".split()) == 1
    assert "has no column 'account_balance'" in capsys.readouterr().err
    assert counted("predictions_total") == 0
