"""The Overview dashboard as a table: what is asked, in what unit, why, and where it gets serious.

Panels run along the request's path. Metrics and labels are those of `telemetry/metrics.py`.
Change a row, then `python -m grafana generate`.
"""

from __future__ import annotations

from grafana.dashboard import (
    Dashboard,
    Panel,
    Query,
    Severity,
    Threshold,
    falling,
    rising,
)
from grafana.promql import (
    RANGE,
    RATE_INTERVAL,
    WINDOW,
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

# Probes of the platform would thin out the share of errors that users see.
ASKED_BY_USERS = 'endpoint!~"/health.*|/metrics"'


def response_time(share: float) -> str:
    """Quantile of the answers to /predict, in seconds."""
    buckets = rate("http_request_duration_seconds_bucket", WINDOW, 'endpoint="/predict"')
    return quantile(share, buckets)


def quality(metric: str) -> str:
    """The holdout figure of the serving model; the lowest one while versions are mixed."""
    return lowest(latest(metric, 'evaluation="holdout"'))


def usage(resource: str) -> str:
    """The fullest container or machine: workers on one of them all report the same."""
    return highest(latest(f"system_{resource}_usage_percent"))


def share_of_answers(status: str) -> str:
    """Answers with such a status among all that users asked for, in percent."""
    answers = rate("http_requests_total", RATE_INTERVAL, ASKED_BY_USERS)
    such = rate("http_requests_total", RATE_INTERVAL, ASKED_BY_USERS, f'status=~"{status}"')
    return percent(total(such), total(answers))


PANELS = (
    Panel(
        title="Predictions/sec",
        why="Is the service doing its job? Transactions scored per second, batches included. "
        "Red: next to nothing is scored, so callers or the service are gone.",
        unit="suffix:/s",
        thresholds=(Threshold(None, Severity.ACT), Threshold(0.01, Severity.GOOD)),
        queries=(Query("predictions", total(rate("predictions_total", RATE_INTERVAL))),),
    ),
    Panel(
        title="Fraud Detection Rate",
        why="Share of the scored transactions that were called fraud. A jump means an attack, "
        "changed data or a broken model; a fall to nothing, a model that no longer sees.",
        unit="percent",
        thresholds=rising(watch=10, act=25),
        queries=(
            Query(
                "called fraud",
                percent(
                    total(rate("predictions_total", WINDOW, 'class_name="fraud"')),
                    total(rate("predictions_total", WINDOW)),
                ),
            ),
        ),
    ),
    Panel(
        title="Response Time (P50, P95, P99)",
        why="How long callers of /predict wait, in the handler. The dots are single requests: "
        "click one to see its trace. A gap: nobody asked. From 500 ms on every trace is kept.",
        unit="s",
        thresholds=rising(watch=0.25, act=0.5),
        queries=(
            Query("P50", response_time(0.5)),
            Query("P95", response_time(0.95)),
            Query("P99", response_time(0.99), exemplars=True),
        ),
    ),
    Panel(
        title="Model Quality (Accuracy, Precision, Recall, F1)",
        why="How good the serving model was on data held out from training. It changes only with "
        "the model: a step down is a worse model put into service. Accuracy is always high where "
        "fraud is rare; look at precision and recall.",
        unit="percentunit",
        thresholds=falling(act=0.4, watch=0.5),
        queries=(
            Query("accuracy", quality("model_accuracy")),
            Query("precision", quality("model_precision")),
            Query("recall", quality("model_recall")),
            Query("F1", quality("model_f1_score")),
        ),
        top=1,
    ),
    Panel(
        title="System Resources (CPU, Memory, Disk)",
        why="What the fullest container has used up of its own limits (of the machine where it has "
        "none). Near 100 %: processor makes answers slow, memory ends the process, disk ends the "
        "Collector's queue.",
        unit="percent",
        thresholds=rising(watch=80, act=90),
        queries=(
            Query("CPU", usage("cpu")),
            Query("memory", usage("memory")),
            Query("disk", usage("disk")),
        ),
        top=100,
    ),
    Panel(
        title="Transaction Values (distribution)",
        why="Share of the transactions by value, over the time shown: each bar ends at its label, "
        "in euros, and begins where the one before ends. One bar with most of them: a caller that "
        "sends the same thing again and again, or a broken unit.",
        unit="percentunit",
        thresholds=rising(watch=0.5, act=0.8),
        queries=(
            Query(
                "{{le}}",
                share_of_all(
                    total(increase("transaction_value_euros_bucket", RANGE), by="le"),
                    total(increase("transaction_value_euros_count", RANGE)),
                ),
            ),
        ),
        top=1,
        distribution=True,
    ),
    Panel(
        title="Error Rate",
        why="Share of the answers that refused a request (4xx: the caller's fault) or failed (5xx: "
        "ours). Any failure is worth a look; many refusals are a caller that has changed.",
        unit="percent",
        thresholds=rising(watch=5, act=10),
        queries=(
            Query("refused (4xx)", share_of_answers("4..")),
            Query("failed (5xx)", share_of_answers("5..")),
        ),
    ),
    Panel(
        title="Queue Size",
        why="Requests that wait for their answer, over all workers, at the moment of each report. "
        "Growing: more comes in than is answered, so response times follow.",
        unit="short",
        thresholds=rising(watch=10, act=50),
        queries=(Query("waiting", total(latest("queue_size"))),),
    ),
)

DASHBOARD = Dashboard("fraud-overview", "Fraud detection: overview", PANELS)
