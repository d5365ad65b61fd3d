"""Whether the service answers: its traffic and its queue."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus.generator.alerts.telemetry import COLLECTOR
from prometheus.generator.durations import Durations
from prometheus.generator.promql import OF_CHAMPION, PREDICT, sum_increase
from prometheus.generator.rule import Alert
from prometheus.generator.thresholds import Thresholds

_REQUESTS = f'http_requests_total{{endpoint="{PREDICT}"}}'
SILENCE = "5m"
# The silence, and the minute for which it is waited.
HEARD = "6m"
# Of the Collector's http_check receiver: otel-collector/config/probe.yaml.
_PROBE = "probe_success"
PROBED = "2m"


def alert_on_service(durations: Durations, limits: Thresholds) -> Iterator[Alert]:
    """A service that is gone, one that nobody asks, and one that does not keep up."""
    yield _alert_on_silence(durations, limits)
    yield _alert_on_missing_traffic(durations, limits)
    # More requests wait on one worker than it will answer in time.
    yield Alert(
        "RequestsQueue",
        "page",
        f"max by (job, instance) (queue_size) > {limits.saturation.queue_size:g}",
        durations("5m"),
        "Requests wait on {{ $labels.instance }}.",
        "{{ $value }} requests are accepted and not yet answered.",
        caused_by=("ServiceDown",),
        may_follow=("slow",),
    )


def _alert_on_silence(durations: Durations, limits: Thresholds) -> Alert:
    usual = f"rate({_REQUESTS}[{durations('1h')}] offset {durations(SILENCE)})"
    answered = sum_increase(_REQUESTS, durations(SILENCE))
    probed = f"max by (job) (max_over_time({_PROBE}[{durations(PROBED)}]))"
    # Asked, and there was no answer. Where nobody asks: the last hour's pace promises requests, and
    # none was answered, while there was a Collector all the time to say so.
    unheard = f"max(min_over_time({COLLECTOR}[{durations(HEARD)}])) == 0"
    return Alert(
        "ServiceDown",
        "page",
        f"""
        {probed} == 0
        or
        {durations.scale_seconds(SILENCE):g} * sum by (job) ({usual})"""
        f""" >= {limits.traffic.expected_in_silence:g}
        unless on (job) ({answered} > 0)
        unless on (job) {probed}
        unless on () ({unheard})
        """,
        durations("1m"),
        "The service does not answer.",
        "{{ if $value }}It was busy, and answered none of"
        ' {{ $value | printf "%.0f" }} requests that were to be expected in five minutes.'
        "{{ else }}The probe had no answer for two minutes.{{ end }}",
        caused_by=("TelemetrySilent",),
        equal=("job",),
        scenarios=("outage",),
    )


def _alert_on_missing_traffic(durations: Durations, limits: Thresholds) -> Alert:
    schedule = limits.traffic.schedule
    loaded = f"last_over_time(model_version{{{OF_CHAMPION}}}[{durations('2d')}])"
    # A model is loaded, and no request came for as long as the schedule allows.
    return Alert(
        "NoTraffic",
        "ticket",
        f"""
        count by (job) ({loaded})
        unless on (job) ({sum_increase(_REQUESTS, durations(schedule))} > 0)
        """,
        durations("1h"),
        f"No request came for {schedule}, though some are scheduled.",
        f"0 requests in {schedule}.",
        caused_by=("ServiceDown", "TelemetrySilent"),
        may_follow=("outage",),
    )
