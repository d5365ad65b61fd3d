"""The end of a run, told in three ways: a table for people, Markdown, JSON with every count."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simulator.report.label_stats import LabelTally
from simulator.report.latency_histogram import Durations
from simulator.report.request_stats import Tally
from simulator.traffic.request_plan import VALID
from simulator.traffic.scenarios import ASKED_ERROR, ASKED_SLOW, STEADY

_QUANTILES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))

# Above this the latencies are more about this machine than about the target.
_LATE_SECONDS = 0.1


@dataclass(frozen=True)
class Run:
    """What was run against what; `duration` in seconds, `rate` None for one person's pace.

    `known_process`: the rows and their truth come from the default model's documented process.
    """

    target: str
    model_version: str
    seed: int
    rate: float | None
    started: datetime
    duration: float
    interrupted: bool
    exit_code: int
    scenario: str = STEADY
    replayed: str | None = None
    known_process: bool = False


def as_json(run: Run, tally: Tally) -> str:
    """One JSON object; its members are a contract for scripts, only ever added to."""
    return json.dumps(_document(run, tally), indent=2)


def as_text(run: Run, tally: Tally) -> str:
    """A table of two columns."""
    rows = _rows(run, tally)
    width = max(len(name) for name, _ in rows)
    lines = [f"  {name:<{width}}  {value}" for name, value in rows]
    return "\n".join(["", f"Simulator against {run.target}", *lines])


def as_markdown(run: Run, tally: Tally) -> str:
    """A section with a table, as GitHub shows it."""
    rows = [f"| {name} | {_escaped(value)} |" for name, value in _rows(run, tally)]
    heading = f"## Simulator against {_escaped(run.target)}"
    return "\n".join([heading, "", "| what | result |", "| --- | --- |", *rows, ""])


def _document(run: Run, tally: Tally) -> dict[str, Any]:
    return {
        "target": run.target,
        "model_version": run.model_version,
        "seed": run.seed,
        "rate": run.rate,
        "started_at": run.started.astimezone(UTC).isoformat(timespec="milliseconds"),
        "duration_seconds": round(run.duration, 3),
        "due": tally.total_sent + tally.not_sent.total(),
        "sent": tally.total_sent,
        "answered": tally.answered,
        "by_kind": _sorted(tally.sent),
        "by_status": {str(status): n for status, n in sorted(tally.statuses.items())},
        "not_sent": _sorted(tally.not_sent),
        "unanswered": _sorted(tally.unanswered),
        "unexpected": [
            {"kind": kind, "expected": expected, "got": got, "count": number}
            for (kind, expected, got), number in sorted(tally.unexpected.items())
        ],
        "error_types": _sorted(tally.error_types),
        "predictions": {
            "total": tally.predictions.total(),
            "by_class": _sorted(tally.by_class()),
            "by_user_type": _sorted(tally.by_user_type()),
            "by_risk_level": _sorted(tally.by_risk_level()),
            "by_labels": [
                {"class_name": c, "user_type": u, "risk_level": r, "count": number}
                for (c, u, r), number in sorted(tally.predictions.items())
            ],
        },
        "fraud_share": tally.fraud_share,
        "latency_seconds": _quantiles(tally.latency),
        "start_delay_seconds": _quantiles(tally.start_delay),
        "failed_share": tally.failed_share,
        "scenario": run.scenario,
        "replayed": run.replayed,
        "known_process": run.known_process,
        "asked_to_misbehave": tally.asked,
        "ignored_requests_to_misbehave": tally.ignored,
        "labels": None if tally.labels is None else _labels(tally.labels),
        "interrupted": run.interrupted,
        "exit_code": run.exit_code,
    }


def _labels(labels: LabelTally) -> dict[str, Any]:
    return {
        "known": labels.known,
        "by_result": _sorted(labels.results),
        "left_out": _sorted(labels.left_out),
        "outcomes": [
            {"predicted": predicted, "truth": truth, "count": number}
            for (predicted, truth), number in sorted(labels.outcomes.items())
        ],
        "recall": labels.recall,
        "precision": labels.precision,
        "from_answers": labels.from_answers,
        "early": labels.early,
        "posts": labels.posts,
        "failed_posts": _sorted(labels.failed_posts),
        "failed_share": labels.failed_share,
    }


def _rows(run: Run, tally: Tally) -> list[tuple[str, str]]:
    rate = f"{tally.total_sent / run.duration:.2f}/s" if run.duration > 0 else "-"
    rows = [
        ("sent", f"{tally.total_sent} in {run.duration:.1f} s ({rate})"),
        ("valid", str(tally.sent[VALID])),
        ("faulty", _faulty(tally)),
        ("by status", _listed(tally.statuses)),
        ("unanswered", _listed(+tally.unanswered)),
        ("latency", _latency(tally.latency)),
        ("fraud share", _fraud(tally)),
        ("by user type", _listed(tally.by_user_type())),
        ("by risk level", _listed(tally.by_risk_level())),
        ("not as it should be", _unexpected(tally)),
        ("model", run.model_version),
        ("seed", str(run.seed)),
    ]
    if tally.not_sent:
        rows.insert(1, ("not sent", _listed(tally.not_sent)))
    if run.scenario != STEADY:
        rows.append(("scenario", run.scenario))
    if tally.labels is not None:
        rows += _label_rows(run, tally.labels)
    if tally.ignored:
        rows.append(
            (
                "take care",
                f"{tally.ignored} of {tally.asked} requests to misbehave were ignored:"
                " start the service with FAULT_HEADERS=on",
            )
        )
    late = tally.start_delay.quantile(0.99)
    if late is not None and late > _LATE_SECONDS:
        rows.append(("take care", f"this machine sent late (p99 {_seconds(late)}): lower the rate"))
    return rows


def _label_rows(run: Run, labels: LabelTally) -> list[tuple[str, str]]:
    told = [_listed(labels.results)]
    if +labels.left_out:
        told.append(f"left out: {_listed(+labels.left_out)}")
    if labels.failed_posts:
        told.append(f"requests to repeat: {_listed(labels.failed_posts)}")
    if labels.early:
        told.append(f"{labels.early} sent early")
    shares = f"precision {_percent(labels.precision)}, recall {_percent(labels.recall)}"
    rows = [("labels", f"{labels.known}: {'; '.join(told)}"), ("by labels", shares)]
    if labels.from_answers:
        rows.append(("truth", "drawn with the model's own probabilities: it is right on average"))
    elif run.replayed is not None:
        rows.append(("truth", f"from {run.replayed}"))
    elif run.known_process:
        rows.append(("truth", "from the documented process of the default model"))
    return rows


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _faulty(tally: Tally) -> str:
    own = (VALID, ASKED_SLOW, ASKED_ERROR)
    kinds = {kind: number for kind, number in tally.sent.items() if kind not in own}
    return f"{sum(kinds.values())}: {_listed(kinds)}" if kinds else "0"


def _latency(latency: Durations) -> str:
    if latency.count == 0:
        return "-"
    values = [f"{name} {_seconds(latency.quantile(share))}" for name, share in _QUANTILES]
    return ", ".join([*values, f"largest {_seconds(latency.largest)}"])


def _fraud(tally: Tally) -> str:
    if tally.fraud_share is None:
        return "-"
    return f"{100 * tally.fraud_share:.2f} % of {tally.predictions.total()} predictions"


def _unexpected(tally: Tally) -> str:
    texts = [
        f"{number} {kind}: {got} instead of {expected}"
        for (kind, expected, got), number in tally.unexpected.most_common()
    ]
    return "; ".join(texts) or "none"


def _listed(counts: Mapping[Any, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return {name: number for name, number in sorted(counts.items()) if number}


def _quantiles(durations: Durations) -> dict[str, float | int | None]:
    values = {name: durations.quantile(share) for name, share in _QUANTILES}
    return {**values, "max": durations.largest, "count": durations.count}


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
