"""Recall of a new version while labels come late or for some only: plain, judged, corrected.

    .venv/dev/bin/python -m bench.late_labels
    .venv/dev/bin/python -m bench.late_labels --table handbook_3weeks.parquet

A version is replaced on day 0 by one as good. Shown are what the rules say of the new one by the
labels of the last seven days: the plain recall; whether it is judged by then (maturity.py); and the
recall corrected for what is not labelled (verification.py), mean of the runs. With --table the
'Practical Handbook' transactions are replayed: a model trained on their first week, alarms looked
at within the hour, everything else known after seven days, as the book has it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from prometheus.generator.durations import parse_duration
from prometheus.generator.recordings.maturity import complete_after
from prometheus.generator.recordings.wilson import Z95
from prometheus.generator.thresholds import read_thresholds
from telemetry.metrics import AGE_BANDS

DAY = 86_400.0
WINDOW = "7d"
RECALL, FRAUDS, ALARMS = 0.6, 0.01, 0.012  # shares of frauds found; of all that are fraud; alarms
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Log:
    """Transactions in the order of time: when each was predicted (seconds), when its label came
    (infinite: never), the decision and the truth."""

    made: Floats
    labelled: Floats
    alarm: Bools
    fraud: Bools


@dataclass(frozen=True)
class Shown:
    """What the rules say at a moment; recall by the truth of all transactions is `true`."""

    plain: float
    judged: bool
    corrected: float
    low: float
    high: float


def show(log: Log, moment: float, window: str = WINDOW) -> Shown:
    """What is recorded of the version that began at 0, by the labels of the window."""
    since = moment - parse_duration(window)
    own = log.made >= 0
    seen = (log.labelled > since) & (log.labelled <= moment)
    labels = seen & own
    hits, missed = (labels & log.fraud & decision for decision in (log.alarm, ~log.alarm))
    found, lost = int(hits.sum()), int(missed.sum())
    answered = own & (log.made > since) & (log.made <= moment)
    plain = found / (found + lost) if found + lost else np.nan
    low, corrected, high = correct(
        [int((answered & decision).sum()) for decision in (log.alarm, ~log.alarm)],
        [int((labels & decision).sum()) for decision in (log.alarm, ~log.alarm)],
        [found, lost],
    )
    unseen = find_unseen(log, seen, moment, window)
    return Shown(plain, unseen <= read_thresholds().quality.unseen, corrected, low, high)


def correct(
    decisions: list[int], labelled: list[int], frauds: list[int]
) -> tuple[float, float, float]:
    """Begg and Greenes' recall and its 95 % interval: low, itself, high; of alarms, then others."""
    n, of, k = (np.array(each, float) for each in (decisions, labelled, frauds))
    if not of.all():
        return np.nan, np.nan, np.nan
    weighed = n * k / of
    recall = weighed[0] / weighed.sum() if weighed.any() else np.nan
    half = n * (k + 0.5) / (of + 1)
    logit = np.log(half[0] / half[1])
    deviation = np.sqrt((1 / n + (of - k + 0.5) / ((of + 1) * (k + 0.5))).sum())
    low, high = (1 / (1 + np.exp(-logit + sign * Z95 * deviation)) for sign in (1, -1))
    return float(low), float(recall), float(high)


def find_unseen(log: Log, seen: Bools, moment: float, window: str) -> float:
    """The share of the labels that a version of that age cannot have yet; of all versions' labels,
    the higher of both classes."""
    ages = (log.labelled - log.made)[seen]
    bounds = np.array(list(AGE_BANDS.values())[:-1])
    band = np.searchsorted(bounds, ages, "right")
    unseen = 0.0
    for number, name in enumerate(AGE_BANDS):
        if moment < complete_after(name, window):
            shares = [
                (band[chosen] == number).mean() for truth in (True, False)
                if (chosen := log.fraud[seen] == truth).any()
            ]  # fmt: skip
            unseen += max(shares, default=0.0)
    return unseen


Delays = Callable[[np.random.Generator, Bools, Bools], Floats]


def _exponential(random: np.random.Generator, days: float, count: int) -> Floats:
    return random.exponential(days * DAY, count)


def late_if_quiet(random: np.random.Generator, alarm: Bools, fraud: Bools) -> Floats:
    """Alarms after 6 hours, all the rest after 15 days, each on average."""
    return np.where(
        alarm,
        _exponential(random, 0.25, len(alarm)),
        _exponential(random, 15, len(alarm)),
    )


