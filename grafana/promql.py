"""How the panels' queries are put together, and filled in as Grafana fills them.

Series carry no version label, only `model_version` does. So a version is selected by the instances
that served it within the same window: `and` keeps their series, and unlike a multiplication it
allows that an instance shows two versions for a while, as it does after each change of the model.
The service is selected by `grafana/one_service.py`, for every query.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

RATE_INTERVAL = "$__rate_interval"  # Grafana: at least four times the push interval
WINDOW = "$window"  # chosen by the reader; what is rare needs more than a minute
RANGE = "$__range"  # all that the dashboard shows
EVERYTHING = ".+"  # what 'All' of a variable stands for

# Probes of the platform would thin out the share of errors that users see.
ASKED_BY_USERS = 'endpoint!~"/health.*|/metrics|/stats"'
SERVED_VERSION = 'model_version{role="champion", version=~"$version"}'


def rate(metric: str, window: str, *matchers: str) -> str:
    """Increase per second of each selected series of a counter."""
    return _of_selected(f"rate({_series(metric, matchers)}[{window}])", window)


def increase(metric: str, window: str, *matchers: str) -> str:
    """Increase of each selected series of a counter."""
    return _of_selected(f"increase({_series(metric, matchers)}[{window}])", window)


def latest(metric: str, *matchers: str) -> str:
    """Newest value of each selected series of a gauge."""
    return f"{_series(metric, matchers)} and on (job, instance) {SERVED_VERSION}"


def average_over_time(metric: str, window: str, *matchers: str) -> str:
    """Mean over the window of each selected series of a gauge."""
    return _of_selected(f"avg_over_time({_series(metric, matchers)}[{window}])", window)


def total(series: str, by: str = "") -> str:
    """Sum over the selected series, one for each value of the label `by` if given."""
    return f"sum by ({by}) ({series})" if by else f"sum({series})"


def highest(series: str) -> str:
    """The largest of the selected series."""
    return f"max({series})"


def lowest(series: str) -> str:
    """The smallest of the selected series."""
    return f"min({series})"


def percent(part: str, whole: str) -> str:
    """`part` of `whole` in percent; 0, not NaN, while there is nothing to divide."""
    return f"100 * {part} / {_not_zero(whole)}"


def share_of_all(parts: str, whole: str) -> str:
    """Each series of `parts` as a share of the single `whole`; 0 while there is nothing."""
    return f"{parts} / on () group_left () {_not_zero(whole)}"


def quantile(share: float, buckets: str) -> str:
    """Quantile of a histogram; nothing (a gap), not NaN, while nothing was observed."""
    return f"histogram_quantile({share}, {total(buckets, by='le')}) >= 0"


def smaller(one: str, other: str) -> str:
    """The smaller of two, where both are there."""
    return f"(({one}) <= ({other}) or ({other}) and ({one}))"


def larger(one: str, other: str) -> str:
    """The larger of two, where both are there."""
    return f"(({one}) >= ({other}) or ({other}) and ({one}))"


def fill_in(expression: str, values: Mapping[str, str]) -> str:
    """The expression with each `$name` replaced; KeyError names a variable without a value.

    A value may name another variable, as the window does that is chosen by the interval.
    """

    def value(found: re.Match[str]) -> str:
        return fill_in(values[found[1]], values)

    return re.sub(r"\$(\w+)", value, expression)


def _not_zero(divisor: str) -> str:
    return f"clamp_min({divisor}, 1e-9)"


def _series(metric: str, matchers: tuple[str, ...]) -> str:
    selected = ", ".join(('instance=~"$instance"', *matchers))
    return f"{metric}{{{selected}}}"


def _of_selected(expression: str, window: str) -> str:
    return f"{expression} and on (job, instance) last_over_time({SERVED_VERSION}[{window}])"
