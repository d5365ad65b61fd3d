"""The alerts about scores, decisions and labels in one cell of the grid (grid.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import beta

from bench.detection.conditions import Flags, Floats, Judgement, has_jumped, has_other_ratio
from bench.detection.false_alarms_numpy import (
    DAY,
    HOLD,
    HOLDOUT_ROWS,
    STEP,
    WEEK,
    WINDOWS,
    count_alarms,
    sum_rolling,
)
from model.serving.outcome_bins import OUTCOME_BOUNDS
from prometheus.generator.thresholds import Thresholds

Found = dict[str, tuple[int, int]]
LABEL_WINDOWS = {"1d": DAY // STEP, "7d": WEEK}


@dataclass(frozen=True)
class Scores:
    """Scores of a calibrated model by quantile: the value, its probability, and its labels."""

    value: Floats
    weight: Floats
    alarm: Flags
    decile: Floats
    bin: Floats


def make_scores(share: float) -> Scores:
    """With such a mean, the highest so predicted to be fraud; more quantiles where alarms are."""
    tail = 1 - 5 * share
    edges = np.concatenate([np.linspace(0, tail, 101), np.linspace(tail, 1, 101)[1:]])
    middle = (edges[1:] + edges[:-1]) / 2
    value = beta.ppf(middle, 4 * share, 4 * (1 - share))
    return Scores(
        value,
        np.diff(edges),
        middle >= 1 - share,
        np.eye(10)[np.minimum(9, (10 * middle).astype(int))],
        np.eye(len(OUTCOME_BOUNDS))[np.searchsorted(np.array(OUTCOME_BOUNDS), value)],
    )


def count_score_alarms(
    random: np.random.Generator,
    limits: Thresholds,
    arriving: npt.NDArray[np.int64],
    share: float,
    repeats: int,
) -> Found:
    """By alert, before and now, of a month; a transaction's repetitions have one label."""
    scores = make_scores(share)
    holdout = random.multinomial(HOLDOUT_ROWS, scores.weight).astype(float)
    counts = random.multinomial(arriving, scores.weight)
    frauds = repeats * random.binomial(counts, scores.value)
    counts = repeats * counts
    found: Found = {}
    for alert, hold, conditions in (
        *_judge_inputs(limits, scores, holdout, counts.astype(float), repeats),
        *_judge_labels(random, limits, scores, counts, frauds, repeats),
    ):
        before, now = (sum(count_alarms(each, hold) for each in one) for one in conditions)
        earlier = found.get(alert, (0, 0))
        found[alert] = earlier[0] + before, earlier[1] + now
    return found


Judged = tuple[str, int, tuple[list[Flags], list[Flags]]]


def _judge_inputs(
    limits: Thresholds, scores: Scores, holdout: Floats, counts: Floats, repeats: int
) -> list[Judged]:
    base = holdout @ scores.decile / HOLDOUT_ROWS
    usual = {"FraudRateJump": holdout[scores.alarm].sum(), "MeanScoreJump": holdout @ scores.value}
    sums = {
        "FraudRateJump": counts[:, scores.alarm].sum(1),
        "MeanScoreJump": counts @ scores.value,
        "rows": counts.sum(1),
    }
    deciles = counts @ scores.decile
    judged: dict[str, tuple[list[Flags], list[Flags]]] = {}
    for window, minutes in WINDOWS.items():
        seen = sum_rolling(deciles, minutes)
        rolled = {name: sum_rolling(each, minutes) for name, each in sums.items()}
        for place, effect in enumerate((1.0, float(repeats))):
            judge = Judgement(window, limits, design_effect=effect)
            drift = judge.has_drifted(seen, base, HOLDOUT_ROWS)
            judged.setdefault("ScoreDrift", ([], []))[place].append(drift)
            for name, reference in usual.items():
                jumped = has_jumped(
                    rolled[name], rolled["rows"], reference, HOLDOUT_ROWS, window, limits, effect
                )
                judged.setdefault(name, ([], []))[place].append(jumped)
    return [(name, HOLD["drift"], each) for name, each in judged.items()]


def _judge_labels(
    random: np.random.Generator,
    limits: Thresholds,
    scores: Scores,
    counts: npt.NDArray[np.int64],
    frauds: npt.NDArray[np.int64],
    repeats: int,
) -> list[Judged]:
    card = _draw_card(random, scores)
    cells = _sum_cells(scores, counts.astype(float), frauds.astype(float))
    judged: dict[str, tuple[list[Flags], list[Flags]]] = {}
    for steps in LABEL_WINDOWS.values():
        seen = {name: np.maximum(sum_rolling(each, steps), 1e-9) for name, each in cells.items()}
        for place, effect in enumerate((1.0, float(repeats))):
            for name, flags in (
                *_quality_low(limits, seen, card, effect),
                ("CalibrationBroken", _calibration_broken(limits, seen, effect)),
                *_gap(limits, seen, effect),
            ):
                judged.setdefault(name, ([], []))[place].append(flags)
    return [(name, HOLD["quality"], each) for name, each in judged.items()]