def late_if_missed(random: np.random.Generator, alarm: Bools, fraud: Bools) -> Floats:
    """Missed frauds after 15 days, the rest within a day."""
    slow = _exponential(random, 15, len(alarm))
    return np.where(fraud & ~alarm, slow, _exponential(random, 0.25, len(alarm)))


def tenth_if_quiet(random: np.random.Generator, alarm: Bools, fraud: Bools) -> Floats:
    """Alarms, and of all the rest a tenth, at once; the others never."""
    chosen = alarm | (random.random(len(alarm)) < 0.1)
    return np.where(chosen, _exponential(random, 0.01, len(alarm)), np.inf)


def complaints(random: np.random.Generator, alarm: Bools, fraud: Bools) -> Floats:
    """Alarms and missed frauds, and a tenth of the rest; the others never."""
    chosen = alarm | fraud | (random.random(len(alarm)) < 0.1)
    return np.where(chosen, _exponential(random, 0.01, len(alarm)), np.inf)


PATTERNS: dict[str, Delays] = {
    "alarms after 6 h, the rest after 15 d": late_if_quiet,
    "missed frauds after 15 d, the rest after 6 h": late_if_missed,
    "alarms and a tenth of the rest, at once": tenth_if_quiet,
    "alarms, all frauds, a tenth of the rest": complaints,
}


def draw(seed: int, delays: Delays, daily: int = 10_000, before: int = 60, after: int = 61) -> Log:
    """Transactions from so many days before the change of version to so many after."""
    random = np.random.default_rng(seed)
    count = daily * (before + after)
    made = np.sort(random.uniform(-before * DAY, after * DAY, count))
    fraud = random.random(count) < FRAUDS
    false_alarm = (ALARMS - RECALL * FRAUDS) / (1 - FRAUDS)
    alarm = random.random(count) < np.where(fraud, RECALL, false_alarm)
    return Log(made, made + delays(random, alarm, fraud), alarm, fraud)


def replay(table: Path) -> tuple[Log, float]:
    """The book's transactions from the second week on, and the recall by all of their labels."""
    rows = pd.read_parquet(table).sort_values("TX_DATETIME")
    features = rows.drop(
        columns=[each for each in rows if str(each).endswith("_ID") or "TIME" in str(each)]
    ).drop(columns="TX_FRAUD")
    fraud = rows["TX_FRAUD"].to_numpy() == 1
    made = (rows["TX_DATETIME"] - rows["TX_DATETIME"].min()).dt.total_seconds().to_numpy() - 7 * DAY
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    model.fit(features[made < 0], fraud[made < 0])
    probability = model.predict_proba(features)[:, 1]
    alarm = probability >= np.quantile(probability[made < 0], 0.99)
    labelled = made + np.where(alarm, 1800.0, 7 * DAY - 3600)
    own = (made >= 0) & fraud
    return Log(made, labelled, alarm, fraud), float(alarm[own].mean())


def format_days(shown: dict[float, list[Shown]], true: float) -> Iterator[str]:
    """A row for each day; the last column is how many intervals hold the true recall."""
    yield "| day | plain | judged | corrected | 95 % interval | holds the truth |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for day, runs in shown.items():
        plain, corrected, low, high = (
            np.mean([getattr(one, name) for one in runs])
            for name in ("plain", "corrected", "low", "high")
        )
        judged = np.mean([one.judged for one in runs])
        holds = np.mean([one.low <= true <= one.high for one in runs])
        yield (
            f"| {day:g} | {plain:.2f} | {judged:.0%} | {corrected:.2f} | {low:.2f} to {high:.2f}"
            f" | {holds:.0%} |"
        )


def main() -> None:
    """Print a table for each pattern of delays, or of the replayed table."""
    parser = argparse.ArgumentParser(prog="python -m bench.late_labels", description=__doc__)
    parser.add_argument("--table", type=Path, help="the book's transactions, to be replayed")
    parser.add_argument("--runs", type=int, default=20)
    asked = parser.parse_args()
    if asked.table:
        log, true = replay(asked.table)
        print(f"true recall {true:.3f}; by the labels of a day\n")
        shown = {day: [show(log, day * DAY, "1d")] for day in (1.0, 3, 7, 8, 10, 13)}
        print("\n".join(format_days(shown, true)))
        return
    for name, delays in PATTERNS.items():
        logs = [draw(seed, delays) for seed in range(asked.runs)]
        shown = {day: [show(log, day * DAY) for log in logs] for day in (1.0, 7, 14, 30, 40, 60)}
        print(f"\n{name}; true recall {RECALL}\n")
        print("\n".join(format_days(shown, RECALL)))


if __name__ == "__main__":
    main()
