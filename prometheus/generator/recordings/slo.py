"""Error ratios and budgets of the promises in slo.yml.

Events and errors are recorded as their increase over five minutes, each minute; the ratio of a
longer window is the ratio of their sums, so that busy hours count more than quiet ones. Errors
are 0, not absent, while no error series exists.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations, parse_duration
from prometheus.generator.promql import sum_increase
from prometheus.generator.rule import Group, Record
from prometheus.generator.slo import Objective, Slo

STEP, BASE = "1m", "5m"
EVENTS, ERRORS = "slo:events:increase5m", "slo:errors:increase5m"
BUDGET = "slo:budget:ratio"


def record_budgets(durations: Durations, slo: Slo) -> tuple[Group, ...]:
    """Events and errors of each promise, and their ratios over every window that is asked for."""
    events = tuple(rule for each in slo.objectives for rule in _record_events(each, durations))
    return (
        Group("slo_events", durations(STEP), events),
        Group("slo_ratios", durations(STEP), tuple(_record_ratios(slo, durations))),
    )


def budget_left(slo: Slo) -> str:
    """Name of the series of what is left of the budgets."""
    return f"slo:budget_left:{slo.period}"


def count_repeats(objective: Objective) -> int:
    """How often one error is in the sums: each event is in the increase of five minutes."""
    return 1 if objective.bad_now else parse_duration(BASE) // parse_duration(STEP)


def _record_events(of: Objective, durations: Durations) -> Iterator[Record]:
    label, span = {"slo": of.name}, durations(BASE)
    # What may go wrong, and what did: requests of five minutes, or this minute.
    if of.bad_now:
        yield Record(EVENTS, of.events_now, label)
        yield Record(ERRORS, of.bad_now.replace("[2m]", f"[{durations('2m')}]"), label)
    else:
        events = sum_increase(of.events, span)
        yield Record(EVENTS, events, label)
        if of.errors:
            yield Record(ERRORS, f"{sum_increase(of.errors, span)} or 0 * {events}", label)
        else:
            good = f"({sum_increase(of.good, span)} or 0 * {events})"
            yield Record(ERRORS, f"clamp_min({events} - {good}, 0)", label)
    # The share of the events that may be errors.
    yield Record(BUDGET, f"vector({of.budget:g})", label)


def _record_ratios(slo: Slo, durations: Durations) -> Iterator[Record]:
    # The share of the events that were errors, over each window of a burn rate.
    windows = {each for burn in slo.burn for each in (burn.long, burn.short)}
    for window in sorted(windows, key=parse_duration):
        yield Record(f"slo:error_ratio:{window}", _error_ratio(window, durations))
    # The share of the period's budget that no error has used; negative when the promise is broken.
    yield Record(
        budget_left(slo),
        f"1 - ({_error_ratio(slo.period, durations)}) / on (slo) group_left () {BUDGET}",
    )


def _error_ratio(window: str, durations: Durations) -> str:
    if window == BASE:
        return f"{ERRORS} / ({EVENTS} > 0)"
    span = durations(window)
    return f"sum_over_time({ERRORS}[{span}]) / (sum_over_time({EVENTS}[{span}]) > 0)"
