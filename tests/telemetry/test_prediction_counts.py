"""A batch is counted as its transactions are one by one, to the last count."""

from __future__ import annotations

import random
from bisect import bisect_left
from pathlib import Path

import pytest
from opentelemetry import trace

from model.serving.vocabulary import CLASS_NAMES, RISK_LEVELS, USER_TYPES, VALUE_BANDS
from telemetry.deferred_spans import DeferredSpan
from telemetry.lifecycle import Telemetry, start
from telemetry.metrics import CHAMPION, SCORES
from telemetry.prediction_counts import ScoredTransaction
from telemetry.recorder import ScoringCall
from telemetry.tail_sampling import TraceSettings
from tests.conftest import FACTS, SILENT

NUMBERS = [0.0, -0.0, 1e-9, 0.001, 0.1, 0.35, 0.5, 0.95, 0.99, 1.0]
SHOWN = (
    "predictions_", "fraud_detection", "transaction_value", "feature_values", "score_values",
    "prediction_probability", "prediction_uncertainty", "champion_decisions", "served_",
)  # fmt: skip
VALUES = [0.0, 1.0, 1.0001, 999.99, 1000.0, 25_000.0, 25_000.1, 1e9]


def draw_transactions(seed: int, count: int) -> list[ScoredTransaction]:
    """Values at the bounds of bins and buckets, outside of them, and in between."""
    draw = random.Random(seed)
    return [
        ScoredTransaction(
            row=[draw.choice([-1e9, 0.0, 18.0, draw.uniform(0, 60_000), 1e9]) for _ in range(5)],
            class_name=draw.choice(CLASS_NAMES),
            user_type=draw.choice(USER_TYPES),
            risk_level=draw.choice(RISK_LEVELS),
            probability=draw.choice([*NUMBERS, draw.random()]),
            value=draw.choice([*VALUES, draw.uniform(0, 5000)]),
            value_band=draw.choice(VALUE_BANDS),
        )
        for _ in range(count)
    ]


def count_calls(folder: Path, calls: list[ScoringCall]) -> dict[str, float]:
    """What `/metrics` shows of predictions after these calls."""
    telemetry = start(folder, FACTS, 5000, SILENT, TraceSettings(share_percent=0))
    for call in calls:
        telemetry.recorder.record_predictions(call)
    assert telemetry.exposition is not None
    body, _ = telemetry.exposition.render("")
    telemetry.close(1)
    lines = [line.rpartition(" ") for line in body.decode().splitlines() if line[:1] != "#"]
    return {name: float(value) for name, _, value in lines if name.startswith(SHOWN)}


def is_sum(name: str) -> bool:
    return "_sum" in name or name.startswith(("prediction_probability", "prediction_uncertainty"))


@pytest.mark.parametrize("count", [1, 23, 24, 25, 300])
@pytest.mark.parametrize("endpoint", ["/predict", "/simulate_traffic"])
def test_batch_is_the_sum_of_its_transactions(tmp_path: Path, endpoint: str, count: int) -> None:
    scored = draw_transactions(count, count)
    whole = [ScoringCall(endpoint, CHAMPION, scored, 0.001, scored)]
    each = [ScoringCall(endpoint, CHAMPION, [one], 0.001, [one]) for one in scored]
    batch, alone = count_calls(tmp_path / "batch", whole), count_calls(tmp_path / "alone", each)
    assert batch.keys() == alone.keys()
    sums = {name for name in batch if is_sum(name)}
    assert {n: v for n, v in batch.items() if n not in sums} == {
        n: v for n, v in alone.items() if n not in sums
    }
    assert [batch[name] for name in sums] == pytest.approx([alone[name] for name in sums])
    assert sum(value for name, value in batch.items() if "predictions_total" in name) == count


def test_what_the_champion_failed_to_judge_is_not_in_its_statistics(tmp_path: Path) -> None:
    scored = draw_transactions(1, 50)
    counted = count_calls(tmp_path, [ScoringCall("/predict", "challenger", scored, 0.001, [])])
    assert sum(value for name, value in counted.items() if "predictions_total" in name) == 50
    assert not [name for name, value in counted.items() if value and "feature_values" in name]


def test_each_bucket_of_a_batch_has_its_last_value_as_exemplar(recorded: Telemetry) -> None:
    scored = draw_transactions(2, 60)
    scope = {"type": "http", "method": "POST"}
    with recorded.request_tracer.begin(scope, "/predict", {}) as request:
        call = ScoringCall("/predict", CHAMPION, scored, 0.001, scored)
        recorded.recorder.record_predictions(call)
        span = trace.get_current_span()
        assert isinstance(span, DeferredSpan)
        measured = [one.value for one in span.trace.measurements]
        request.finish(200)
    # The call's latency, and a score for each bucket that one fell into.
    scores = [one.probability for one in scored]
    assert scores[-1] in measured
    assert len(measured) == 1 + len({bisect_left(SCORES, score) for score in scores})
