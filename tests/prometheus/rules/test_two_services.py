"""Two services in one store: what is recorded, fires and is shown of one does not know the other.

Everything is evaluated by promtool with one of them alone and with both, and compared to the last
bit. Rules of the Collector, the store and Alertmanager have no job: they are the same for both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from grafana.cloud.verify import DEFAULTS
from grafana.panels import dashboards
from grafana.promql import fill_in
from tests.lab.promtool import Case, Question, ask, run, select_groups
from tests.lab.rules import read_alerts, recorded_names
from tests.prometheus.rules.alert_cases import PAIRS
from tests.prometheus.rules.alert_pair import Pair
from tests.prometheus.rules.series import JOB
from tests.prometheus.rules.two_services import SHARED_FEATURE, A, B, Service, of_the_stack

# All rules, each at some eighty moments: a minute alone, minutes on a busy machine.
pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

# Of the stack, which serves both.
SHARED_ALERTS = {
    "AlertsNotSent", "CollectorQueueFills", "CollectorQueueSoonFull", "FreshnessBudgetBurn",
    "SeriesBudget", "TelemetryDropped", "TelemetrySilent", "Watchdog",
}  # fmt: skip
SHARED_RECORDS = {
    "exporter:queue:ratio", "exporter:queue:ratio_in_1d", "slo:budget:ratio", "slo:errors:now",
    "slo:events:now",
}  # fmt: skip
# Counts what is stored, whoever sent it.
SHARED_PANELS = {"Active series"}
WINDOWS = {"window": "20m", "__rate_interval": "20m", "__range": "4h"}


@dataclass(frozen=True)
class Run:
    """Rules (all where none is named), evaluated at so many steps of seconds."""

    wanted: tuple[str, ...]
    seconds: int
    steps: int


# What needs a day of history or a week; all else is there within hours, at steps of four minutes:
# what was recorded longer ago than five is gone.
HOURS = Run((), 240, 80)
HALF_A_DAY = Run(("slo:budget_left:in_1d", "job:outcomes:recall1d_in_1d"), 120, 190)
DAYS = Run(("slo:events:settled5m", "slo:errors:settled5m"), 300, 300)
WEEK = "feature:feature_values:week_chance{}"
WEEKS = Run((WEEK.format("1h"), WEEK.format("24h")), 3600, 180)
WEEKS_BY_MINUTES = Run((WEEK.format("15m"),), 600, 1020)
RUNS = {"hours": HOURS, "half a day": HALF_A_DAY, "days": DAYS, "weeks": WEEKS}
RUNS["weeks by minutes"] = WEEKS_BY_MINUTES
a_service = pytest.mark.parametrize("service", [A, B], ids=["with challenger", "without"])


@cache
def evaluate(services: tuple[Service, ...], of: Run) -> dict[str, list[dict[str, float]]]:
    """By job: every series of it in the end (sent, recorded, and what fires); then, where all rules
    are evaluated, the answer to each query of each panel with this service chosen."""
    series = of_the_stack(of.steps)
    for service in services:
        series |= service.series(of.steps)
    if of.wanted:
        read = " ".join(r["expr"] for group in select_groups(*of.wanted) for r in group["rules"])
        series = {name: values for name, values in series.items() if name.split("{")[0] in read}
    expressions = [[f'{{job="{each.job}"}}', *panel_queries(each, of)] for each in services]
    found = ask(series, of.wanted, of.seconds, of.steps, *(e for each in expressions for e in each))
    parts = iter(found)
    return {
        service.job: [next(parts) for _ in asked]
        for service, asked in zip(services, expressions, strict=True)
    }


def panel_queries(service: Service, of: Run) -> list[str]:
    """Every query of the four dashboards, with this service chosen."""
    chosen = {**DEFAULTS, **WINDOWS, "job": service.job, "feature": SHARED_FEATURE}
    return [fill_in(query, chosen) for query in QUERIES] if not of.wanted else []


QUERIES = [
    query.expression
    for dashboard in dashboards().values()
    for panel in dashboard.panels
    if panel.title not in SHARED_PANELS
    for query in panel.queries
]


@pytest.mark.parametrize(
    ("service", "one"),
    [(B, HOURS), *((A, one) for one in RUNS.values())],
    ids=["hours, without challenger", *RUNS],
)
def test_recorded_values_are_those_of_the_service_alone(service: Service, one: Run) -> None:
    """To the last bit, alerts included."""
    [alone, *_], [both, *_] = (evaluate(of, one)[service.job] for of in ((service,), (A, B)))
    assert both == alone


def test_every_rule_has_been_compared() -> None:
    """Each recorded name has a value of the service that has all parts, in one of the runs."""
    seen = {
        name
        for one in RUNS.values()
        for labels in evaluate((A, B), one)[A.job][0]
        for name in re.findall(r'__name__="([^"]+)"', labels)
    }
    assert recorded_names() - seen == SHARED_RECORDS


def test_no_series_of_a_challenger_is_of_the_service_without() -> None:
    """But for its share of the traffic, which is always there: none."""
    both = evaluate((A, B), HOURS)
    of_a, of_b = (
        {labels: value for labels, value in both[service.job][0].items() if "challenger" in labels}
        for service in (A, B)
    )
    assert len(of_a) > 20
    assert [*of_b.values()] == [0] and "job:challenger:share24h" in next(iter(of_b))


@a_service
def test_panels_show_the_service_that_is_chosen(service: Service) -> None:
    """Each query of the four dashboards gives what it gives with this service alone."""
    alone, both = (evaluate(of, HOURS)[service.job][1:] for of in ((service,), (A, B)))
    differing = [
        query for query, one, other in zip(QUERIES, alone, both, strict=True) if one != other
    ]
    assert (len(alone), differing) == (len(QUERIES), [])


def test_panels_of_the_two_differ() -> None:
    """Else the comparison above would say nothing: those of a service, not of the stack."""
    both = evaluate((A, B), HOURS)
    of_services = [n for n, query in enumerate(QUERIES, start=1) if 'job="$job"' in query]
    filled = [n for n in of_services if both[A.job][n]]
    same = [QUERIES[n - 1] for n in filled if both[A.job][n] == both[B.job][n]]
    assert len(filled) > 0.9 * len(of_services), [
        QUERIES[n - 1] for n in of_services if n not in filled
    ]
    assert len(same) < 0.1 * len(filled), same


OF_ONE = [pair for pair in PAIRS if pair.alert not in SHARED_ALERTS]


@pytest.mark.parametrize("pair", OF_ONE, ids=Pair.id)
def test_alert_fires_for_the_service_that_is_at_fault(
    tools: Path, tmp_path: Path, pair: Pair
) -> None:
    """One has the series with which it fires, the other those with which it does not; the message
    begins with the first one's name, and leads to its panels."""
    healthy = {name.replace(JOB, f'job="{B.job}"'): values for name, values in pair.silent.items()}
    assert not healthy.keys() & pair.fires.keys()
    chosen = f'alertname="{pair.alert}", alertstate="firing", severity="{pair.severity}"'
    question = Question(
        f"count by (job) (ALERTS{{{chosen}}}) > bool 0", pair.at, ((f'{{job="{A.job}"}}', 1),)
    )
    told = {"eval_time": pair.at, "alertname": pair.alert, "exp_alerts": []}
    case = Case("both", {**pair.fires, **healthy}, (question,), pair.interval, (told,))
    said = run(tools, tmp_path, [case], pair.alert, pair.every)
    assert "promql_expr" not in said and "expr:" not in said, said
    summaries = re.findall(r'summary="([^"]*)"', said)
    assert summaries and all(text.startswith(f"{A.job}: ") for text in summaries), said
    links = re.findall(r'dashboard_url="([^"]*)"', said)
    assert all(f"&var-job={A.job}#panel-" in link for link in links)


def test_alerts_that_have_no_service_are_those_of_the_stack() -> None:
    assert set(read_alerts()) - {pair.alert for pair in OF_ONE} == SHARED_ALERTS
