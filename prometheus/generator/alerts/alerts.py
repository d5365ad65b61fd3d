"""The alerts, in the order of a request's path; every limit is in thresholds.yml.

A page is for what callers feel now or what nobody else would see; all else is a ticket. Each
alert has its runbook in docs/runbooks. The alerts of the error budgets are in slo.py, those of
the trends in trends.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus.generator.durations import Clock
from prometheus.generator.recordings.drift import FEATURES, SCORE, Distribution, last
from prometheus.generator.recordings.estimated_performance import COMPARED
from prometheus.generator.recordings.lost_exports import LOST, TAKEN, delivery_records
from prometheus.generator.recordings.rates import INPUTS
from prometheus.generator.rule import Alert, Group, RuleFile
from prometheus.generator.thresholds import Thresholds
from prometheus.generator.trends import QUEUE

COLLECTOR = 'up{job="otel-collector"}'
OF_THE_STACK = "prometheus|otel-collector|alertmanager"
FAILURES = {
    "could not be delivered": "otelcol_exporter_send_failed_metric_points_total",
    "did not fit into the queue": "otelcol_exporter_enqueue_failed_metric_points_total",
    "were refused": "otelcol_receiver_refused_metric_points_total",
}


def alerts_file(clock: Clock, limits: Thresholds) -> RuleFile:
    """rules/alerts.yml"""
    every = clock("1m")
    groups = (
        Group("service_alerts", every, tuple(_service(clock, limits))),
        Group("telemetry_alerts", every, (*delivery_records(clock), *_telemetry(clock, limits))),
        Group("input_alerts", every, tuple(_inputs(clock, limits))),
        Group("quality_alerts", every, tuple(_quality(clock, limits))),
        Group("model_alerts", every, tuple(_model(clock, limits))),
    )
    return RuleFile("alerts.yml", "Alerts; limits: prometheus/thresholds.yml", groups)


def windows(conditions: Mapping[str, str]) -> str:
    """Any of the conditions, each with its window as a label."""
    return "\nor\n".join(
        f'label_replace(\n{condition}\n, "window", "{window}", "", "")'
        for window, condition in conditions.items()
    )


def _service(clock: Clock, limits: Thresholds) -> Iterator[Alert]:
    chosen, traffic = 'http_requests_total{endpoint="/predict"}', limits.traffic
    busy = f"sum by (job) (rate({chosen}[{clock('1h')}] offset {clock('5m')}))"
    now = f"sum by (job) (increase({chosen}[{clock('5m')}]))"
    yield Alert(
        "ServiceDown",
        "page",
        f"""
        {clock.seconds("5m"):g} * {busy} >= {traffic.expected_in_silence:g}
        unless on (job) ({now} > 0)
        """,
        clock("1m"),
        "{{ $labels.job }} was busy and has answered nothing for five minutes.",
        '{{ $value | printf "%.0f" }} requests were to be expected in these five minutes.',
    )
    promised = clock(traffic.schedule)
    yield Alert(
        "NoTraffic",
        "ticket",
        f"""
        count by (job) (last_over_time(model_version{{role="champion"}}[{clock("2d")}]))
        unless on (job) (sum by (job) (increase({chosen}[{promised}])) > 0)
        """,
        clock("1h"),
        f"{{{{ $labels.job }}}} had no request for {traffic.schedule}, though some are scheduled.",
        f"0 requests in {traffic.schedule}.",
    )
    yield Alert(
        "RequestsQueue",
        "page",
        f"max by (job, instance) (queue_size) > {limits.saturation.queue_size:g}",
        clock("5m"),
        "Requests wait on {{ $labels.instance }}.",
        "{{ $value }} requests are accepted and not yet answered.",
    )


def _telemetry(clock: Clock, limits: Thresholds) -> Iterator[Alert]:
    yield Alert(
        "TelemetrySilent",
        "page",
        f"{COLLECTOR} == 0",
        # Before ServiceDown, which then only follows from it, is told after six minutes.
        clock("3m"),
        "The Collector does not answer: nothing is measured.",
        "up is {{ $value }} on {{ $labels.instance }}.",
    )
    lost = "\nor\n".join(_grown(name, why, clock("15m")) for why, name in FAILURES.items())
    yield Alert(
        "TelemetryDropped",
        "ticket",
        lost,
        "0s",
        "Metric points {{ $labels.why }}: the Collector drops telemetry.",
        '{{ $value | printf "%.0f" }} points in 15 minutes.',
    )
    shortfall = f"sum by (job) ({LOST})"
    yield Alert(
        "TelemetryLost",
        "ticket",
        f"""
        {shortfall} >= {limits.telemetry.lost:g}
        and {shortfall} > {limits.telemetry.lost_share:g} * sum by (job) ({TAKEN})
        """,
        clock("10m"),
        "The store lacks deliveries that the Collector took from {{ $labels.job }}.",
        '{{ $value | printf "%.0f" }} deliveries of an hour are missing.',
    )
    yield from _alerting(clock)
    yield Alert(
        "CollectorQueueFills",
        "ticket",
        f"{QUEUE} > {limits.saturation.collector_queue:g}",
        clock("5m"),
        "The Collector's queue to {{ $labels.exporter }} fills: its target does not take the data.",
        "{{ $value | humanizePercentage }} of the capacity is used.",
    )
    yield Alert(
        "SeriesBudget",
        "ticket",
        f'count({{__name__=~".+", job!~"{OF_THE_STACK}"}}) > {limits.series:g}',
        clock("15m"),
        "There are almost more active series than the plan includes.",
        "{{ $value }} series.",
    )


def _alerting(clock: Clock) -> Iterator[Alert]:
    """Whether alerts arrive. Where nothing does, only the heartbeat's absence can tell."""
    failed = f"increase(alertmanager_notifications_failed_total[{clock('15m')}])"
    dropped = "prometheus_notifications_dropped_total"
    yield Alert(
        "AlertsNotSent",
        "ticket",
        f"""
        label_replace(sum by (integration) ({failed}) > 0, "why", "$1 fails", "integration", "(.*)")
        or
        {_grown(dropped, "Alertmanager does not take them", clock("15m"))}
        """,
        "0s",
        "Alerts do not arrive: {{ $labels.why }}.",
        '{{ $value | printf "%.0f" }} messages in 15 minutes.',
    )
    yield Alert(
        "Watchdog",
        "none",
        'max(up{job="alertmanager"}) == 1',
        "0s",
        "Always there while alerts can be sent: a heartbeat for a dead man's switch.",
        "Alertmanager answers.",
    )


