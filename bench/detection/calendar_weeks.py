"""How much of two real weeks each feature's drift condition holds: `… calendar_weeks FILE`.

    .venv/dev/bin/python -m bench.detection.calendar_weeks handbook_3weeks.parquet

FILE is the handbook's three weeks of transactions (time TX_DATETIME, target TX_FRAUD; 201,000 rows,
6.7 a minute). The first week is the training's, and tells which features follow the calendar. The
other two are replayed in their true order, every row, minute by minute, with the formulas
of the rules: before, against the baseline alone; now, those features against the same hours of
the week before as well. The first week is their week before.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from bench.detection.conditions import Flags, Floats, Judgement
from bench.detection.false_alarms_numpy import DAY, WINDOWS, sum_rolling
from model.data.times import read_times
from model.training.calendar import follows_calendar
from model.training.describe import count_deciles
from prometheus.generator.thresholds import Thresholds, read_thresholds

WEEK = 7 * DAY
APART = ("TX_FRAUD", "TX_DATETIME", "TRANSACTION_ID", "CUSTOMER_ID", "TERMINAL_ID")


def is_unlike(counts: Floats, judge: Judgement) -> Flags:
    """The condition of calendar.py: counts by minute against those of a week before."""
    now, then = counts[WEEK:], counts[:-WEEK]
    n, m = (np.maximum(each.sum(-1), 1) for each in (now, then))
    both = (now + then) / (n + m)[:, None]
    shares = now / n[:, None] - then / m[:, None]
    far = np.where(both > 0, shares**2 / np.where(both > 0, both, 1), 0).sum(-1)
    freedom = np.maximum((both > 0).sum(-1) - 1, 1)
    expected = freedom * (1 / n + 1 / m)
    spread = 2 / 9 / freedom
    sigmas = np.sqrt(judge.limits.drift.sigmas**2 + 2 * np.log(judge.features))
    chance = expected * (1 - spread + sigmas * np.sqrt(spread)) ** 3
    drift = judge.limits.drift
    enough = np.minimum(n, m) >= drift.minimum_count
    return np.asarray(enough & (far - expected > drift.psi[judge.window]) & (far > chance))


def judge_feature(
    values: Floats, times: Floats, limits: Thresholds, features: int
) -> tuple[bool, dict[str, tuple[float, float]]]:
    """Whether it follows the calendar; by window the share of the time, before and now."""
    minutes = ((times - times.min()) // 60).astype(np.int64)
    known = minutes < WEEK
    baseline = count_deciles(values[known])
    calendar = follows_calendar(values[known], baseline, times[known])
    bins = np.searchsorted(np.array(baseline.edges), values, side="left")
    counts = _count(minutes, bins, len(baseline.shares))
    base, rows = counts[:WEEK].sum(0) / known.sum(), float(known.sum())
    found = {}
    for window, length in WINDOWS.items():
        judge = Judgement(window, limits, features)
        seen = sum_rolling(counts, length)
        before = judge.has_drifted(seen[WEEK:], base, rows)
        now = before & is_unlike(seen, judge) if calendar else before
        found[window] = float(before.mean()), float(now.mean())
    return calendar, found


def _count(minutes: npt.NDArray[np.int64], bins: npt.NDArray[np.int64], number: int) -> Floats:
    counts = np.zeros((3 * WEEK, number))
    inside = minutes < 3 * WEEK
    np.add.at(counts, (minutes[inside], bins[inside]), 1)
    return counts


def report(file: Path) -> Iterator[str]:
    """A line for each feature in which the condition ever holds, and one for the others."""
    rows = pd.read_parquet(file).sort_values("TX_DATETIME", kind="stable")
    times = read_times(rows["TX_DATETIME"])
    names = [name for name in rows.columns if not name.startswith("TX_TIME_") and name not in APART]
    limits, silent = read_thresholds(), []
    for name in names:
        values = rows[name].to_numpy(np.float64)
        calendar, found = judge_feature(values, times, limits, len(names))
        if not any(before for before, _ in found.values()):
            silent.append(name)
            continue
        cells = (f"{window} {b:.1%} → {n:.1%}" for window, (b, n) in found.items())
        yield f"{name}{' (calendar)' if calendar else ''}: {', '.join(cells)}"
    yield f"never: {len(silent)} of {len(names)} features"


def main() -> None:
    """Print the share of the minutes in which each feature's condition holds, before → now."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.detection.calendar_weeks", description=__doc__
    )
    parser.add_argument("file", type=Path, metavar="FILE")
    for line in report(parser.parse_args().file):
        print(line, flush=True)


if __name__ == "__main__":
    main()
