"""The Pipeline, from the handlers to the notifications: receive, queue, send, store, notify.

Series of the Collector, Prometheus and Alertmanager are there where Prometheus scrapes them.
"""

from __future__ import annotations

from grafana.dashboard import Dashboard, Kind, Line, Panel, Query, Section, rising
from grafana.limits import NONE_AT_ALL, NOT_ONE, promised_age_seconds, thresholds
from grafana.promql import RATE_INTERVAL
from prometheus.generator.alerts.telemetry import FAILURES
from telemetry.metrics import REQUEST_TRACES

NOT_SCRAPED = "Prometheus does not scrape the Collector here (Grafana Cloud)."
NO_COLLECTOR = "the Collector is not scraped"


def per_second(counter: str, by: str = "") -> str:
    """Rate of a counter, summed; failure counters do not exist before the first failure."""
    grouped = f" by ({by})" if by else ""
    return f"sum{grouped} (rate({counter}[{RATE_INTERVAL}]))"


def _traces(result: str) -> str:
    return per_second(f'{REQUEST_TRACES.exposed}{{result="{result}"}}')


def _sampled(kept: str) -> str:
    counter = "otelcol_processor_tail_sampling_global_count_traces_sampled_total"
    return per_second(f'{counter}{{sampled="{kept}"}}')


STATE = (
    Panel(
        id=1,
        title="Is it up?",
        why="Whether the Collector, Prometheus and Alertmanager answer. Down Collector: nothing is "
        "measured, the handlers keep on serving. Down Alertmanager: nobody is notified.",
        unit="short",
        kind=Kind.STATES,
        queries=(Query("{{job}}", "min by (job) (up)", empty=NO_COLLECTOR),),
        alerts=("TelemetrySilent", "Watchdog"),
        empty=NOT_SCRAPED,
        width=16,
        height=6,
    ),
    Panel(
        id=2,
        title="Telemetry age",
        why="Since when nothing new is in the store. With traffic it stays below what the "
        "freshness objective promises; an idle handler sends nothing.",
        unit="s",
        queries=(Query("age", "time() - max(timestamp(model_version))"),),
        thresholds=rising(act=promised_age_seconds()),
        empty="No handler has sent anything in five minutes.",
        width=8,
        height=6,
    ),
)

FLOW = (
    Panel(
        id=3,
        title="Metric points in and out",
        why="What the Collector takes from the handlers and sends to each store, per second. Out "
        "below in for long: a queue fills.",
        unit="suffix:/s",
        queries=(
            Query(
                "in",
                per_second("otelcol_receiver_accepted_metric_points_total"),
                empty=NO_COLLECTOR,
            ),
            Query(
                "out to {{exporter}}",
                per_second("otelcol_exporter_sent_metric_points_total", "exporter"),
                Line.EXPECTED,
                NO_COLLECTOR,
            ),
        ),
        empty=NOT_SCRAPED,
    ),
    Panel(
        id=4,
        title="Metric points dropped",
        why="Points that were refused, did not fit into a queue or could not be delivered, per "
        "second. More than zero: measurements are lost for good.",
        unit="suffix:/s",
        queries=tuple(
            Query(legend, f"{per_second(counter)} or vector(0)")
            for legend, counter in FAILURES.items()
        ),
        thresholds=NONE_AT_ALL,
        alerts=("TelemetryDropped",),
        empty=NOT_SCRAPED,
    ),
    Panel(
        id=5,
        title="Queues, and in a day",
        why="How full each queue of the Collector is, and (dashed) how full it would be in a day. "
        "Filling: its target does not take the data; at 100 % points are dropped.",
        unit="percentunit",
        queries=(
            Query("{{exporter}}", "max by (exporter) (exporter:queue:ratio)", empty=NO_COLLECTOR),
            Query(
                "{{exporter}}, in a day",
                "max by (exporter) (exporter:queue:ratio_in_1d)",
                Line.EXPECTED,
                "half an hour of history is needed",
            ),
        ),
        thresholds=rising(act=thresholds().saturation.collector_queue),
        alerts=("CollectorQueueFills", "CollectorQueueSoonFull"),
        empty=NOT_SCRAPED,
        top=1,
    ),
    Panel(
        id=6,
        title="Deliveries lost, of an hour",
        why="Pushes that the Collector took and the store does not hold. A single one blurs a "
        "minute and falsifies no count; more say that the store lacks data.",
        unit="short",
        queries=(
            Query(
                "lost",
                "sum(instance:telemetry_deliveries:lost1h)",
                empty="an hour of history is needed",
            ),
        ),
        thresholds=rising(act=thresholds().telemetry.lost),
        alerts=("TelemetryLost",),
        empty="No handler has pushed for an hour yet.",
    ),
    Panel(
        id=7,
        title="Traces kept",
        why="Traces a second that are kept and that are dropped by sampling. All errors, slow "
        "requests and predicted frauds are kept.",
        unit="suffix:/s",
        kind=Kind.STACK,
        queries=(
            Query("kept", _sampled("true"), empty="no trace came yet"),
            Query("dropped", _sampled("false"), empty="the Collector dropped none yet"),
        ),
        empty="No trace came yet, or the Collector is not scraped.",
        width=8,
    ),
    Panel(
        id=13,
        title="Traces beyond the limit",
        why="Of the traces a second that there is a reason to keep, those that a handler writes "
        "and those that it drops, because more came than TRACES_PER_SECOND. Dropped ones: much "
        "traffic, of which TRACES_SHARE_PERCENT is more than that, or a fault in many requests at "
        "once; failures, refusals and frauds come first. Counts are whole.",
        unit="suffix:/s",
        queries=(
            Query("written", _traces("kept")),
            Query("dropped", _traces("limited")),
        ),
        empty="No handler has sent anything within the window.",
        width=8,
    ),
    Panel(
        id=8,
        title="Memory of the Collector",
        why="Near its limit the Collector refuses data rather than end. See the settings of its "
        "memory limiter.",
        unit="bytes",
        queries=(
            Query(
                "{{instance}}",
                "max by (instance) (otelcol_process_memory_rss_bytes)",
                empty=NO_COLLECTOR,
            ),
        ),
        empty=NOT_SCRAPED,
        width=8,
    ),
)

