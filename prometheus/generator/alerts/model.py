"""The model's age, and the comparison of champion and challenger."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import last_max
from prometheus.generator.recordings.challenger import SHARE_TARGET
from prometheus.generator.rule import Alert
from prometheus.generator.thresholds import Thresholds


def alert_on_model(durations: Durations, limits: Thresholds) -> Iterator[Alert]:
    """A model that is old, and a challenger that decides or is served differently than meant."""
    stale_after, challenger = limits.model.stale_after, limits.challenger
    trained = last_max("model_last_training_timestamp", durations("24h"))
    # The time since the training is longer than the limit.
    yield Alert(
        "ModelStale",
        "ticket",
        f"time() - {trained} > {durations.scale_seconds(stale_after):g}",
        durations("1h"),
        f"The model was trained more than {stale_after} ago.",
        "Trained {{ $value | humanizeDuration }} ago.",
    )
    # Even the lower bound of the share of different decisions is above the limit.
    yield Alert(
        "ChallengerDisagrees",
        "ticket",
        "job:challenger:disagreement24h\n"
        f"and job:challenger:disagreement_low24h > {challenger.disagreement:g}\n"
        f"and job:challenger:count24h >= {challenger.minimum_count:g}",
        durations("15m"),
        "The challenger decides differently from the champion, more often than is usual.",
        "{{ $value | humanizePercentage }} of the decisions of a day.",
        caused_by=("ServiceDown",),
    )
    # The challenger's share of the traffic is off the share that was set by more than chance.
    yield Alert(
        "SampleRatioMismatch",
        "ticket",
        f"""
        job:challenger:share24h
        and abs(job:challenger:share24h - {SHARE_TARGET})
          > {challenger.sigmas:g} * job:challenger:share_deviation24h
        and sum by (job) (role:served:increase24h) >= {challenger.minimum_count:g}
        """,
        durations("15m"),
        "The challenger gets another share of the traffic than was set: comparisons are biased.",
        "It got {{ $value | humanizePercentage }}.",
        caused_by=("ServiceDown",),
    )
