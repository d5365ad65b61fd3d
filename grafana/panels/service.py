"""The Service: are its objectives kept, what fails, what is slow, and what is exhausted?"""

from __future__ import annotations

from grafana.dashboard import Dashboard, Kind, Line, Panel, Query, Section, rising
from grafana.limits import NOT_SPENT, OF_LIMIT, burn_factors, promised_seconds, slo, thresholds
from grafana.promql import (
    ASKED_BY_USERS,
    RATE_INTERVAL,
    WINDOW,
    average_over_time,
    highest,
    latest,
    percent,
    quantile,
    rate,
    total,
)
from grafana.ratios import burn_rate, burn_ratios

NOTHING_ASKED = "nothing was asked yet"
NO_HANDLER = "No handler has sent anything in five minutes."
LATENCY = "http_request_duration_seconds_bucket"


def turned_away(error: str) -> str:
    """Errors of the type per second."""
    return total(rate("errors_total", WINDOW, f'type="{error}"'))


def refused(one: float = 1, every: float = 1) -> str:
    """Share of the refused transactions by field and problem and for all, as parts of these."""
    of_all = f"job:data_quality:share15m / {every:g}"
    for label, value in (("feature", "all fields"), ("problem", "all problems")):
        of_all = f'label_replace({of_all}, "{label}", "{value}", "", "")'
    return f"max by (feature, problem) (feature:data_quality:share15m / {one:g} or {of_all}) > 0"


def of_instance(counter: str, *matchers: str) -> str:
    """Rise of a counter per second, of each instance."""
    return total(rate(counter, WINDOW, *matchers), by="instance")


OBJECTIVES = (
    Panel(
        id=1,
        title="Objectives",
        why="What is left of each error budget, and how many times too fast it burns. Budget at "
        "zero: changes wait. See prometheus/slo.yml for what each promises.",
        unit="percentunit",
        kind=Kind.TABLE,
        queries=(
            Query(
                "budget left",
                f"max by (slo) (slo:budget_left:{slo().period})",
                empty=NOTHING_ASKED,
                thresholds=NOT_SPENT,
            ),
            *(
                Query(
                    f"burn {burn.long}",
                    f"max by (slo) ({burn_rate(burn.long)})",
                    empty=NOTHING_ASKED,
                    unit="suffix: x",
                    thresholds=rising(act=burn.factor),
                )
                for burn in slo().burn
            ),
        ),
        by="slo",
        empty="No request was counted against an objective yet.",
    ),
    Panel(
        id=2,
        title="Budget burn, of the alert's limit",
        why="Burn rate of each objective in the pair of windows that is worst, as a part of the "
        "factor at which it alerts. At 100 % an error budget burns too fast: its runbook names "
        "what to look at.",
        unit="percentunit",
        queries=(Query("{{slo}}", f"max by (slo) ({burn_ratios()})", empty=NOTHING_ASKED),),
        thresholds=OF_LIMIT,
        alerts=("AvailabilityBudgetBurn", "LatencyBudgetBurn", "FreshnessBudgetBurn"),
        empty="No request was counted against an objective yet.",
    ),
    Panel(
        id=3,
        title="Burn rate, long and short window",
        why="How many times too fast each budget burns. Solid: the long window that pages first, "
        "dashed: its short one, which ends the alert. The line is the factor at which it pages.",
        unit="suffix: x",
        queries=(
            Query("{{slo}}", f"max by (slo) ({burn_rate('1h')})", empty=NOTHING_ASKED),
            Query(
                "{{slo}}, 5 min",
                f"max by (slo) ({burn_rate('5m')})",
                Line.EXPECTED,
                NOTHING_ASKED,
            ),
        ),
        thresholds=rising(act=burn_factors("page")[0]),
        empty="No request was counted against an objective yet.",
    ),
    Panel(
        id=4,
        title="Budget left, and in a day",
        why="What is left of each error budget, and (dashed) what would be left in a day at the "
        "pace of the last hours. Below zero: it is spent. Errors that arrive late, after the store "
        "was down, are in it; of freshness, minutes in which Prometheus was down are not.",
        unit="percentunit",
        queries=(
            Query("{{slo}}", f"max by (slo) (slo:budget_left:{slo().period})", empty=NOTHING_ASKED),
            Query(
                "{{slo}}, in a day",
                "max by (slo) (slo:budget_left:in_1d)",
                Line.EXPECTED,
                "three hours of history are needed",
            ),
        ),
        thresholds=NOT_SPENT,
        alerts=("ErrorBudgetSoonSpent",),
        empty="No request was counted against an objective yet.",
        top=1,
        signed=True,
    ),
)