def _draw_card(random: np.random.Generator, scores: Scores) -> Mapping[str, tuple[float, float]]:
    """Precision and recall on a holdout, and the trials behind them."""
    rows = random.multinomial(HOLDOUT_ROWS, scores.weight)
    frauds = random.binomial(rows, scores.value)
    hits, alarms, all_frauds = frauds[scores.alarm].sum(), rows[scores.alarm].sum(), frauds.sum()
    return {
        "precision": (hits / max(alarms, 1), max(alarms, 1)),
        "recall": (hits / max(all_frauds, 1), max(all_frauds, 1)),
    }


def _sum_cells(scores: Scores, counts: Floats, frauds: Floats) -> dict[str, Floats]:
    """What the labels' rules add up, by steps of STEP minutes."""

    def step(values: Floats) -> Floats:
        return np.asarray(values.reshape(-1, STEP, *values.shape[1:]).sum(1))

    alarm, value = scores.alarm, scores.value
    unsure = value * (1 - value)
    return {
        "rows": step(counts.sum(1)),
        "alarms": step(counts[:, alarm].sum(1)),
        "frauds": step(frauds.sum(1)),
        "hits": step(frauds[:, alarm].sum(1)),
        "given": step(counts @ value),
        "given alarms": step(counts[:, alarm] @ value[alarm]),
        "unsure": step(counts @ unsure),
        "unsure alarms": step(counts[:, alarm] @ unsure[alarm]),
        "by bin": step(counts @ scores.bin),
        "given by bin": step(counts @ (scores.bin * value[:, None])),
        "frauds by bin": step(frauds @ scores.bin),
    }


def _quality_low(
    limits: Thresholds,
    seen: Mapping[str, Floats],
    card: Mapping[str, tuple[float, float]],
    effect: float,
) -> list[tuple[str, Flags]]:
    quality, found = limits.quality, []
    for measure, trials in (("precision", seen["alarms"]), ("recall", seen["frauds"])):
        promised, behind = card[measure]
        live = seen["hits"] / trials
        pooled = np.clip((live * trials + promised * behind) / (trials + behind), 0, 1)
        off = np.sqrt(effect * pooled * (1 - pooled) * (1 / trials + 1 / behind))
        loss = promised - live
        enough = (trials >= effect * quality.minimum_trials) & (
            seen["rows"] >= effect * quality.minimum_outcomes
        )
        flags = (loss > quality.loss) & (loss > quality.sigmas * off) & enough
        found.append(("LiveQualityLow", np.asarray(flags)))
    return found


def _calibration_broken(limits: Thresholds, seen: Mapping[str, Floats], effect: float) -> Flags:
    quality = limits.quality
    given, count = seen["given by bin"], seen["by bin"]
    variance = np.maximum(given - given**2 / count, 0)
    error = abs(given - seen["frauds by bin"]).sum(1) / seen["rows"]
    chance = np.sqrt(effect * 2 / np.pi) * np.sqrt(variance).sum(1) / seen["rows"]
    off = np.sqrt(effect * (1 - 2 / np.pi) * variance.sum(1)) / seen["rows"]
    wrong = (error - chance > quality.calibration_error) & (error > chance + quality.sigmas * off)
    enough = seen["rows"] >= effect * quality.minimum_outcomes
    spread = np.maximum(variance.sum(1), 1e-9)
    ratio = has_other_ratio(seen["frauds"], seen["given"], spread, limits, effect)
    return np.asarray((wrong & enough) | ratio)


def _gap(limits: Thresholds, seen: Mapping[str, Floats], effect: float) -> list[tuple[str, Flags]]:
    squares = seen["given"] - seen["unsure"]
    hits = seen["given alarms"] - seen["unsure alarms"]
    expected = {
        "precision": seen["given alarms"] / seen["alarms"],
        "recall": seen["given alarms"] / seen["given"],
    }
    recall = expected["recall"]
    score_variance = {
        "precision": (hits / seen["alarms"] - expected["precision"] ** 2) / seen["alarms"],
        "recall": ((1 - recall) ** 2 * hits + recall**2 * (squares - hits)) / seen["given"] ** 2,
    }
    found = []
    for measure, trials in (("precision", seen["alarms"]), ("recall", seen["frauds"])):
        share = expected[measure]
        sampling = np.clip(share * (1 - share), 0, None) / trials
        off = np.sqrt(np.maximum(effect * (sampling + score_variance[measure]), 0))
        gap = abs(seen["hits"] / trials - share)
        flags = (gap > limits.expected.gap) & (gap > limits.expected.sigmas * off)
        found.append(
            (
                "ExpectedPerformanceGap",
                np.asarray(flags & (trials >= effect * limits.quality.minimum_trials)),
            )
        )
    return found
