"""The file of used receipts: it forgets as fast as receipts expire, and whose numbers are whose."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from handler import _open_feedback
from service.feedback import LabelledReceipt
from service.receipts import Receipts
from service.served_models import ServedModels
from service.settings import read_settings
from service.used_receipts import PendingOutcome, SqliteUsedReceipts
from telemetry.lifecycle import Telemetry, start
from tests.conftest import FACTS, SILENT, LocationRiskScorer, total


def test_expired_receipts_go_as_fast_as_they_expire(tmp_path: Path) -> None:
    """Some at each label until none is left: the file must not grow until it is full."""
    path = tmp_path / "used"
    used = SqliteUsedReceipts(path)
    used.use("first", time.time() - 1, "slot", PendingOutcome(1, "{}"))
    with sqlite3.connect(path) as connection:
        rows = [(f"old {number}", time.time() - 60) for number in range(5000)]
        connection.executemany("INSERT INTO used VALUES (?, ?)", rows)
    connection.close()
    used = SqliteUsedReceipts(path)
    for number in range(2, 12):
        used.use(f"new {number}", time.time() + 60, "slot", PendingOutcome(number, "{}"))
    with sqlite3.connect(path) as connection:
        [left] = connection.execute("SELECT count(*) FROM used").fetchone()
    connection.close()
    assert left == 10


def count_labels(folder: Path, telemetry: Telemetry, receipts: Receipts, labels: int) -> float:
    """Outcomes that a worker shows which starts with this telemetry and gets so many labels."""
    models = ServedModels(LocationRiskScorer(), None, None)
    used = SqliteUsedReceipts(folder / "used")
    feedback = _open_feedback(models, receipts, used, telemetry, read_settings({}))
    for _ in range(labels):
        receipt = receipts.issue("1-abcd1234", "fraud", 0.6, "basic", "low")
        assert feedback.count(LabelledReceipt(receipt, "fraud")) == "counted"
    assert telemetry.exposition is not None
    shown = total(telemetry.exposition.render("")[0].decode(), "outcomes_total")
    telemetry.close(1)
    return shown


def test_model_with_other_features_does_not_count_the_last_outcome_again(tmp_path: Path) -> None:
    """Its counters begin anew, and with them the numbers of outcomes; and so back again."""
    fewer = replace(FACTS, features=FACTS.features[1:])
    receipts = Receipts(["key"])
    shown = [
        count_labels(tmp_path, start(tmp_path, facts, 5000, SILENT), receipts, labels)
        for facts, labels in ((FACTS, 1), (fewer, 2), (FACTS, 0))
    ]
    assert shown == [1, 2, 1]


UNKNOWN = {
    "role": "nobody", "class_name": "fraud", "truth": "fraud", "user_type": "basic",
    "value_band": "low", "probability": 0.9, "delay": 5,
}  # fmt: skip


@pytest.mark.parametrize(
    "content",
    ["no JSON", "{}", json.dumps(UNKNOWN)],
    ids=["damaged", "other fields", "other words"],
)
def test_outcome_that_cannot_be_counted_keeps_nothing_from_starting(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As of a newer program that was rolled back; the next label is counted."""
    telemetry = start(tmp_path, FACTS, 5000, SILENT)
    pending = PendingOutcome(1, content)
    SqliteUsedReceipts(tmp_path / "used").use("r", time.time(), telemetry.slot_name, pending)
    assert count_labels(tmp_path, telemetry, Receipts(["key"]), 1) == 1
    assert "a stored outcome cannot be counted" in caplog.text