REQUESTS = (
    Panel(
        id=5,
        title="Requests by status",
        why="Answers per second by status, without probes. 4xx: a caller that has changed; 5xx: "
        "ours, see the logs by the trace or request id.",
        unit="suffix:/s",
        kind=Kind.STACK,
        queries=(
            Query(
                "{{status}}",
                total(rate("http_requests_total", RATE_INTERVAL, ASKED_BY_USERS), by="status")
                + " > 0",
                empty="nobody asked",
            ),
        ),
        empty="Nobody asked within the window.",
        width=8,
    ),
    Panel(
        id=6,
        title="Errors by type",
        why="Refused or failed requests per second, by the type that the answer names. `internal` "
        "and `unavailable` are ours; the others say what a caller does wrong.",
        unit="suffix:/s",
        kind=Kind.STACK,
        queries=(
            Query(
                "{{type}}",
                total(rate("errors_total", WINDOW), by="type") + " > 0",
                empty="there was no error",
            ),
        ),
        empty="There was no error within the window.",
        width=8,
    ),
    Panel(
        id=14,
        title="Turned away",
        why="Requests per second that were refused unread: of one client that asks too often "
        "(429), or of anybody while more wait than can be answered (503). 429: a caller that "
        "repeats itself, or the limit is too low; 503: add an instance.",
        unit="suffix:/s",
        kind=Kind.STACK,
        queries=(
            Query("too often (429)", turned_away("too_many_requests")),
            Query("unavailable (503)", turned_away("unavailable")),
        ),
        empty=NO_HANDLER,
        width=8,
    ),
    Panel(
        id=7,
        title="Response times of /predict",
        why="How many answers took how long; darker is more. A second dark band: some requests "
        "take another way, such as a large batch or a slow challenger.",
        unit="s",
        kind=Kind.HEATMAP,
        queries=(
            Query(
                "{{le}}",
                total(rate(LATENCY, RATE_INTERVAL, 'endpoint="/predict"'), by="le"),
                exemplars=True,
            ),
        ),
        empty="Nobody asked /predict within the window.",
    ),
    Panel(
        id=8,
        title="The model's part of the response time",
        why="95 of 100 answers come within the solid time, 95 of 100 scorings within the dashed "
        "one. Far apart: the time goes into reading, checking or waiting.",
        unit="s",
        queries=(
            Query(
                "answer",
                quantile(0.95, rate(LATENCY, WINDOW, 'endpoint="/predict"')),
                empty="nobody asked",
            ),
            Query(
                "scoring",
                quantile(0.95, rate("prediction_latency_seconds_bucket", WINDOW)),
                Line.EXPECTED,
                "nobody asked",
            ),
        ),
        thresholds=rising(watch=promised_seconds()),
        empty="Nobody asked /predict within the window.",
    ),
    Panel(
        id=9,
        title="Refused fields",
        why="Share of the transactions that are refused, by field and problem and for all, the "
        "worst first. At 100 % of the limit: a caller has changed what it sends; the card says "
        "what is allowed.",
        unit="percentunit",
        kind=Kind.TABLE,
        queries=(
            Query("refused", refused(), empty="nothing was refused"),
            Query(
                "of the limit",
                refused(thresholds().data_quality.share, thresholds().data_quality.share_of_all),
                empty="nothing was refused",
                thresholds=OF_LIMIT,
            ),
        ),
        by="feature",
        worst_first=True,
        alerts=("BadData",),
        empty="Nothing was refused in 15 minutes.",
        then="fraud-model",
    ),
    Panel(
        id=10,
        title="Who is scored",
        why="Transactions per second by user type. A type that is gone: a caller, or a part of "
        "one, is gone.",
        unit="suffix:/s",
        kind=Kind.STACK,
        queries=(
            Query("{{user_type}}", total(rate("predictions_total", RATE_INTERVAL), by="user_type")),
        ),
        empty="Nobody asked within the window.",
    ),
)

SATURATION = (
    Panel(
        id=11,
        title="Processor, memory, disk by instance",
        why="What each instance has used up of its limits. One far above the others: it gets more "
        "than its part, or something runs beside it.",
        unit="percent",
        queries=(
            Query(
                "CPU {{instance}}",
                f"max by (instance) ({average_over_time('system_cpu_usage_percent', WINDOW)})",
            ),
            Query(
                "memory {{instance}}",
                f"max by (instance) ({latest('system_memory_usage_percent')})",
                Line.EXPECTED,
            ),
            Query("disk", highest(latest("system_disk_usage_percent")), Line.CARD),
        ),
        empty=NO_HANDLER,
        top=100,
    ),
    Panel(
        id=12,
        title="Requests that wait, by instance",
        why="Requests that are accepted and not yet answered. At the line callers wait: add an "
        "instance, or find what is slow.",
        unit="short",
        queries=(Query("{{instance}}", f"max by (instance) ({latest('queue_size')})"),),
        thresholds=rising(act=thresholds().saturation.queue_size),
        empty=NO_HANDLER,
    ),
    Panel(
        id=13,
        title="By instance",
        why="What each instance scores, refuses and fails on. One that is alone with its errors: "
        "restart it, and look at its log.",
        unit="suffix:/s",
        kind=Kind.TABLE,
        queries=(
            Query("scored", of_instance("predictions_total")),
            Query("refused or failed", of_instance("errors_total")),
            Query(
                "failed, of all",
                percent(
                    of_instance("http_requests_total", ASKED_BY_USERS, 'status=~"5.."'),
                    of_instance("http_requests_total", ASKED_BY_USERS),
                ),
                unit="percent",
            ),
        ),
        by="instance",
        empty=NO_HANDLER,
        width=24,
        height=6,
    ),
)

DASHBOARD = Dashboard(
    uid="fraud-service",
    title="Fraud detection: service",
    question="Are the objectives kept, and if not, what fails, is slow or exhausted?",
    sections=(
        Section("Objectives", OBJECTIVES),
        Section("Requests", REQUESTS),
        Section("Saturation", SATURATION),
    ),
    variables=("job", "version", "instance", "window"),
    time="6h",
    refresh="30s",
)
