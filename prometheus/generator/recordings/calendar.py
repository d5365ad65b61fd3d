"""Features that follow the calendar, against the same hours of the week before.

Night is never as the baseline, which is the whole week's. For the features that the card says
follow the hour or the day of the week (model/training/calendar.py), the counts of a window are
compared with those of the same window seven days earlier, n with m: the chi-squared divergence

    D = sum over bins of (p - q)^2 / r      p, q: the two shares, r: that of both together

is like PSI about the squared shift, and (1/n + 1/m) chi-squared with B - 1 degrees of freedom
without any (it is Pearson's statistic of the two-way table). Bins that are empty in both add
nothing. B counts those that are not.

Nothing is recorded without a week before, or where the champion's version was another one then:
until there is one such a feature is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import VERSION
from prometheus.generator.recordings.baseline import FEATURES, follows_calendar, versions_seen
from prometheus.generator.recordings.drift import chance_quantile
from prometheus.generator.rule import Record
from prometheus.generator.thresholds import Thresholds

AGO = "7d"
_BY, _OF_FEATURE = FEATURES.labels, f"on ({FEATURES.labels}) group_left ()"


def distance(window: str) -> str:
    """Name of the recorded distance of a window from that of the week before."""
    return FEATURES.name("week_distance", window)


def distance_expected(window: str) -> str:
    """Name of the recorded distance that chance gives on average."""
    return FEATURES.name("week_expected", window)


def distance_chance(window: str) -> str:
    """Name of the recorded distance that chance hardly exceeds."""
    return FEATURES.name("week_chance", window)


def record_week_before(window: str, durations: Durations, limits: Thresholds) -> Iterator[Record]:
    """The distance of a window from that of the week before, and what chance gives of it."""
    ago = f"offset {durations(AGO)}"
    enough, independent = FEATURES.name("enough", window), FEATURES.name("independent", window)
    counts = FEATURES.name("increase", window, bins=True)
    same = _same_version(window, durations)
    chosen = f"({enough} and on ({_BY}) {follows_calendar(window)} and on ({VERSION}) ({same}))"
    now = f"{counts} / {_OF_FEATURE} {chosen}"
    then = f"({counts} {ago}) / {_OF_FEATURE} ({enough} {ago})"
    both = f"({counts} + ({counts} {ago})) / {_OF_FEATURE} ({enough} + ({enough} {ago}))"
    # How far the shares of the bins are from those of the week before.
    yield Record(
        distance(window),
        f"sum by ({_BY}) ((({now}) - ({then})) ^ 2\n/ ({both} > 0))",
    )
    # The distance that chance gives on average, and the one that it hardly exceeds.
    freedom = f"(count by ({_BY}) ({counts} + ({counts} {ago}) > 0) - 1)"
    per_row = f"(1 / {independent} + 1 / ({independent} {ago}))"
    yield Record(distance_expected(window), f"{freedom} * {per_row} and {distance(window)}")
    quantile = chance_quantile(FEATURES, freedom, distance_expected(window), limits)
    yield Record(distance_chance(window), quantile)


def _same_version(window: str, durations: Durations) -> str:
    """Something where the slot's version is the one that it was a week before."""
    version = versions_seen(window)
    return f"{version} and on ({VERSION}, version) ({version} offset {durations(AGO)})"
