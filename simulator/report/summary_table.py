"""The summary of a run as a table: for a terminal, and as Markdown for the page of a schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from simulator.contract.vocabulary import DELAY_REQUESTED, ERROR_REQUESTED, STEADY, VALID
from simulator.report.label_stats import LabelStats
from simulator.report.latency_histogram import LatencyHistogram
from simulator.report.request_stats import RequestStats
from simulator.report.run_result import QUANTILES, RunResult

# Above this the latencies are more about this machine than about the target.
_LATE_SECONDS: Final = 0.1

Rows = list[tuple[str, str]]


def format_text(result: RunResult) -> str:
    """A table of two columns."""
    rows = _list_rows(result)
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows]
    return "\n".join(["", f"Simulator against {result.target}", *lines])


def format_markdown(result: RunResult) -> str:
    """A section with a table, as GitHub shows it."""
    rows = [f"| {name} | {_escape(value)} |" for name, value in _list_rows(result)]
    heading = f"## Simulator against {_escape(result.target)}"
    return "\n".join([heading, "", "| what | result |", "| --- | --- |", *rows, ""])


def _list_rows(result: RunResult) -> Rows:
    rows = [*_list_request_rows(result.stats), ("model", result.model_version)]
    rows.append(("seed", str(result.seed)))
    if result.scenario != STEADY:
        rows.append(("scenario", result.scenario))
    if result.stats.labels is not None:
        rows += _list_label_rows(result, result.stats.labels)
    return rows + [("warning", warning) for warning in _list_warnings(result.stats)]


def _list_request_rows(stats: RequestStats) -> Rows:
    rate = f"{stats.total_sent / stats.duration:.2f}/s" if stats.duration > 0 else "-"
    not_sent = [("not sent", _list_counts(stats.not_sent))] if stats.not_sent else []
    return [
        ("sent", f"{stats.total_sent} in {stats.duration:.1f} s ({rate})"),
        *not_sent,
        ("valid", str(stats.sent[VALID])),
        ("faulty", _format_invalid(stats)),
        ("by status", _list_counts(stats.statuses)),
        ("unanswered", _list_counts(+stats.unanswered)),
        ("latency", _format_latency(stats.latency)),
        ("fraud share", _format_fraud_share(stats)),
        ("by user type", _list_counts(stats.count_by_user_type())),
        ("by risk level", _list_counts(stats.count_by_risk_level())),
        ("unexpected", _format_unexpected(stats)),
    ]


def _list_label_rows(result: RunResult, labels: LabelStats) -> Rows:
    results = [_list_counts(labels.results)]
    if +labels.not_sent:
        results.append(f"not sent: {_list_counts(+labels.not_sent)}")
    if labels.failed_posts:
        results.append(f"failed requests: {_list_counts(labels.failed_posts)}")
    if labels.early:
        results.append(f"{labels.early} sent early")
    rows = [
        ("labels", f"{labels.planned}: {'; '.join(results)}"),
        ("live quality", _format_quality(labels)),
    ]
    if labels.from_answers:
        source = "drawn with the model's own probabilities: calibrated by construction"
    elif result.replayed is not None:
        source = f"from {result.replayed}"
    elif result.known_process:
        source = "from the documented process of the default model"
    else:
        return rows
    return [*rows, ("source of labels", source)]


def _list_warnings(stats: RequestStats) -> list[str]:
    warnings = []
    if stats.faults_ignored:
        warnings.append(
            f"{stats.faults_ignored} of {stats.faults_requested} requests for an injected fault"
            " were ignored: start the service with FAULT_HEADERS=on"
        )
    late = stats.start_delay.quantile(0.99)
    if late is not None and late > _LATE_SECONDS:
        warnings.append(f"this machine sent late (p99 {_format_seconds(late)}): lower the rate")
    return warnings


def _format_quality(labels: LabelStats) -> str:
    precision, recall = _format_percent(labels.precision), _format_percent(labels.recall)
    return f"precision {precision}, recall {recall}"


def _format_invalid(stats: RequestStats) -> str:
    valid = (VALID, DELAY_REQUESTED, ERROR_REQUESTED)
    kinds = {kind: number for kind, number in stats.sent.items() if kind not in valid}
    return f"{sum(kinds.values())}: {_list_counts(kinds)}" if kinds else "0"


def _format_latency(latency: LatencyHistogram) -> str:
    if latency.count == 0:
        return "-"
    values = [f"{name} {_format_seconds(latency.quantile(share))}" for name, share in QUANTILES]
    return ", ".join([*values, f"largest {_format_seconds(latency.largest)}"])


def _format_fraud_share(stats: RequestStats) -> str:
    if stats.fraud_share is None:
        return "-"
    return f"{100 * stats.fraud_share:.2f} % of {stats.predictions.total()} predictions"


def _format_unexpected(stats: RequestStats) -> str:
    texts = [
        f"{number} {one.kind}: {one.got} instead of {one.expected}"
        for one, number in stats.unexpected.most_common()
    ]
    return "; ".join(texts) or "none"


def _format_percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _format_seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def _list_counts(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
