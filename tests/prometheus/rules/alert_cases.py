"""For each alert series with which it fires, and series with which it does not."""

from __future__ import annotations

from prometheus.generator.thresholds import read_thresholds
from tests.prometheus.rules.alert_pair import Pair, Times
from tests.prometheus.rules.series import (
    COLLECTOR,
    EVEN,
    FRESH,
    HANDLER,
    JOB,
    LARGE_HOLDOUT,
    ONE_OUTCOME,
    SKEWED,
    alertmanager,
    collector,
    constant,
    decisions,
    durations,
    handler,
    model,
    of_next_version,
    outcomes,
    predictions,
    probe,
    rare_scores,
    requests,
    rising,
    scores,
    served,
    spread,
    up,
    values_in_bins,
)

# Labels that come within an hour are judged from the version's fourth hour on.
AFTER_HOURS = Times(at="9h", interval="5m", every="5m")

PAIRS = (
    Pair(
        "ServiceDown",
        requests("0+20x60 1200x40", "0x100"),
        requests("0+20x100", "0x100"),
        "page",
    ),
    # Traffic that ended is not the service that did, where somebody asks.
    Pair(
        "ServiceDown",
        requests("0+20x60 1200x40", "0x100") | probe("1x60 0x40"),
        requests("0+20x60 1200x40", "0x100") | probe(constant(1)),
        "page",
    ),
    # Gone without ever having had traffic; an instant without an answer is none.
    Pair("ServiceDown", probe("1x60 0x40"), probe("1x65 0x1 1x40"), "page"),
    Pair(
        "NoTraffic",
        model() | requests("0x400", "0x400"),
        model() | requests("0+1x400", "0x400"),
        at="12h",
        interval="5m",
        every="5m",
    ),
    Pair(
        "RequestsQueue",
        handler("queue_size", constant(80)),
        handler("queue_size", constant(10)),
        "page",
        HANDLER,
    ),
    Pair("TelemetrySilent", up("1x30 0x60"), up(constant(1)), "page", COLLECTOR),
    Pair(
        "TelemetryDropped",
        # The counter is born with its first failure, at 60 minutes.
        collector("otelcol_exporter_send_failed_metric_points_total", "_x60 500x40"),
        collector("otelcol_exporter_send_failed_metric_points_total", "500x100"),
        labels='why="could not be delivered"',
    ),
    Pair(
        "TelemetryLost",
        # Five of sixty are missing.
        handler("telemetry_deliveries_total", "1+1x30 _x5 37+1x60"),
        # Refused and repeated ones, silence, a restart with other numbers.
        handler("telemetry_deliveries_total", "1+1x10 11x3 12+1x8 _x15 20+1x10 1+1x50"),
    ),
    Pair(
        "AlertsNotSent",
        alertmanager("alertmanager_notifications_failed_total", "0x60 3x40", integration="slack"),
        alertmanager("alertmanager_notifications_failed_total", "3x100", integration="slack"),
        labels='integration="slack", why="slack fails"',
    ),
    Pair(
        "AlertsNotSent",
        {'prometheus_notifications_dropped_total{job="prometheus"}': "0x60 5x40"},
        {'prometheus_notifications_dropped_total{job="prometheus"}': "5x100"},
        labels='why="Alertmanager does not take them"',
    ),
    Pair(
        "Watchdog",
        alertmanager("up", constant(1)),
        alertmanager("up", constant(0)),
        "none",
        labels="",
    ),
    Pair(
        "CollectorQueueFills",
        collector("otelcol_exporter_queue_size", constant(80))
        | collector("otelcol_exporter_queue_capacity", constant(100)),
        collector("otelcol_exporter_queue_size", constant(3))
        | collector("otelcol_exporter_queue_capacity", constant(100)),
        labels='exporter="otlp_http/prometheus"',
    ),
    Pair(
        "FeatureDrift",
        model() | values_in_bins("feature_values_total", SKEWED, feature="amount"),
        model() | values_in_bins("feature_values_total", EVEN, feature="amount"),
        labels=f'{JOB}, feature="amount", window="15m"',
    ),
    Pair(
        "ScoreDrift",
        model() | values_in_bins("score_values_total", SKEWED),
        model() | values_in_bins("score_values_total", EVEN),
        labels=f'{JOB}, window="1h"',
    ),
    Pair(
        "FraudRateJump",
        model() | predictions(12, 0.12),
        model() | predictions(3, 0.03),
        labels=f'{JOB}, window="15m"',
    ),
    Pair(
        "MeanScoreJump",
        model() | predictions(3, 0.12),
        model() | predictions(3, 0.03),
        labels=f'{JOB}, window="24h"',
    ),
    Pair(
        "BadData",
        predictions(3, 0.03)
        | handler("data_quality_total", rising(10), feature="amount", problem="missing"),
        predictions(3, 0.03)
        | handler("data_quality_total", rising(1), feature="amount", problem="missing"),
        labels=f'{JOB}, feature="amount", problem="missing"',
    ),
    Pair(
        "BadData",
        # Spread over many fields, none of which is conspicuous by itself.
        predictions(3, 0.03) | spread(1.5, 8),
        predictions(3, 0.03) | spread(0.25, 8),
        labels=f'{JOB}, feature="all fields", problem="all problems"',
    ),
    Pair(
        "LiveQualityLow",
        model() | outcomes(3, 7, 1, 89),
        model() | outcomes(7, 3, 1.75, 88.25),
        labels=f'{JOB}, measure="recall", window="1d"',
        **AFTER_HOURS,
    ),
    Pair(
        "CalibrationBroken",
        model() | scores(1, 2),
        model() | scores(7.5, 1.8),
        labels=f'{JOB}, measure="calibration_error", window="1d"',
        **AFTER_HOURS,
    ),
    Pair(
        "CalibrationBroken",
        # 0.17 % are fraud: 41 % fewer than the probabilities say; then a tenth fewer.
        model() | rare_scores(1.0),
        model() | rare_scores(1.53),
        labels=f'{JOB}, measure="fraud_ratio", window="1d"',
        **AFTER_HOURS,
    ),
    Pair(
        "CalibrationBroken",
        # Ten times as many; and so few labels that 21 frauds where 12 are expected may be chance.
        model() | rare_scores(17.0),
        model() | {name: f"{values.split('x')[0]}x7" for name, values in rare_scores(3.0).items()},
        labels=f'{JOB}, measure="fraud_ratio", window="1d"',
        **AFTER_HOURS,
    ),
    Pair(
        "ExpectedPerformanceGap",
        model() | predictions(10, 0.09) | outcomes(4, 1, 6, 89),
        model() | predictions(10, 0.09) | outcomes(8, 1, 2, 89),
        labels=f'{JOB}, measure="precision", window="1d"',
        **AFTER_HOURS,
    ),
    Pair(
        "LabelsStalled",
        outcomes(0, 0, 0, 0)
        | handler("outcomes_total", "0+60x30 1800x60", **ONE_OUTCOME | {"value_band": "high"}),
        outcomes(0, 0, 0, 60),
        at="70h",
        interval="1h",
        every="1h",
    ),
    Pair(
        "ModelStale",
        handler("model_last_training_timestamp", constant(-3e6)),
        handler("model_last_training_timestamp", constant(0)),
        at="150m",
    ),
    Pair(
        "ModelVersionMismatch",
        model() | of_next_version(model()),
        # A rollout: the old version is there for 50 minutes beside the new one, and then gone.
        of_next_version(model())
        | {name: f"{values.split('x')[0]}x50" for name, values in model().items()},
        at="100m",
    ),
    Pair("ChallengerDisagrees", decisions(12), decisions(2)),
    Pair("SampleRatioMismatch", served(90, 10), served(80, 20)),
    # By transaction a share of a tenth would be impossible; of one customer it says nothing.
    Pair("SampleRatioMismatch", served(90, 10), served(90, 10, keys="one")),
    # Of few customers, whose shares say nothing: a tenth of what the challenger had to answer.
    Pair(
        "SampleRatioMismatch",
        served(82, 18, keys="one", own=20),
        served(80.5, 19.5, keys="one", own=20),
    ),
    Pair(
        "AvailabilityBudgetBurn",
        requests("0+90x400", "0+10x400"),
        requests("0+100x400", "0x400"),
        "page",
        f'{JOB}, slo="availability"',
    ),
    Pair(
        "AvailabilityBudgetBurn",
        requests("0+980x400", "0+20x400"),
        # No series of a failure exists yet.
        handler("http_requests_total", rising(100), endpoint="/predict", status="200"),
        labels=f'{JOB}, slo="availability"',
        at="150m",
        not_severity=("page",),
    ),
    Pair(
        "LatencyBudgetBurn",
        durations(70, 100),
        durations(100, 100),
        "page",
        f'{JOB}, slo="latency"',
    ),
    Pair("LatencyBudgetBurn", durations(95, 100), durations(100, 100), at="150m"),
    Pair(
        "FreshnessBudgetBurn",
        # The Collector goes on taking points, and the store holds none of the last hour's.
        FRESH | handler("model_version", "1x20 _x100", role="champion", version="1-ab12cd34"),
        FRESH | model(),
        "page",
        'slo="freshness"',
    ),
    Pair(
        "FreshnessBudgetBurn",
        up("1x60 0x1 1x26 0x1 1x30"),
        FRESH | model(),
        labels='slo="freshness"',
        at="100m",
        not_severity=("page",),
    ),
    Pair(
        "ErrorBudgetSoonSpent",
        requests("0+100x100 10000+90x300", "0x100 0+0.15x300"),
        requests("0+100x400", "0x400"),
        labels='slo="availability"',
        at="250m",
    ),
    Pair(
        "CollectorQueueSoonFull",
        collector("otelcol_exporter_queue_size", "50+1x400")
        | collector("otelcol_exporter_queue_capacity", constant(1000)),
        collector("otelcol_exporter_queue_size", constant(60))
        | collector("otelcol_exporter_queue_capacity", constant(1000)),
        labels='exporter="otlp_http/prometheus"',
        at="80m",
    ),
    Pair(
        "DriftSoon",
        model()
        | values_in_bins("feature_values_total", EVEN | {"04": 0.0}, feature="amount")
        | handler("feature_values_total", "0+25x60 1500+38x340", feature="amount", bin="04"),
        model() | values_in_bins("feature_values_total", EVEN, feature="amount"),
        labels=f'{JOB}, feature="amount"',
        at="280m",
    ),
    Pair(
        "LiveQualitySoonLow",
        # A large holdout; recall was the card's 0.7 for 400 minutes and is 0.6 since.
        LARGE_HOLDOUT
        | outcomes(0, 0, 1.75, 88)
        | handler("outcomes_total", "0+7x200 1406+6x200", **ONE_OUTCOME)
        | handler(
            "outcomes_total", "0+3x200 604+4x200", **ONE_OUTCOME | {"class_name": "legitimate"}
        ),
        LARGE_HOLDOUT | outcomes(7, 3, 1.75, 88),
        at="660m",
        interval="2m",
        every="2m",
    ),
    Pair(
        "SeriesBudget",
        {
            f'queue_size{{{JOB}, instance="host-{number}"}}': "0x10"
            for number in range(int(read_thresholds().series) + 1)
        },
        model(),
        labels="",
        at="30m",
        interval="5m",
        every="5m",
    ),
)

# A Collector that was away has not heard yet what was answered meanwhile, of any service.
COLLECTOR_AWAY = Pair(
    "ServiceDown",
    requests("0+20x60 1200x40", "0x100") | up("1x60 0x1 1x40"),
    requests("0+20x60 1200x40", "0x100") | up("1x60 0x5 1x40"),
    "page",
)
