"""thresholds.yml, checked when read."""

from __future__ import annotations

from pathlib import Path

import msgspec

from prometheus.generator.durations import parse_duration

FILE = Path(__file__).resolve().parents[1] / "thresholds.yml"


class Drift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of PSI by window."""

    minimum_count: float
    psi: dict[str, float]
    sigmas: float
    most_repeats: float


class Lasting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Small shifts: the PSI that is let pass, years between two false alarms, how long it lasts."""

    tolerance: float
    years: float
    hold: str


class Rates(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the predicted-fraud share and the mean score, as factors by window."""

    minimum_count: float
    minimum_frauds: float
    minimum_explained: float
    factor: dict[str, float]
    sigmas: float


class DataQuality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the share of refused transactions: by field and problem, and of all together."""

    share: float
    share_of_all: float
    sigmas: float


class Quality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the live quality; `unseen`: share of the labels that a version may still lack."""

    unseen: float
    minimum_outcomes: float
    minimum_trials: float
    loss: float
    sigmas: float
    calibration_error: float
    calibration_factor: float


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the gap between realised and expected performance."""

    gap: float
    sigmas: float


class Labels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When missing labels are a fault."""

    expected_in_window: float


class Telemetry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exports of an hour that may be missing in the store: their number, and share of all."""

    lost: float
    lost_share: float


class Saturation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the queues."""

    queue_size: float
    collector_queue: float


class Traffic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When silence is a fault."""

    expected_in_silence: float
    schedule: str


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How old a model may become, and how long the change from one version to the next may last."""

    stale_after: str
    rollout: str


class Challenger(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of champion against challenger."""

    disagreement: float
    unanswered: float
    sigmas: float
    minimum_count: float


class Trends(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when on a straight line into the future is believed."""

    budget_left: float
    collector_queue: float
    sigmas: float


class Thresholds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All limits."""

    drift: Drift
    lasting: Lasting
    rates: Rates
    data_quality: DataQuality
    quality: Quality
    expected: Expected
    labels: Labels
    telemetry: Telemetry
    saturation: Saturation
    traffic: Traffic
    model: Model
    challenger: Challenger
    trends: Trends
    series: float


def read_thresholds(path: Path = FILE) -> Thresholds:
    """The limits; ValueError names the field that is missing, unknown or of a wrong kind."""
    try:
        read = msgspec.yaml.decode(path.read_bytes(), type=Thresholds)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise ValueError(f"{path.name}: {error}") from None
    parse_duration(read.lasting.hold)
    parse_duration(read.traffic.schedule)
    parse_duration(read.model.stale_after)
    parse_duration(read.model.rollout)
    return read
