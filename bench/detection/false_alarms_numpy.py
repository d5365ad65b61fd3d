"""The same study as false_alarms.py by formulas instead of rules: a cross-check, minute by minute.

    .venv/dev/bin/python -m bench.detection.false_alarms_numpy

Steady traffic of 30 days is drawn minute by minute; the alerts' conditions are evaluated each
minute by the formulas of the rules, with the limits of thresholds.yml. These formulas, in numpy,
are held against Prometheus by test_reference.py and test_recorded*.py. Baseline and holdout are
samples too: each period draws its own. The traffic has no hours of day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta, norm

from bench.detection.conditions import Flags, Floats, Judgement, has_jumped
from model.serving.outcome_bins import OUTCOME_BOUNDS
from prometheus.generator.thresholds import Thresholds, read_thresholds

DAYS, PERIODS, RATES = 30, 4, (0.2, 5.0, 100.0)
DAY, STEP = 1440, 4  # minutes; the quality rules are evaluated each STEP minutes
WINDOWS = {"15m": 15, "1h": 60, "24h": DAY}
WEEK = 7 * DAY // STEP
HOLD = {"drift": 6, "quality": 5}  # evaluations that `for` asks for
# As many rows as the default model has.
FEATURES, BASELINE_ROWS, HOLDOUT_ROWS = 5, 160_000, 40_000
# Scores as of a calibrated model with 3 % fraud: 400 atoms at the middles of equal shares.
ATOMS = beta.ppf((np.arange(400) + 0.5) / 400, 0.12, 3.88)
THRESHOLD = float(np.quantile(ATOMS, 0.97))
BOUNDS = np.array(OUTCOME_BOUNDS)


def sum_rolling(per_step: Floats, window: int) -> Floats:
    """Sums of the last `window` steps, fewer at the beginning."""
    total = np.cumsum(per_step, axis=0)
    total[window:] -= total[:-window].copy()
    return total


def count_alarms(condition: Flags, hold: int) -> int:
    """How often an alert fires: the condition held without a break for `hold` evaluations."""
    held = sum_rolling(condition.astype(float), hold) >= hold
    return int(held[0]) + int((held[1:] & ~held[:-1]).sum())


def find_first(condition: Flags, hold: int) -> float:
    """Evaluations until the alert fires; infinite if it does not."""
    held = sum_rolling(condition.astype(float), hold) >= hold
    return float(held.argmax()) if held.any() else float("inf")


@dataclass
class Study:
    """Random numbers and limits."""

    random: np.random.Generator
    limits: Thresholds

    def inputs(self, rate: float, minutes: int) -> dict[str, int]:
        """Alarms about features, score, fraud share and mean score in steady traffic."""
        found = dict.fromkeys(("FeatureDrift", "ScoreDrift", "FraudRateJump", "MeanScoreJump"), 0)
        arriving = self.random.poisson(rate * 60, minutes)
        for _ in range(FEATURES):
            base = self.random.multinomial(BASELINE_ROWS, [0.1] * 10) / BASELINE_ROWS
            counts = self.random.multinomial(arriving, [0.1] * 10).astype(float)
            found["FeatureDrift"] += self._count_any(self._drift(counts, base))
        return found | self._scores(arriving)

    def _drift(self, counts: Floats, base: Floats) -> dict[str, Flags]:
        """The condition for one of the features, by window."""
        return {
            window: Judgement(window, self.limits, FEATURES).has_drifted(
                sum_rolling(counts, minutes), base, BASELINE_ROWS
            )
            for window, minutes in WINDOWS.items()
        }

    def _count_any(self, conditions: dict[str, Flags]) -> int:
        return sum(count_alarms(each, HOLD["drift"]) for each in conditions.values())

    def _scores(self, arriving: npt.NDArray[np.int64]) -> dict[str, int]:
        atoms = len(ATOMS)
        holdout = self.random.multinomial(HOLDOUT_ROWS, [1 / atoms] * atoms)
        counts = self.random.multinomial(arriving, [1 / atoms] * atoms).astype(float)
        deciles = np.arange(atoms) // (atoms // 10)
        in_decile = np.eye(10)[deciles]
        alarm = ATOMS >= THRESHOLD
        base = holdout @ in_decile / HOLDOUT_ROWS
        usual_alarms, usual_scores = holdout[alarm].sum(), holdout @ ATOMS
        drift, share, mean = {}, {}, {}
        for window, minutes in WINDOWS.items():
            seen = sum_rolling(counts, minutes)
            judge = Judgement(window, self.limits)
            drift[window] = judge.has_drifted(seen @ in_decile, base, HOLDOUT_ROWS)
            rows, alarms, scores = seen.sum(1), seen[:, alarm].sum(1), seen @ ATOMS
            share[window] = has_jumped(
                alarms, rows, usual_alarms, HOLDOUT_ROWS, window, self.limits
            )
            mean[window] = has_jumped(scores, rows, usual_scores, HOLDOUT_ROWS, window, self.limits)
        return {
            "ScoreDrift": self._count_any(drift),
            "FraudRateJump": self._count_any(share),
            "MeanScoreJump": self._count_any(mean),
        }

    def quality(self, rate: float, steps: int, recall_loss: float = 0.0) -> dict[str, Flags]:
        """Conditions of LiveQualityLow (recall) by window, and of CalibrationBroken.

        Every transaction is labelled. With a loss, recall falls after WEEK steps, and the
        conditions from there on are given.
        """
        fraud = self.random.binomial(HOLDOUT_ROWS, 0.03)
        true_recall = float(ATOMS[ATOMS >= THRESHOLD].sum() / ATOMS.sum())
        card = self.random.binomial(fraud, true_recall) / fraud
        arriving = self.random.poisson(rate * 60 * STEP, steps)
        frauds = self.random.binomial(arriving, ATOMS.mean())
        recall = np.full(steps, true_recall)
        recall[WEEK:] -= recall_loss
        hits = self.random.binomial(frauds, recall)
        found = {}
        for window, length in (("1d", DAY // STEP), ("7d", 7 * DAY // STEP)):
            trials = np.maximum(sum_rolling(frauds.astype(float), length), 1)
            live = sum_rolling(hits.astype(float), length) / trials
            pooled = (live * trials + card * fraud) / (trials + fraud)
            off = np.sqrt(pooled * (1 - pooled) * (1 / trials + 1 / fraud))
            loss = card - live
            quality = self.limits.quality
            found[f"LiveQualityLow {window}"] = (
                (loss > quality.loss)
                & (loss > quality.sigmas * off)
                & (trials >= quality.minimum_trials)
            )
        if recall_loss:
            return {name: each[WEEK:] for name, each in found.items()}
        found["CalibrationBroken"] = self._calibration(arriving)
        return found

    def _calibration(self, arriving: npt.NDArray[np.int64]) -> Flags:
        number = np.searchsorted(BOUNDS, ATOMS)
        bins = np.unique(number)
        share = np.array([(number == each).mean() for each in bins])
        mean = np.array([ATOMS[number == each].mean() for each in bins])
        count = self.random.multinomial(arriving, share / share.sum())
        frauds = sum_rolling(self.random.binomial(count, mean).astype(float), DAY // STEP)
        seen = sum_rolling(count.astype(float), DAY // STEP)
        given, total = seen * mean, np.maximum(seen.sum(1), 1)
        error = abs(given - frauds).sum(1) / total
        variance = given * (1 - mean)
        chance = np.sqrt(2 / np.pi) * np.sqrt(variance).sum(1) / total
        off = np.sqrt((1 - 2 / np.pi) * variance.sum(1)) / total
        quality = self.limits.quality
        return np.asarray(
            (error - chance > quality.calibration_error)
            & (error > chance + quality.sigmas * off)
            & (total >= quality.minimum_outcomes)
        )

    def drift_delay(self, rate: float, shift: float) -> float:
        """Minutes from a shift of one feature's mean, in standard deviations, to FeatureDrift."""
        base = self.random.multinomial(BASELINE_ROWS, [0.1] * 10) / BASELINE_ROWS
        edges = norm.cdf(norm.ppf(np.arange(11) / 10) - shift)
        before = self.random.multinomial(self.random.poisson(rate * 60, DAY), [0.1] * 10)
        after = self.random.multinomial(self.random.poisson(rate * 60, 3 * DAY), np.diff(edges))
        counts = np.concatenate([before, after]).astype(float)
        conditions = self._drift(counts, base).values()
        return min(find_first(each[DAY:], HOLD["drift"]) for each in conditions)


