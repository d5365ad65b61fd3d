"""A real stream of labels through the outcome counters: its ordinary swings raise no alert.

Recall per tenth of the log goes from 0.87 to 0.62 at 22 to 93 frauds each. The log is replayed
evenly over its 48 hours, against cards with the figures of a part of it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from tests.lab.paths import ROOT
from tests.lab.promtool import Case, Question, run
from tests.prometheus.rules.series import ONE_OUTCOME, constant, handler

LOG = ROOT.parent / "shared/data/label_log.csv.gz"
# Recall's line into the future asks for a point every eight minutes.
STEP_MINUTES, STEPS = 5, 576
ALERTS = ("LiveQualityLow", "LiveQualitySoonLow")

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(not LOG.exists(), reason="../shared/data is not on this machine"),
]

Rows = npt.NDArray[np.int64]


@pytest.fixture(scope="module")
def log() -> Rows:
    """Truth and decision, a row each."""
    return pd.read_csv(LOG, usecols=["truth", "pred"]).to_numpy()


def card(rows: Rows) -> dict[str, str]:
    """A model whose holdout these rows were."""
    truth, decision = rows.T
    hits, frauds, alarms = (truth & decision).sum(), truth.sum(), decision.sum()
    figures = {
        "accuracy": (truth == decision).mean(),
        "precision": hits / alarms,
        "recall": hits / frauds,
    }
    found = handler("model_version", constant(1, STEPS), role="champion", version="1-ab12cd34")
    for measure, value in figures.items():
        found |= handler(f"model_{measure}", constant(value, STEPS), evaluation="holdout")
    for name, value in {
        "rows": len(rows), "frauds": frauds, "alert_rate": alarms / len(rows), "mean_score": 0.002,
    }.items():  # fmt: skip
        found |= handler(f"model_holdout_{name}", constant(value, STEPS))
    return found


def replayed(rows: Rows) -> dict[str, str]:
    """The four outcome counters over 48 hours."""
    found: dict[str, str] = {}
    ends = np.linspace(0, len(rows), STEPS + 1).astype(int)
    names = ("legitimate", "fraud")
    for truth in (0, 1):
        for decision in (0, 1):
            total = np.cumsum((rows == (truth, decision)).all(1))
            values = " ".join(str(total[end - 1] if end else 0) for end in ends)
            labels = {"class_name": names[decision], "truth": names[truth]}
            found |= handler("outcomes_total", values, **ONE_OUTCOME | labels)
            found |= handler("outcome_ages_total", values, age="1h", **labels)
    return found


def fired(alert: str) -> str:
    """How many instances of the alert fired at any time, by measure."""
    firing = f'ALERTS{{alertname="{alert}", alertstate="firing"}}'
    return f"count by (measure) (count_over_time({firing}[48h]))"


@pytest.mark.parametrize("alert", ALERTS)
@pytest.mark.parametrize("share", [0.1, 0.5, 1.0], ids=lambda share: f"card of {share:.0%}")
def test_ordinary_swings_raise_no_alert(
    tools: Path, tmp_path: Path, log: Rows, share: float, alert: str
) -> None:
    """Whether the card's figures are of the first and best tenth, of the first day, or of all."""
    series = card(log[: int(share * len(log))]) | replayed(log)
    case = Case("log", series, (Question(fired(alert), "48h"),), f"{STEP_MINUTES}m")
    wrong = run(tools, tmp_path, [case], alert, f"{STEP_MINUTES}m")
    assert not wrong, wrong


def test_the_same_log_with_half_its_hits_raises_one(tools: Path, tmp_path: Path, log: Rows) -> None:
    """In the second day every other fraud that was found is missed: in either window."""
    worse, second = log.copy(), np.arange(len(log)) >= len(log) // 2
    [hits] = np.nonzero((log == (1, 1)).all(1) & second)
    worse[hits[::2], 1] = 0
    question = Question(fired("LiveQualityLow"), "48h", (('{measure="recall"}', 2),))
    case = Case("worse", card(log) | replayed(worse), (question,), f"{STEP_MINUTES}m")
    wrong = run(tools, tmp_path, [case], "LiveQualityLow", f"{STEP_MINUTES}m")
    assert not wrong, wrong
