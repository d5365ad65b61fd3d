"""Error ratios and budgets of the promises in slo.yml.

Ratios of up to three days are of the counters themselves: what arrives late, because the store was
down while the service failed, is in them as soon as it is there. Thirty days of counters each
minute would cost too much, so for the budget's period the increase over five minutes is recorded
each minute a day later, when all has arrived that the store takes (out_of_order_time_window), and
summed; the newest day is added from the counters. Errors are 0, not absent, while no error series
exists.

Promises of minutes (`bad_now`) are what the rules saw, minute by minute: minutes in which nothing
was evaluated are in no sum.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations, parse_duration
from prometheus.generator.promql import any_of, sum_increase
from prometheus.generator.rule import Group, Record
from prometheus.generator.slo import Objective, Slo

STEP, BASE = "1m", "5m"
SETTLED = "1d"  # so old, samples are all there
EVENTS, ERRORS = "slo:events:settled5m", "slo:errors:settled5m"
EVENTS_NOW, ERRORS_NOW = "slo:events:now", "slo:errors:now"
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


def count_errors(of: Objective, window: str, durations: Durations) -> str:
    """Errors of the window, with the promise as label `slo`."""
    return _label(of, _sum_errors(of, window, durations))


def _record_events(of: Objective, durations: Durations) -> Iterator[Record]:
    label = {"slo": of.name}
    # What may go wrong, and what did: requests of five minutes of a day ago, or this minute.
    if of.bad_now:
        yield Record(EVENTS_NOW, of.events_now, label)
        yield Record(ERRORS_NOW, of.bad_now.replace("[2m]", f"[{durations('2m')}]"), label)
    else:
        yield Record(EVENTS, _sum_events(of, BASE, durations, SETTLED), label)
        yield Record(ERRORS, _sum_errors(of, BASE, durations, SETTLED), label)
    # The share of the events that may be errors.
    yield Record(BUDGET, f"vector({of.budget:g})", label)


def _record_ratios(slo: Slo, durations: Durations) -> Iterator[Record]:
    # The share of the events that were errors, over each window of a burn rate.
    windows = {each for burn in slo.burn for each in (burn.long, burn.short)}
    for window in sorted(windows, key=parse_duration):
        ratios = any_of(_error_ratio(each, window, durations) for each in slo.objectives)
        yield Record(f"slo:error_ratio:{window}", ratios)
    # The share of the period's budget that no error has used; negative when the promise is broken.
    ratios = any_of(_period_ratio(each, slo.period, durations) for each in slo.objectives)
    yield Record(budget_left(slo), f"1 - (\n{ratios}\n) / on (slo) group_left () {BUDGET}")


def _error_ratio(of: Objective, window: str, durations: Durations) -> str:
    errors, events = (add(of, window, durations) for add in (_sum_errors, _sum_events))
    return _label(of, f"{errors} / ({events} > 0)")


def _period_ratio(of: Objective, period: str, durations: Durations) -> str:
    """Of the settled days, and of the newest one from the counters."""
    if of.bad_now:
        return _error_ratio(of, period, durations)
    older = durations(f"{parse_duration(period) - parse_duration(SETTLED)}s")
    # One event is in the increase of five minutes at each of five evaluations.
    repeats = parse_duration(BASE) // parse_duration(STEP)
    newest = {
        EVENTS: _label(of, _sum_events(of, SETTLED, durations)),
        ERRORS: _label(of, _sum_errors(of, SETTLED, durations)),
    }

    def total(name: str) -> str:
        settled = f'sum_over_time({name}{{slo="{of.name}"}}[{older}]) / {repeats}'
        return f"(({settled} or 0 * {newest[name]}) + ({newest[name]} or 0 * {settled}))"

    return f"{total(ERRORS)} / ({total(EVENTS)} > 0)"


def _sum_events(of: Objective, window: str, durations: Durations, ago: str = "") -> str:
    if of.bad_now:
        return f'sum_over_time({EVENTS_NOW}{{slo="{of.name}"}}[{durations(window)}])'
    return _count(of.events, window, durations, ago)


def _sum_errors(of: Objective, window: str, durations: Durations, ago: str = "") -> str:
    if of.bad_now:
        return f'sum_over_time({ERRORS_NOW}{{slo="{of.name}"}}[{durations(window)}])'
    events = _count(of.events, window, durations, ago)
    if of.errors:
        return f"({_count(of.errors, window, durations, ago)} or 0 * {events})"
    good = f"({_count(of.good, window, durations, ago)} or 0 * {events})"
    return f"clamp_min({events} - {good}, 0)"


def _count(counter: str, window: str, durations: Durations, ago: str) -> str:
    """How much a counter rose in the window that ended so long ago, or ends now; see
    `sum_increase`."""
    span = durations(window)
    if not ago:
        return sum_increase(counter, span)
    end = durations(ago)
    begin = durations(f"{parse_duration(window) + parse_duration(ago)}s")
    lowest = f"min_over_time({counter}[{span}] offset {end})"
    start = f"(({counter} offset {begin} <= {lowest}) or {lowest})"
    return f"sum by (job) (last_over_time({counter}[{span}] offset {end}) - {start})"


def _label(of: Objective, expression: str) -> str:
    return f'label_replace({expression}, "slo", "{of.name}", "", "")'
