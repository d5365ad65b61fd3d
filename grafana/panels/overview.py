"""The Overview: what matters now, then the eight panels along the request's path.

Change a panel, then `make generate`. Metrics are those of `telemetry/metrics.py`, recorded series
those of prometheus/rules/; recorded ones are of the whole service and never narrowed by instance.
"""

from __future__ import annotations

from grafana.dashboard import PAIRED, Dashboard, Kind, Line, Panel, Query, Section, rising
from grafana.limits import (
    NOT_ONE,
    NOT_SPENT,
    OF_LIMIT,
    SOME,
    burn_factors,
    objective,
    promised_age_seconds,
    promised_seconds,
    stale_after_seconds,
    thresholds,
)
from grafana.promql import (
    ASKED_BY_USERS,
    RANGE,
    RATE_INTERVAL,
    WINDOW,
    average_over_time,
    highest,
    increase,
    latest,
    lowest,
    percent,
    quantile,
    rate,
    share_of_all,
    total,
)
from grafana.ratios import FEATURES, SCORE, drift_ratios, loss_ratios

NO_REQUEST = "Nobody asked within the window."
NO_LABELS = "no label came yet"
FEW_LABELS = "fewer labels came than a comparison needs"
QUALITY = {
    "accuracy": "model_accuracy",
    "precision": "model_precision",
    "recall": "model_recall",
    "F1": "model_f1_score",
}


def response_time(share: float) -> str:
    """Quantile of the answers to /predict, in seconds."""
    buckets = rate("http_request_duration_seconds_bucket", WINDOW, 'endpoint="/predict"')
    return quantile(share, buckets)


def usage(resource: str) -> str:
    """The fullest container or machine: workers on one of them all report the same."""
    return highest(latest(f"system_{resource}_usage_percent"))


def share_of_answers(status: str) -> str:
    """Answers with such a status among all that users asked for, in percent."""
    answers = rate("http_requests_total", RATE_INTERVAL, ASKED_BY_USERS)
    such = rate("http_requests_total", RATE_INTERVAL, ASKED_BY_USERS, f'status=~"{status}"')
    return percent(total(such), total(answers))


def holdout_alert_rate(factor: float) -> str:
    """So many times the share that the model called fraud on its holdout, in percent."""
    return f"100 * {factor:.4g} * max(job:model_holdout_alert_rate:last15m)"