def _grown(counter: str, why: str, span: str) -> str:
    """Increase of a counter that may not exist before its first failure."""
    grown = f"(sum(increase({counter}[{span}])) > 0)"
    born = f"(sum({counter} unless {counter} offset {span}) > 0)"
    return f'label_replace({grown} or {born}, "why", "{why}", "", "")'


def _inputs(clock: Clock, limits: Thresholds) -> Iterator[Alert]:
    for name, of in (("FeatureDrift", FEATURES), ("ScoreDrift", SCORE)):
        conditions = {w: _drifted(of, w, limit) for w, limit in limits.drift.psi.items()}
        what = "{{ $labels.feature }}" if of is FEATURES else "The score"
        yield Alert(
            name,
            "ticket",
            windows(conditions),
            clock("5m"),
            f"{what} is distributed differently from the model's baseline"
            " (last {{ $labels.window }}).",
            'PSI is {{ $value | printf "%.3f" }} above what chance gives.',
        )
    for name, what, words in (
        ("FraudRateJump", "fraud_share", "The share of predicted fraud"),
        ("MeanScoreJump", "mean_score", "The mean score"),
    ):
        conditions = {
            w: _jumped(what, w, factor, limits) for w, factor in limits.rates.factor.items()
        }
        yield Alert(
            name,
            "ticket",
            windows(conditions),
            clock("5m"),
            f"{words} is far from the holdout's (last {{{{ $labels.window }}}}).",
            "It is {{ $value | humanizePercentage }}.",
        )
    yield Alert(
        "BadData",
        "ticket",
        f"""
        (feature:data_quality:share{INPUTS}
          and feature:data_quality:share_low{INPUTS} > {limits.data_quality.share:g})
        or label_replace(label_replace(
          job:data_quality:share{INPUTS}
            and job:data_quality:share_low{INPUTS} > {limits.data_quality.share_of_all:g},
          "feature", "all fields", "", ""), "problem", "all problems", "", "")
        """,
        clock("5m"),
        "Many transactions are refused for {{ $labels.feature }}: {{ $labels.problem }}.",
        "{{ $value | humanizePercentage }} of all.",
    )


def _drifted(of: Distribution, window: str, limit: float) -> str:
    psi, expected = of.name("psi", window), of.name("psi_expected", window)
    return f"  ({psi} - {expected} > {limit:g} and {psi} > {of.name('psi_chance', window)})"


def _jumped(what: str, window: str, factor: float, limits: Thresholds) -> str:
    usual = {
        "fraud_share": last("model_holdout_alert_rate", window),
        "mean_score": last("model_holdout_mean_score", window),
    }[what]
    live = f"job:predictions:{what}{window}"
    deviation = live.replace(what, f"{what}_deviation")
    far = f"abs({live} - {usual}) > {limits.rates.sigmas:g} * {deviation}"
    return f"  (({live} > {factor:g} * {usual} or {live} < {usual} / {factor:g}) and {far})"


