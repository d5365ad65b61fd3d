"""Queries of one service: every series of a service is selected by the chosen job.

A store may hold several (docs/several_services.md). It is done here for all queries at once, so
that no panel can forget it.
"""

from __future__ import annotations

import re

from prometheus.generator.alerts.telemetry import OF_THE_STACK

_JOB = 'job="$job"'
# Alerts and objectives of the stack concern every service that it watches; some have no job.
_WITH_SHARED = {"ALERTS": f'job=~"$job|{OF_THE_STACK}|"', "slo:": 'job=~"$job|"'}
_SHARED = re.compile(r"up|(otelcol|prometheus|alertmanager)_\w+|exporter:.+|slo:budget:ratio")
_WORDS = {"and", "or", "unless", "bool", "offset"}
_SELECTOR = r'\{(?:[^}"]|"[^"]*")*\}'
_TOKEN = re.compile(
    rf"""
    "[^"]*"
    | \b(?:by|on|group_left|without|ignoring)\s*\([^)]*\)   # names of labels
    | \[[^]]*]
    | (?<![\w.$:])(?P<name>[a-zA-Z_][\w:]*)
        (?:(?P<call>(?=\s*\(|\s+(?:by|without)\b))|(?P<selector>{_SELECTOR}))?
    | {_SELECTOR}   # of every name: counts what is in the store, whoever sent it
    """,
    re.VERBOSE,
)


def select_job(expression: str) -> str:
    """The expression with a matcher of the variable `job` in each selector of a service's series.

    What the Collector, Prometheus and Alertmanager count is left as it is.
    """
    return _TOKEN.sub(_narrow, expression)


def _narrow(found: re.Match[str]) -> str:
    name, selector = found["name"], found["selector"] or "{}"
    if not name or found["call"] is not None or name in _WORDS or _SHARED.fullmatch(name):
        return found[0]
    given = selector[1:-1].strip()
    if re.search(r"\bjob\s*[=!]", given):
        return found[0]
    shared = (job for start, job in _WITH_SHARED.items() if name.startswith(start))
    job = next(shared, _JOB)
    return f"{name}{{{', '.join(filter(None, (job, given)))}}}"
