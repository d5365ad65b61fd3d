"""A service of known transactions and labels, as the counters that its handlers would show.

The transactions are kept one by one, so that a reference can be computed without any counter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model.serving.outcome_bins import OUTCOME_BOUNDS
from model.serving.vocabulary import CLASS_NAMES, USER_TYPES, VALUE_BANDS
from prometheus.generator.promql import CHAMPION
from telemetry.metrics import OUTCOME_BINS
from tests.lab.backfill import History, Labels, labels

NUMBER_BINS = ("below", *(f"{n:02}" for n in range(1, 11)), "above", "missing")
BASELINE: dict[str, dict[str, float]] = {
    # Bin 01 is never seen live, nor is the rare bin 02, which could be empty by chance.
    "amount": dict(
        zip(
            NUMBER_BINS,
            (0.0, 0.15, 0.00005, 0.14995, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.0, 0.0),
            strict=True,
        )
    ),
    "channel": {"app": 0.5, "web": 0.3, "phone": 0.2, "missing": 0.0},
}
LIVE: dict[str, dict[str, float]] = {
    "amount": dict(
        zip(
            NUMBER_BINS,
            (0.0, 0.0, 0.0, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.05, 0.0),
            strict=True,
        )
    ),
    "channel": {"app": 0.4, "web": 0.3, "phone": 0.3, "missing": 0.0},
}
BASELINE_ROWS, HOLDOUT_ROWS = 8000.0, 2000.0


@dataclass(frozen=True)
class Transactions:
    """One array element a transaction."""

    probability: npt.NDArray[np.float64]
    truth: npt.NDArray[np.int64]
    decision: npt.NDArray[np.int64]
    user_type: npt.NDArray[np.int64]
    value_band: npt.NDArray[np.int64]
    features: dict[str, npt.NDArray[np.int64]]

    @property
    def bin(self) -> npt.NDArray[np.int64]:
        """Number of the probability's bin, from 0."""
        return np.searchsorted(np.array(OUTCOME_BOUNDS), self.probability)


def draw(rows: int, seed: int) -> Transactions:
    """Scores that are a little too high, decided at 0.5."""
    random = np.random.default_rng(seed)
    probability = random.beta(0.3, 1.5, rows)
    return Transactions(
        probability,
        (random.random(rows) < 0.85 * probability).astype(np.int64),
        (probability >= 0.5).astype(np.int64),
        random.integers(0, 3, rows),
        random.integers(0, 2, rows),
        {
            name: random.choice(len(shares), rows, p=list(shares.values()))
            for name, shares in LIVE.items()
        },
    )


def count(of: Transactions) -> dict[tuple[str, Labels], float]:
    """Every counter that these transactions, all labelled, leave behind."""
    found: dict[tuple[str, Labels], float] = defaultdict(float)
    for name, value in _zeros():
        found[name, value] = 0.0
    for row in range(len(of.probability)):
        for name, value, amount in _of_one(of, row):
            found[name, value] += amount
    return dict(found)


def _zeros() -> Iterator[tuple[str, Labels]]:
    for feature, shares in BASELINE.items():
        for each in shares:
            yield "feature.values", labels(feature=feature, bin=each)
    for number in OUTCOME_BINS:
        for truth in CLASS_NAMES:
            yield "outcome.scores", labels(bin=number, truth=truth)
        yield "outcome.probability", labels(bin=number)
    for class_name in CLASS_NAMES:
        yield "champion.decisions", labels(class_name=class_name)
        for name in ("prediction.probability", "prediction.uncertainty"):
            yield name, labels(class_name=class_name)
        for truth in CLASS_NAMES:
            for user_type in USER_TYPES:
                for band in VALUE_BANDS:
                    yield "outcomes", _outcome(class_name, truth, user_type, band)


def _outcome(class_name: str, truth: str, user_type: str, band: str) -> Labels:
    return labels(
        role=CHAMPION, class_name=class_name, truth=truth, user_type=user_type, value_band=band
    )


def _of_one(of: Transactions, row: int) -> Iterator[tuple[str, Labels, float]]:
    p, y = float(of.probability[row]), int(of.truth[row])
    class_name, truth = CLASS_NAMES[of.decision[row]], CLASS_NAMES[y]
    for feature, chosen in of.features.items():
        yield "feature.values", labels(feature=feature, bin=list(LIVE[feature])[chosen[row]]), 1
    yield "champion.decisions", labels(class_name=class_name), 1
    yield "prediction.probability", labels(class_name=class_name), p
    yield "prediction.uncertainty", labels(class_name=class_name), p * (1 - p)
    user_type, band = USER_TYPES[of.user_type[row]], VALUE_BANDS[of.value_band[row]]
    yield "outcomes", _outcome(class_name, truth, user_type, band), 1
    number = OUTCOME_BINS[of.bin[row]]
    yield "outcome.scores", labels(bin=number, truth=truth), 1
    yield "outcome.probability", labels(bin=number), p
    yield "outcome.squared.error", labels(), (p - y) ** 2


def histories(of: list[Transactions], now: float) -> Iterator[History]:
    """Each instance counts its transactions in two steps within the last seconds, from 0 on."""
    for number, transactions in enumerate(of):
        instance = f"host-{number}"
        for (name, value), total in count(transactions).items():
            half = total * 0.5
            points = ((now - 2, 0.0), (now - 1, half), (now, total))
            yield History(name, value, points, instance=instance)
        for name, value, amount in _gauges():
            steady = tuple((now - age, amount) for age in (2, 1, 0))
            yield History(name, value, steady, gauge=True, instance=instance)


def _gauges() -> Iterator[tuple[str, Labels, float]]:
    for feature, shares in BASELINE.items():
        for each, share in shares.items():
            yield "feature.baseline.share", labels(feature=feature, bin=each), share
    yield "baseline.rows", labels(), BASELINE_ROWS
    yield "model.holdout.rows", labels(), HOLDOUT_ROWS
    yield "model.version", labels(role=CHAMPION, version="1-ab12cd34"), 1.0