def _quality(clock: Clock, limits: Thresholds) -> Iterator[Alert]:
    quality, expected = limits.quality, limits.expected
    yield Alert(
        "LiveQualityLow",
        "ticket",
        windows({window: _low(window, limits) for window in COMPARED}),
        clock("15m"),
        "Live {{ $labels.measure }} is significantly below the model card's"
        " (labels of the last {{ $labels.window }}).",
        "It is {{ $value | humanizePercentage }} below the card.",
    )
    broken = {
        window: f"  (job:outcome_scores:calibration_error{window}"
        f" - job:outcome_scores:calibration_chance{window} > {quality.calibration_error:g}"
        f" and job:outcome_scores:calibration_error{window}"
        f" > job:outcome_scores:calibration_chance{window}"
        f" + {quality.sigmas:g} * job:outcome_scores:calibration_deviation{window}"
        f" and sum by (job) (job:outcome_scores:increase{window}) >= {quality.minimum_outcomes:g})"
        for window in COMPARED
    }
    yield Alert(
        "CalibrationBroken",
        "ticket",
        windows(broken),
        clock("15m"),
        "The fraud probabilities no longer are probabilities"
        " (labels of the last {{ $labels.window }}).",
        "The calibration error is {{ $value | humanizePercentage }} above what chance gives.",
    )
    gaps = {
        window: f"  (job:expected:gap{window}\n"
        f"  and abs(job:expected:gap{window}) > {expected.gap:g}\n"
        f"  and abs(job:expected:gap{window})"
        f" > {expected.sigmas:g} * job:expected:gap_deviation{window}\n"
        f"  and on (job, measure) {_trials(window)} >= {quality.minimum_trials:g})"
        for window in COMPARED
    }
    yield Alert(
        "ExpectedPerformanceGap",
        "ticket",
        windows(gaps),
        clock("15m"),
        "Realised {{ $labels.measure }} is not what the scores promised"
        " (last {{ $labels.window }}).",
        "The gap is {{ $value | humanizePercentage }}.",
    )
    counted = 'outcomes_total{role="champion"}'
    yield Alert(
        "LabelsStalled",
        "ticket",
        f"""
        sum by (job) (increase({counted}[{clock("7d")}] offset {clock("1d")})) / 7
          >= {limits.labels.expected_in_window:g}
        unless on (job) (sum by (job) (increase({counted}[{clock("1d")}])) > 0)
        """,
        clock("1h"),
        "No label came in a day: live quality is blind.",
        '{{ $value | printf "%.0f" }} were to be expected.',
    )


def _trials(window: str, measure: str = "") -> str:
    chosen = f'{{role="champion", segment="all"{measure}}}'
    return f"max by (job, measure) (segment:outcomes:trials{window}{chosen})"


def _low(window: str, limits: Thresholds) -> str:
    loss, quality = f"job:outcomes:loss{window}", limits.quality
    accuracy = _trials(window, ', measure="accuracy"')
    return (
        f"  ({loss} > {quality.loss:g}"
        f" and {loss} > {quality.sigmas:g} * job:outcomes:loss_deviation{window}\n"
        f"  and {_trials(window)} >= {quality.minimum_trials:g}\n"
        f"  and on (job) {accuracy}"
        f" >= {quality.minimum_outcomes:g})"
    )


def _model(clock: Clock, limits: Thresholds) -> Iterator[Alert]:
    trained = f"max by (job) (last_over_time(model_last_training_timestamp[{clock('24h')}]))"
    yield Alert(
        "ModelStale",
        "ticket",
        f"time() - {trained} > {clock.seconds(limits.model.stale_after):g}",
        clock("1h"),
        f"The model was trained more than {limits.model.stale_after} ago.",
        "Trained {{ $value | humanizeDuration }} ago.",
    )
    challenger = limits.challenger
    yield Alert(
        "ChallengerDisagrees",
        "ticket",
        "job:challenger:disagreement24h\n"
        f"and job:challenger:disagreement_low24h > {challenger.disagreement:g}\n"
        f"and job:challenger:count24h >= {challenger.minimum_count:g}",
        clock("15m"),
        "The challenger decides differently from the champion, more often than is usual.",
        "{{ $value | humanizePercentage }} of the decisions of a day.",
    )
    goal = "job:challenger_share_target:last"
    yield Alert(
        "SampleRatioMismatch",
        "ticket",
        f"""
        job:challenger:share24h
        and abs(job:challenger:share24h - {goal})
          > {challenger.sigmas:g} * job:challenger:share_deviation24h
        and sum by (job) (role:served:increase24h) >= {challenger.minimum_count:g}
        """,
        clock("15m"),
        "The challenger gets another share of the traffic than was set: comparisons are biased.",
        "It got {{ $value | humanizePercentage }}.",
    )
