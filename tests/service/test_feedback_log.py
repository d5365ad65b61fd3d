"""Labels that cannot be counted: the log says why, once for each reason."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from service.feedback import Feedback, LabelledReceipt
from service.receipts import Receipts
from service.used_receipts import SqliteUsedReceipts, UsedReceiptsError
from telemetry.lifecycle import Telemetry


def test_why_labels_cannot_be_counted_is_logged_once(
    recorded: Telemetry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Clients send their labels again and again."""

    def fail(*_: object) -> NoReturn:
        raise UsedReceiptsError("database or disk is full")

    receipts, used = Receipts(["key"]), SqliteUsedReceipts(tmp_path / "used")
    feedback = Feedback(receipts, used, recorded.recorder, "slot", {"1": "champion"}, 60)
    entry = LabelledReceipt(receipts.issue("1", "fraud", 0.9, "basic", "low"), "fraud")
    with monkeypatch.context() as patched:
        patched.setattr(SqliteUsedReceipts, "use", fail)
        results = [feedback.count(entry) for _ in range(3)]

    [line] = [one for one in caplog.messages if "labels cannot be counted" in one]
    assert line.endswith("database or disk is full")
    assert [*results, feedback.count(entry)] == ["unavailable"] * 3 + ["counted"]
