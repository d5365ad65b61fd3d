"""Whether what is measured arrives, and whether alerts do."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.durations import Durations
from prometheus.generator.promql import any_of
from prometheus.generator.recordings.lost_exports import LOST, TAKEN
from prometheus.generator.recordings.trends import QUEUE
from prometheus.generator.rule import Alert
from prometheus.generator.thresholds import Thresholds

COLLECTOR = 'up{job="otel-collector"}'
OF_THE_STACK = "prometheus|otel-collector|alertmanager"
# Points lost, counted where nothing tries again: the remote-write exporter counts each try, and the
# receiver in front of it each answer, while the queue before them keeps the points.
FAILURES = {
    "could not be delivered": (
        'otelcol_exporter_send_failed_metric_points_total{exporter!~"prometheusremotewrite.*"}'
    ),
    "did not fit into the queue": "otelcol_exporter_enqueue_failed_metric_points_total",
    "were refused": 'otelcol_receiver_refused_metric_points_total{receiver!="otlp/remote_write"}',
}


def alert_on_telemetry(durations: Durations, limits: Thresholds) -> Iterator[Alert]:
    """The way of the metrics in its order, the way of the alerts, and the number of series."""
    yield from _alert_on_collector(durations)
    yield _alert_on_lost_exports(durations, limits)
    yield from _alert_on_notifications(durations)
    # A queue of the Collector is used by more than a share of its capacity.
    yield Alert(
        "CollectorQueueFills",
        "ticket",
        f"{QUEUE} > {limits.saturation.collector_queue:g}",
        durations("5m"),
        "The Collector's queue to {{ $labels.exporter }} fills: its target does not take the data.",
        "{{ $value | humanizePercentage }} of the capacity is used.",
    )
    # All series but the stack's own, which stay here.
    yield Alert(
        "SeriesBudget",
        "ticket",
        f'count({{__name__=~".+", job!~"{OF_THE_STACK}"}}) > {limits.series:g}',
        durations("15m"),
        "There are almost more active series than the plan includes.",
        "{{ $value }} series.",
    )


def _alert_on_collector(durations: Durations) -> Iterator[Alert]:
    # The Collector's own metrics cannot be scraped. Without it nothing is measured at all, whatever
    # the job: the Collector's is another than the service's.
    yield Alert(
        "TelemetrySilent",
        "page",
        f"{COLLECTOR} == 0",
        # Before ServiceDown, which then only follows from it, is sent after six minutes.
        durations("3m"),
        "The Collector does not answer: nothing is measured.",
        "up is {{ $value }} on {{ $labels.instance }}.",
        scenarios=("collector-gone",),
    )
    # One of the Collector's counters of points given up rose.
    yield Alert(
        "TelemetryDropped",
        "ticket",
        any_of(_has_risen(name, why, durations("15m")) for why, name in FAILURES.items()),
        "0s",
        "Metric points {{ $labels.why }}: the Collector drops telemetry.",
        '{{ $value | printf "%.0f" }} points in 15 minutes.',
    )


def _alert_on_lost_exports(durations: Durations, limits: Thresholds) -> Alert:
    # Of an hour's exports more than a few, and more than a share, are not in the store.
    lost = f"sum by (job) ({LOST})"
    return Alert(
        "TelemetryLost",
        "ticket",
        f"""
        {lost} >= {limits.telemetry.lost:g}
        and {lost} > {limits.telemetry.lost_share:g} * sum by (job) ({TAKEN})
        """,
        durations("10m"),
        "The store lacks deliveries that the Collector took.",
        '{{ $value | printf "%.0f" }} deliveries of an hour are missing.',
        caused_by=("TelemetrySilent",),
    )


def _alert_on_notifications(durations: Durations) -> Iterator[Alert]:
    """Whether alerts arrive. Where nothing does, only the heartbeat's absence can tell."""
    failed = f"increase(alertmanager_notifications_failed_total[{durations('15m')}])"
    dropped = "prometheus_notifications_dropped_total"
    # Alertmanager could not send, or Prometheus could not reach Alertmanager.
    yield Alert(
        "AlertsNotSent",
        "ticket",
        f"""
        label_replace(sum by (integration) ({failed}) > 0, "why", "$1 fails", "integration", "(.*)")
        or
        {_has_risen(dropped, "Alertmanager does not take them", durations("15m"))}
        """,
        "0s",
        "Alerts do not arrive: {{ $labels.why }}.",
        '{{ $value | printf "%.0f" }} messages in 15 minutes.',
    )
    # Always, as long as Prometheus evaluates and Alertmanager answers.
    yield Alert(
        "Watchdog",
        "none",
        'max(up{job="alertmanager"}) == 1',
        "0s",
        "Always there while alerts can be sent: a heartbeat for a dead man's switch.",
        "Alertmanager answers.",
    )


def _has_risen(counter: str, why: str, span: str) -> str:
    """Increase of a counter that may not exist before its first failure."""
    risen = f"(sum(increase({counter}[{span}])) > 0)"
    born = f"(sum({counter} unless {counter} offset {span}) > 0)"
    return f'label_replace({risen} or {born}, "why", "{why}", "", "")'
