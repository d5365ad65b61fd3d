"""A service with a second model beside the champion."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from handler import create_app
from service.challenger import Challenger, TrafficSplit
from service.feedback import Feedback
from service.receipts import Receipts
from service.settings import Settings
from service.used_receipts import SqliteUsedReceipts
from telemetry.lifecycle import Telemetry
from tests.conftest import LocationRiskScorer, make_card
from tests.json_client import JsonClient, make_client

MakeClient = Callable[..., JsonClient]
DAYS = 60 * 86_400


class Other(LocationRiskScorer):
    """The challenger: always 0.9; may fail or take its time."""

    def __init__(self) -> None:
        super().__init__()
        self.card = msgspec.structs.replace(make_card(), version="2-other")
        self.delay = 0.0

    def score(self, rows: Sequence[Sequence[float]]) -> list[float]:
        time.sleep(self.delay)
        super().score(rows)
        return [0.9] * len(rows)


@pytest.fixture
def other() -> Other:
    return Other()


@pytest.fixture
def with_challenger(
    scorer: LocationRiskScorer,
    other: Other,
    recorded: Telemetry,
    settings: Settings,
    tmp_path: Path,
) -> MakeClient:
    """with_challenger(shadow_percent, serves_percent): a client of such a service."""

    def make(shadow: int, serves: int, timeout: float = 0.2, wait: float = 30) -> JsonClient:
        """It waits long enough for any machine, so that no test depends on the machine's load."""
        split = TrafficSplit(shadow, serves, timeout, wait)
        challenger = Challenger(other, split, recorded.recorder)
        receipts = Receipts(["k"])
        used = SqliteUsedReceipts(tmp_path / "used")
        roles = {"1-abcd1234": "champion", "2-other": "challenger"}
        feedback = Feedback(receipts, used, recorded.recorder, recorded.slot_name, roles, DAYS)
        app = create_app(
            scorer, recorded, receipts, settings, challenger=challenger, feedback=feedback
        )
        return make_client(app)

    return make
