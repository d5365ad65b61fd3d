"""How often the statistical alerts raise false alarms, and how soon true changes are seen.

    .venv/dev/bin/python -m bench.detection.false_alarms [--part alarms|drift|recall]

The rules themselves, evaluated by promtool (Prometheus' own engine, with every `for`) on drawn
series of 30 days. Sample and evaluation step are STEP for the false alarms, coarser than real
(1 and 4 minutes): `for: 5m` then asks for two evaluations and not for six, which can only add
alarms. Delays of drift are looked at minute by minute, those of recall every 15 minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from bench.detection.steady import Series, Service
from tests.lab.promtool import ask

RATES = (0.2, 5.0, 100.0)
DAYS, DAY, STEP = 30, 86_400, 300
PART = 300  # steps of one question
SHIFTS, LOSSES = (0.25, 0.5, 1.0), (0.1, 0.2)
DRAWS = 5  # of each delay; the median is printed
INPUTS = ("FeatureDrift",)
OUTCOMES = (
    "ScoreDrift",
    "FraudRateJump",
    "MeanScoreJump",
    "BadData",
    "LiveQualityLow",
    "CalibrationBroken",
    "ExpectedPerformanceGap",
    "LiveQualitySoonLow",
    "DriftSoon",
)


def count_alarms(alerts: tuple[str, ...], series: Series, steps: int) -> dict[str, float]:
    """How often each alert began to fire, by alert and job; one that never did is left out."""
    firing = 'ALERTS{alertstate="firing"}'
    began = f"({firing} unless {firing} offset {STEP}s)"
    expressions = [
        f"sum by (alertname, job) (count_over_time({began}[{span}]{offset}))"
        for span, offset, _ in split_time(steps, STEP)
    ]
    found: Counter[str] = Counter()
    for answer in ask(series, alerts, STEP, steps, *expressions):
        found.update(answer)
    return dict(found)


def measure_delays(
    alert: str, series: Series, changed: int, seconds: int, steps: int
) -> dict[str, float]:
    """Seconds from the change to the alert, by job; a job where it does not fire is left out."""
    chosen = f'alertname="{alert}", alertstate="firing"'
    expressions = [
        f'min_over_time(timestamp(max by (job) (ALERTS{{{chosen}, job="{job}"}}))[{span}]{offset})'
        for job in list_jobs(series)
        for span, offset, first in split_time(steps, seconds)
        if first >= changed
    ]
    found: dict[str, float] = {}
    for answer in ask(series, (alert,), seconds, steps, *expressions):
        for labels, moment in answer.items():
            delay = moment - changed * seconds
            found[labels.split('"')[1]] = min(delay, found.get(labels.split('"')[1], delay))
    return found


def split_time(steps: int, seconds: int) -> Iterator[tuple[str, str, int]]:
    """Subqueries that together are the whole time, each with its offset and its first step.

    promtool's engine takes 10,000 samples for one question.
    """
    for first in range(0, steps, PART):
        last = min(first + PART, steps)
        yield (
            f"{(last - first) * seconds}s:{seconds}s",
            f" offset {(steps - last) * seconds}s",
            first,
        )


def list_jobs(series: Series) -> list[str]:
    """The services in the series."""
    return sorted({name.split('job="')[1].split('"')[0] for name in series})


def count_false_alarms(rates: tuple[float, ...], days: int, seed: int = 1) -> dict[str, float]:
    """By alert and job, in so many days; the services are named after their rate."""
    steps = days * DAY // STEP
    services = [Service(f"{rate:g}/s", rate, steps, STEP, seed) for rate in rates]
    found: dict[str, float] = {}
    for alerts, of in ((INPUTS, Service.inputs), (OUTCOMES, Service.outcomes)):
        for service in services:
            began = time.monotonic()
            found |= count_alarms(alerts, of(service), steps)
            line = f"{service.job}: {len(alerts)} alerts, {time.monotonic() - began:.0f} s"
            print(line, file=sys.stderr, flush=True)
    return found


def measure_drift_delays(rates: tuple[float, ...], draws: int) -> dict[str, float]:
    """Median seconds from a shift of one feature's mean to FeatureDrift, by rate and shift."""
    changed, steps = 25 * 60, 75 * 60
    series: Series = {}
    for rate in rates:
        for shift in SHIFTS:
            for draw in range(draws):
                job = f"{rate:g}/s, {shift:g} sd, {draw}"
                service = Service(
                    job, rate, steps, 60, draw, features=1, changed=changed, shift=shift
                )
                series |= service.inputs()
    return take_medians(measure_delays("FeatureDrift", series, changed, 60, steps), series, draws)


def measure_recall_delays(rates: tuple[float, ...], draws: int) -> dict[str, float]:
    """Median seconds from a loss of recall to LiveQualityLow, by rate and loss."""
    changed, steps = 900, 3000
    series: Series = {}
    for rate in rates:
        for loss in LOSSES:
            for draw in range(draws):
                job = f"{rate:g}/s, {100 * loss:g} points, {draw}"
                service = Service(job, rate, steps, 900, draw, changed=changed, recall_loss=loss)
                series |= service.labels()
    return take_medians(
        measure_delays("LiveQualityLow", series, changed, 900, steps), series, draws
    )


def take_medians(found: Mapping[str, float], series: Series, draws: int) -> dict[str, float]:
    """Of the draws of each case; infinite where most draws were not seen."""
    cases = sorted({job.rpartition(", ")[0] for job in list_jobs(series)})
    return {
        case: float(
            np.median([found.get(f"{case}, {draw}", float("inf")) for draw in range(draws)])
        )
        for case in cases
    }


def format_duration(seconds: float) -> str:
    """For people."""
    if np.isinf(seconds):
        return "not seen"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 3 * DAY else f"{seconds / DAY:.1f} d"


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.detection.false_alarms")
    parser.add_argument("--part", choices=["alarms", "drift", "recall"], help="only this")
    part = parser.parse_args().part
    if part in (None, "alarms"):
        print(f"Alarms in {DAYS} days of steady traffic:")
        found = count_false_alarms(RATES, DAYS)
        print("\n".join(f"{labels}: {count:g}" for labels, count in found.items()) or "none")
    if part in (None, "drift"):
        print(f"Median delay of FeatureDrift after a shift of one feature, of {DRAWS}:")
        for case, seconds in measure_drift_delays(RATES, DRAWS).items():
            print(f"{case}: {format_duration(seconds)}")
    if part in (None, "recall"):
        print(f"Median delay of LiveQualityLow after a loss of recall, of {DRAWS}:")
        for case, seconds in measure_recall_delays(RATES, DRAWS).items():
            print(f"{case}: {format_duration(seconds)}")


if __name__ == "__main__":
    main()
