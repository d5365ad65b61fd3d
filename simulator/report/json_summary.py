"""The summary of a run as JSON, with every count.

The members are a contract for scripts: names are never changed, members only ever added.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC
from typing import Any

from simulator.report.label_stats import LabelStats
from simulator.report.latency_histogram import LatencyHistogram
from simulator.report.request_stats import RequestStats
from simulator.report.run_result import QUANTILES, RunResult

Json = dict[str, Any]


def format_json(result: RunResult) -> str:
    """One JSON object."""
    document = (
        _describe_run(result)
        | _count_requests(result.stats)
        | {
            "scenario": result.scenario,
            "replayed": result.replayed,
            "known_process": result.known_process,
            "asked_to_misbehave": result.stats.faults_requested,
            "ignored_requests_to_misbehave": result.stats.faults_ignored,
            "labels": None if result.stats.labels is None else _count_labels(result.stats.labels),
            "interrupted": result.interrupted,
            "exit_code": result.exit_code,
        }
    )
    return json.dumps(document, indent=2)


def _describe_run(result: RunResult) -> Json:
    return {
        "target": result.target,
        "model_version": result.model_version,
        "seed": result.seed,
        "rate": result.rate,
        "started_at": result.started.astimezone(UTC).isoformat(timespec="milliseconds"),
        "duration_seconds": round(result.stats.duration, 3),
    }


def _count_requests(stats: RequestStats) -> Json:
    return {
        "due": stats.total_sent + stats.not_sent.total(),
        "sent": stats.total_sent,
        "answered": stats.answered,
        "by_kind": _sort_counts(stats.sent),
        "by_status": {str(status): n for status, n in sorted(stats.statuses.items())},
        "not_sent": _sort_counts(stats.not_sent),
        "unanswered": _sort_counts(stats.unanswered),
        "unexpected": [
            {"kind": one.kind, "expected": one.expected, "got": one.got, "count": number}
            for one, number in sorted(stats.unexpected.items())
        ],
        "error_types": _sort_counts(stats.error_types),
        "predictions": _count_predictions(stats),
        "fraud_share": stats.fraud_share,
        "latency_seconds": _list_quantiles(stats.latency),
        "start_delay_seconds": _list_quantiles(stats.start_delay),
        "failed_share": stats.failed_share,
    }


def _count_predictions(stats: RequestStats) -> Json:
    return {
        "total": stats.predictions.total(),
        "by_class": _sort_counts(stats.count_by_class()),
        "by_user_type": _sort_counts(stats.count_by_user_type()),
        "by_risk_level": _sort_counts(stats.count_by_risk_level()),
        "by_labels": [
            {
                "class_name": labels.class_name,
                "user_type": labels.user_type,
                "risk_level": labels.risk_level,
                "count": number,
            }
            for labels, number in sorted(stats.predictions.items())
        ],
    }


def _count_labels(labels: LabelStats) -> Json:
    return {
        "known": labels.planned,
        "by_result": _sort_counts(labels.results),
        "left_out": _sort_counts(labels.not_sent),
        "outcomes": [
            {"predicted": outcome.predicted, "truth": outcome.true_class, "count": number}
            for outcome, number in sorted(labels.outcomes.items())
        ],
        "recall": labels.recall,
        "precision": labels.precision,
        "from_answers": labels.from_answers,
        "early": labels.early,
        "posts": labels.posts,
        "failed_posts": _sort_counts(labels.failed_posts),
        "failed_share": labels.failed_share,
    }


def _sort_counts(counts: Counter[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(counts.items()) if number}


def _list_quantiles(latency: LatencyHistogram) -> dict[str, float | int | None]:
    values = {name: latency.quantile(share) for name, share in QUANTILES}
    return {**values, "max": latency.largest, "count": latency.count}