NOW = (
    Panel(
        id=11,
        title="Firing",
        why="Alerts that fire now and that somebody is sent. More than none: read their messages, "
        "each names its runbook.",
        unit="short",
        kind=Kind.STAT,
        queries=(
            Query(
                "alerts",
                'count(ALERTS{alertstate="firing", severity=~"page|ticket"}) or vector(0)',
            ),
        ),
        thresholds=NOT_ONE,
        empty="Prometheus does not answer.",
        then="fraud-service",
        width=3,
        height=4,
    ),
    Panel(
        id=12,
        title="Scored/s",
        why="Transactions scored per second, batches included. Red: nothing is scored, so callers "
        "or the service are gone.",
        unit="suffix:/s",
        kind=Kind.STAT,
        queries=(Query("predictions", total(rate("predictions_total", RATE_INTERVAL))),),
        thresholds=SOME,
        empty="No handler has sent anything within the window.",
        then="fraud-service",
        width=3,
        height=4,
    ),
    Panel(
        id=13,
        title="P95",
        why="95 of 100 answers to /predict come within this time. Orange: beyond what the latency "
        "objective promises.",
        unit="s",
        kind=Kind.STAT,
        queries=(Query("P95 now", response_time(0.95), empty="nobody asked"),),
        thresholds=rising(watch=promised_seconds()),
        empty=NO_REQUEST,
        then="fraud-service",
        width=3,
        height=4,
    ),
    Panel(
        id=14,
        title="Budget left",
        why="What is left of the error budget of the objective that is nearest to its end. Red: it "
        "is spent; changes wait until it has recovered.",
        unit="percentunit",
        kind=Kind.STAT,
        queries=(Query("budget left", "min(slo:budget_left:30d)", empty="nothing was asked yet"),),
        thresholds=NOT_SPENT,
        empty="No request was counted against an objective yet.",
        then="fraud-service",
        width=3,
        height=4,
    ),
    Panel(
        id=15,
        title="Drift, of the limit",
        why="How far the input or score that moved most is from the model's baseline, as a part of "
        "what the alerts FeatureDrift and ScoreDrift allow. Red at 100 %: one of them may fire.",
        unit="percentunit",
        kind=Kind.STAT,
        queries=(
            Query(
                "drift",
                f"clamp_min(max({drift_ratios(FEATURES)} or {drift_ratios(SCORE)}), 0)",
                empty="too few transactions came yet",
            ),
        ),
        thresholds=OF_LIMIT,
        empty="Fewer transactions came than a comparison needs.",
        then="fraud-model",
        width=3,
        height=4,
    ),
    Panel(
        id=16,
        title="Recall lost, of the limit",
        why="How far live recall is below the model card, as a part of what the alert "
        "LiveQualityLow allows beyond chance. Red at 100 %: frauds get through.",
        unit="percentunit",
        kind=Kind.STAT,
        queries=(
            Query("recall lost", f"clamp_min(max({loss_ratios('recall')}), 0)", empty=FEW_LABELS),
        ),
        thresholds=OF_LIMIT,
        empty="Fewer labels came in a day than a comparison needs.",
        then="fraud-model",
        width=3,
        height=4,
    ),
    Panel(
        id=17,
        title="Telemetry age",
        why="Since when nothing new is measured. An idle handler sends nothing, so it also grows "
        "in silence; with traffic it is a fault of the pipeline.",
        unit="s",
        kind=Kind.STAT,
        queries=(Query("age", "time() - max(timestamp(model_version))"),),
        thresholds=rising(watch=promised_age_seconds()),
        empty="No handler has sent anything in five minutes.",
        then="fraud-pipeline",
        width=3,
        height=4,
    ),
    Panel(
        id=18,
        title="Model, trained ago",
        why="The version that serves, and how long ago it was trained. Orange: older than the "
        "alert ModelStale allows. Two for over an hour: a replica is stuck, or environments mix.",
        unit="s",
        kind=Kind.STAT,
        queries=(
            Query(
                "{{version}}",
                'max by (version) (model_version{role="champion"} * on (job, instance) '
                "group_left () (time() - model_last_training_timestamp))",
            ),
        ),
        thresholds=rising(watch=stale_after_seconds()),
        alerts=("ModelStale", "ModelVersionMismatch"),
        empty="No handler has sent anything in five minutes.",
        then="fraud-model",
        width=3,
        height=4,
    ),
)