STORE = (
    Panel(
        id=9,
        title="Active series",
        why="Series that would be paid for in Grafana Cloud. At the line the plan is almost used "
        "up: `python -m grafana budget` shows which metric has how many.",
        unit="short",
        queries=(
            Query(
                "series",
                'count({__name__=~".+", job!~"prometheus|otel-collector|alertmanager"})',
            ),
        ),
        thresholds=rising(act=thresholds().series),
        alerts=("SeriesBudget",),
        empty="The store is empty.",
    ),
    Panel(
        id=10,
        title="Rules: time and failures",
        why="Time that the slowest rule group takes, of its interval, and evaluations that fail. "
        "Above 100 %: statistics come late; any failure: an alert may be blind.",
        unit="percentunit",
        queries=(
            Query(
                "slowest group",
                "max(prometheus_rule_group_last_duration_seconds"
                " / prometheus_rule_group_interval_seconds)",
                empty="Prometheus does not scrape itself",
            ),
            Query(
                "failures",
                f"{per_second('prometheus_rule_evaluation_failures_total')} or vector(0)",
                Line.LIMIT,
                unit="suffix:/s",
            ),
        ),
        thresholds=NOT_ONE,
        empty="Prometheus does not scrape itself here (Grafana Cloud).",
    ),
)

MESSAGES = (
    Panel(
        id=11,
        title="Messages sent",
        why="Notifications of Alertmanager per second, by the way they go. None while an alert "
        "fires: no receiver is set, see ALERT_WEBHOOK_URL.",
        unit="suffix:/s",
        kind=Kind.STACK,
        queries=(
            Query(
                "{{integration}}",
                per_second("alertmanager_notifications_total", "integration"),
                empty="Alertmanager is not scraped",
            ),
        ),
        empty="Alertmanager is not scraped here (Grafana Cloud has its own).",
    ),
    Panel(
        id=12,
        title="Messages that did not arrive",
        why="Notifications that failed, and alerts that Prometheus could not hand over. More than "
        "zero: somebody is not notified.",
        unit="suffix:/s",
        queries=(
            Query(
                "failed", f"{per_second('alertmanager_notifications_failed_total')} or vector(0)"
            ),
            Query(
                "not handed over",
                f"{per_second('prometheus_notifications_dropped_total')} or vector(0)",
            ),
        ),
        thresholds=NONE_AT_ALL,
        alerts=("AlertsNotSent",),
        empty="Alertmanager is not scraped here (Grafana Cloud has its own).",
    ),
)

DASHBOARD = Dashboard(
    uid="fraud-pipeline",
    title="Fraud detection: pipeline",
    question="Does what is measured arrive, and is somebody notified?",
    sections=(
        Section("State", STATE),
        Section("Receive, queue, send", FLOW),
        Section("Store", STORE),
        Section("Messages", MESSAGES),
    ),
    variables=("job",),
    time="6h",
    refresh="30s",
)