def format_duration(minutes: float) -> str:
    """For people."""
    if np.isinf(minutes):
        return "not seen"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


def main() -> None:
    """Print both tables."""
    study = Study(np.random.default_rng(6), read_thresholds())
    print(f"False alarms per 30 days, mean of {PERIODS} periods (most in one)")
    for rate in RATES:
        alarms: dict[str, list[int]] = {}
        for _ in range(PERIODS):
            for name, count in count_false_alarms(study, rate).items():
                alarms.setdefault(name, []).append(count)
        print(rate_line(rate, (f"{k} {np.mean(v):g} ({max(v)})" for k, v in alarms.items())))
    print("\nMedian delay of FeatureDrift after a shift of one feature (of 9)")
    for rate in RATES:
        delays = ((s, [study.drift_delay(rate, s) for _ in range(9)]) for s in (0.25, 0.5, 1))
        print(rate_line(rate, (f"{s} sd {format_median(each)}" for s, each in delays)))
    print("\nMedian delay of LiveQualityLow after a loss of recall in a steady week (of 21)")
    for rate in RATES:
        losses = ((s, [recall_delay(study, rate, s) for _ in range(21)]) for s in (0.1, 0.2))
        print(rate_line(rate, (f"{100 * s:.0f} points {format_median(e)}" for s, e in losses)))


def count_false_alarms(study: Study, rate: float) -> dict[str, int]:
    """By alert, in one period of steady traffic."""
    found = study.inputs(rate, DAYS * DAY)
    quality = study.quality(rate, DAYS * DAY // STEP)
    return found | {name: count_alarms(each, HOLD["quality"]) for name, each in quality.items()}


def recall_delay(study: Study, rate: float, loss: float) -> float:
    """Minutes from a loss of recall to LiveQualityLow."""
    found = study.quality(rate, WEEK + 20 * DAY // STEP, loss)
    return STEP * min(find_first(each, HOLD["quality"]) for each in found.values())


def format_median(minutes: Sequence[float]) -> str:
    """Of some delays, for people."""
    return format_duration(float(np.median(minutes)))


def rate_line(rate: float, cells: Iterable[str]) -> str:
    """One line of a table."""
    return f"{rate:g}/s: {', '.join(cells)}"


if __name__ == "__main__":
    main()
