"""The model's age, and the comparison of champion and challenger."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations, parse_duration
from prometheus.generator.promql import OF_CHAMPION, last_max
from prometheus.generator.recordings.challenger import SHARE_EXPECTED, SHARE_OF_OWN
from prometheus.generator.rule import Alert
from prometheus.generator.thresholds import Challenger, Thresholds

_SEEN = "15m"  # how far back a version that answers is looked for


def alert_on_model(durations: Durations, limits: Thresholds) -> Iterator[Alert]:
    """A model that is old, and a challenger that decides or is served differently than meant."""
    stale_after = limits.model.stale_after
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
    yield _alert_on_versions(durations, limits)
    yield from _alert_on_challenger(durations, limits.challenger)


def _alert_on_challenger(durations: Durations, challenger: Challenger) -> Iterator[Alert]:
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
    yield _alert_on_split(durations, challenger)


def _alert_on_split(durations: Durations, challenger: Challenger) -> Alert:
    # The challenger did not answer what has its keys, or its share of the divided traffic is off
    # the share that was set by more than the chance that so many keys leave.
    return Alert(
        "SampleRatioMismatch",
        "ticket",
        f"""
        job:challenger:share24h
        and (
          {SHARE_OF_OWN} < {1 - challenger.unanswered:g}
          or abs(job:challenger:share24h - {SHARE_EXPECTED})
            > {challenger.sigmas:g} * job:challenger:share_deviation24h
        )
        and sum by (job) (role:expected_served:increase24h) >= {challenger.minimum_count:g}
        """,
        durations("15m"),
        "The challenger gets another share of the traffic than was set: comparisons are biased.",
        "It got {{ $value | humanizePercentage }}.",
        caused_by=("ServiceDown",),
    )


def _alert_on_versions(durations: Durations, limits: Thresholds) -> Alert:
    # More than one version answered as champion lately, and did so all through a rollout's time. An
    # instance is silent while it has nothing to answer, so it is looked for a while back; for so
    # much longer the condition holds when the last of the old version is gone.
    seen = f"last_over_time(model_version{{{OF_CHAMPION}}}[{durations(_SEEN)}])"
    seconds = parse_duration(limits.model.rollout) + parse_duration(_SEEN)
    return Alert(
        "ModelVersionMismatch",
        "ticket",
        f"count by (job) (count by (job, version) ({seen})) > 1",
        durations(f"{seconds // 60}m"),
        f"More than one version has answered as champion for longer than {limits.model.rollout}.",
        "{{ $value }} versions.",
    )