PATH = (
    Panel(
        id=1,
        title="Predictions/sec",
        why="Is the service doing its job? Transactions scored per second, batches included. "
        "At zero nothing is scored, so callers or the service are gone.",
        unit="suffix:/s",
        queries=(Query("predictions", total(rate("predictions_total", RATE_INTERVAL))),),
        thresholds=SOME,
        alerts=("ServiceDown", "NoTraffic"),
        empty=NO_REQUEST,
        then="fraud-service",
    ),
    Panel(
        id=2,
        title="Fraud Detection Rate",
        why="Share of the scored transactions that were called fraud, and the share on the model's "
        "holdout. Beyond the red lines, an attack, changed data or a broken model; the alert asks "
        "in addition that chance would hardly give it.",
        unit="percent",
        queries=(
            Query(
                "called fraud",
                percent(
                    total(rate("predictions_total", WINDOW, 'class_name="fraud"')),
                    total(rate("predictions_total", WINDOW)),
                ),
            ),
            Query("card", holdout_alert_rate(1), Line.CARD, "the rules have not run yet"),
            Query(
                "alert above",
                holdout_alert_rate(thresholds().rates.factor["15m"]),
                Line.LIMIT,
                "the rules have not run yet",
            ),
            Query(
                "alert below",
                holdout_alert_rate(1 / thresholds().rates.factor["15m"]),
                Line.LIMIT,
                "the rules have not run yet",
            ),
        ),
        empty=NO_REQUEST,
        then="fraud-model",
    ),
    Panel(
        id=3,
        title="Response Time (P50, P95, P99)",
        why="How long callers of /predict wait, in the handler. The dots are single requests: "
        "click one to see its trace. A gap: nobody asked. The line is what the latency objective "
        "promises.",
        unit="s",
        queries=(
            Query("P50", response_time(0.5), empty="nobody asked"),
            Query("P95", response_time(0.95), empty="nobody asked"),
            Query("P99", response_time(0.99), empty="nobody asked", exemplars=True),
        ),
        thresholds=rising(watch=promised_seconds()),
        empty=NO_REQUEST,
        then="fraud-service",
    ),
    Panel(
        id=4,
        title="Model Quality (Accuracy, Precision, Recall, F1)",
        why="Solid: how good the model is on the labels of the last day. Dotted: how good it was "
        "on data held out from training. Solid below dotted: see the Model dashboard. Accuracy is "
        "always high where fraud is rare; look at precision and recall.",
        unit="percentunit",
        queries=(
            *(
                Query(name, f'max({metric}{{evaluation="live"}})', empty=NO_LABELS, colour=colour)
                for colour, (name, metric) in zip(PAIRED, QUALITY.items(), strict=True)
            ),
            *(
                Query(
                    f"{name} (card)",
                    lowest(latest(metric, 'evaluation="holdout"')),
                    Line.CARD,
                    colour=colour,
                )
                for colour, (name, metric) in zip(PAIRED, QUALITY.items(), strict=True)
            ),
        ),
        empty="No handler has sent anything in five minutes.",
        top=1,
        then="fraud-model",
    ),
    Panel(
        id=5,
        title="System Resources (CPU, Memory, Disk)",
        why="What the fullest container has used up of its own limits (of the machine where it has "
        "none). Near 100 %: processor makes answers slow, memory ends the process, disk ends the "
        "Collector's queue.",
        unit="percent",
        queries=(
            Query("CPU", highest(average_over_time("system_cpu_usage_percent", WINDOW))),
            Query("memory", usage("memory")),
            Query("disk", usage("disk")),
        ),
        empty="No handler has sent anything in five minutes.",
        top=100,
        then="fraud-service",
    ),
    Panel(
        id=6,
        title="Transaction Values (distribution)",
        why="Share of the transactions by value, over the time shown: each bar ends at its label, "
        "in euros, and begins where the one before ends. One bar with most of them: a caller that "
        "sends the same thing again and again, or a broken unit.",
        unit="percentunit",
        kind=Kind.HISTOGRAM,
        queries=(
            Query(
                "{{le}} €",
                share_of_all(
                    total(increase("transaction_value_euros_bucket", RANGE), by="le"),
                    total(increase("transaction_value_euros_count", RANGE)),
                ),
            ),
        ),
        empty=NO_REQUEST,
        top=1,
        then="fraud-model",
    ),
    Panel(
        id=7,
        title="Error Rate",
        why="Share of the answers that refused a request (4xx: the caller's fault) or failed (5xx: "
        "ours). Any failure is worth a look; many refusals are a caller that has changed. The "
        "lines are for failures: what the availability objective allows, and where it pages.",
        unit="percent",
        queries=(
            Query("refused (4xx)", share_of_answers("4..")),
            Query(
                "failed (5xx)",
                share_of_answers("5.."),
                thresholds=rising(
                    watch=100 * objective("availability").budget,
                    act=100 * objective("availability").budget * burn_factors("page")[-1],
                ),
            ),
        ),
        empty=NO_REQUEST,
        then="fraud-service",
    ),
    Panel(
        id=8,
        title="Queue Size",
        why="Requests that wait for their answer, on the instance where most wait, at the moment "
        "of each report. Growing: more comes in than is answered, so response times follow.",
        unit="short",
        queries=(Query("waiting", highest(latest("queue_size"))),),
        thresholds=rising(act=thresholds().saturation.queue_size),
        alerts=("RequestsQueue",),
        empty="No handler has sent anything in five minutes.",
        then="fraud-service",
    ),
)

DASHBOARD = Dashboard(
    uid="fraud-overview",
    title="Fraud detection: overview",
    question="Is all well, and if not, where does one look?",
    sections=(Section("Now", NOW), Section("Along the request's path", PATH)),
    variables=("job", "version", "instance", "window"),
    time="30m",
    refresh="15s",
)
