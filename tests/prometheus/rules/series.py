"""Series of a service, its Collector and its Alertmanager, in promtool's notation."""

from __future__ import annotations

from collections.abc import Mapping

from model.serving.version_slots import find_version_slot
from telemetry.metrics import METRICS, OF_VERSION, SPLIT_BUCKETS

JOB = 'job="fraud-handler"'
HANDLER = f'{JOB}, instance="host-0"'
VERSION, NEXT_VERSION = "1-ab12cd34", "2-cd34ab12"
SLOT, NEXT_SLOT = find_version_slot(VERSION), find_version_slot(NEXT_VERSION)
OF_A_VERSION = {each.exposed for each in METRICS if OF_VERSION.keys() <= each.labels.keys()}
COLLECTOR = 'job="otel-collector", instance="localhost:8888"'


def handler(name: str, values: str, **labels: str) -> dict[str, str]:
    """One series of the handler; one that speaks of a version is in the slot SLOT unless said."""
    if name in OF_A_VERSION:
        labels = {"version_slot": SLOT, **labels}
    more = "".join(f', {label}="{value}"' for label, value in labels.items())
    return {f"{name}{{{HANDLER}{more}}}": values}


def constant(value: float, minutes: int = 400) -> str:
    """A gauge."""
    return f"{value:g}x{minutes}"


def rising(per_step: float, steps: int = 400) -> str:
    """A counter from 0 on."""
    return f"0+{float(per_step)!r}x{steps}"


def model() -> dict[str, str]:
    """What a loaded model shows: four bins of amount and of the score, and its holdout."""
    found = handler("model_version", constant(1), role="champion", version=VERSION)
    for name, value in {
        "baseline_rows": 10000, "model_holdout_rows": 2000, "model_holdout_frauds": 60,
        "model_holdout_alert_rate": 0.03, "model_holdout_mean_score": 0.03,
    }.items():  # fmt: skip
        found |= handler(name, constant(value))
    for number in ("01", "02", "03", "04"):
        share = constant(0.25)
        found |= handler("feature_baseline_share", share, feature="amount", bin=number)
        found |= handler("score_baseline_share", share, bin=number)
    for bin_name in ("below", "above", "missing"):
        found |= handler("feature_baseline_share", constant(0), feature="amount", bin=bin_name)
    for measure, value in {"accuracy": 0.98, "precision": 0.8, "recall": 0.7}.items():
        found |= handler(f"model_{measure}", constant(value), evaluation="holdout")
    return found


def of_next_version(series: Mapping[str, str]) -> dict[str, str]:
    """The same series of another instance, which serves the next version."""
    found = {}
    for name, values in series.items():
        for own, other in (
            ("host-0", "host-1"),
            (VERSION, NEXT_VERSION),
            (f'version_slot="{SLOT}"', f'version_slot="{NEXT_SLOT}"'),
        ):
            name = name.replace(own, other)
        found[name] = values
    return found


def values_in_bins(name: str, per_minute: Mapping[str, float], **labels: str) -> dict[str, str]:
    """Counters by bin."""
    found: dict[str, str] = {}
    for number, value in per_minute.items():
        found |= handler(name, rising(value), bin=number, **labels)
    return found


def predictions(fraud: float, score: float) -> dict[str, str]:
    """100 predictions a minute, so many of them fraud, with this mean score."""
    counts = {"fraud": fraud, "legitimate": 100 - fraud}
    found: dict[str, str] = {}
    for class_name, count in counts.items():
        # Predicted frauds score 0.8; the rest share what remains.
        total = 0.8 * fraud if class_name == "fraud" else 100 * score - 0.8 * fraud
        unsure = total - total**2 / count if count else 0
        found |= handler(
            "predictions_total", rising(count), class_name=class_name, endpoint="/predict"
        )
        for name in ("champion_decisions_total", "champion_answers_total"):
            found |= handler(name, rising(count), class_name=class_name)
        found |= handler("prediction_probability_total", rising(total), class_name=class_name)
        found |= handler("prediction_uncertainty_total", rising(unsure), class_name=class_name)
    return found


def simulated(fraud: float) -> dict[str, str]:
    """One call of /simulate_traffic with 1,000 transactions at 60 minutes, a share of them fraud.

    Nothing but predictions_total counts them.
    """
    found: dict[str, str] = {}
    for class_name, count in {"fraud": 1000 * fraud, "legitimate": 1000 * (1 - fraud)}.items():
        labels = {"class_name": class_name, "endpoint": "/simulate_traffic"}
        found |= handler("predictions_total", f"0x59 {count:g}x400", **labels)
    return found


def spread(each: float, fields: int) -> dict[str, str]:
    """So many refused a minute for each of the fields."""
    found: dict[str, str] = {}
    for number in range(fields):
        field = f"field_{number}"
        found |= handler("data_quality_total", rising(each), feature=field, problem="missing")
    return found


def outcomes(hits: float, misses: float, false_alarms: float, quiet: float) -> dict[str, str]:
    """Labelled outcomes a minute."""
    cells = {
        ("fraud", "fraud"): hits, ("legitimate", "fraud"): misses,
        ("fraud", "legitimate"): false_alarms, ("legitimate", "legitimate"): quiet,
    }  # fmt: skip
    found: dict[str, str] = {}
    for (class_name, truth), count in cells.items():
        found |= handler(
            "outcomes_total", rising(count), role="champion", class_name=class_name, truth=truth,
            user_type="basic", value_band="low",
        )  # fmt: skip
        found |= ages(count, class_name=class_name, truth=truth)
    return found


def ages(per_minute: float, age: str = "1h", **labels: str) -> dict[str, str]:
    """Labels a minute that came at this age of their predictions."""
    return handler("outcome_ages_total", rising(per_minute), age=age, **labels)


def scores(frauds_high: float, frauds_low: float) -> dict[str, str]:
    """10 outcomes a minute at probability 0.75 and 90 at 0.02, and the frauds among them."""
    found = ages(100, class_name="fraud", truth="fraud")
    for number, count, frauds, p in (("17", 10, frauds_high, 0.75), ("05", 90, frauds_low, 0.02)):
        found |= handler("outcome_scores_total", rising(frauds), bin=number, truth="fraud")
        legitimate = rising(count - frauds)
        found |= handler("outcome_scores_total", legitimate, bin=number, truth="legitimate")
        found |= handler("outcome_probability_total", rising(count * p), bin=number)
    return found


def rare_scores(frauds: float) -> dict[str, str]:
    """1,000 outcomes a minute at probability 0.0017, and the frauds among them."""
    found = ages(1000, class_name="fraud", truth="fraud")
    found |= handler("outcome_scores_total", rising(frauds), bin="02", truth="fraud")
    found |= handler("outcome_scores_total", rising(1000 - frauds), bin="02", truth="legitimate")
    return found | handler("outcome_probability_total", rising(1.7), bin="02")


def requests(ok: str, failed: str) -> dict[str, str]:
    """Requests to /predict by status."""
    return handler("http_requests_total", ok, endpoint="/predict", status="200") | handler(
        "http_requests_total", failed, endpoint="/predict", status="500"
    )


def durations(fast: float, all_of: float) -> dict[str, str]:
    """Requests a minute within the promised time, and all."""
    name = "http_request_duration_seconds"
    return handler(f"{name}_bucket", rising(fast), endpoint="/predict", le="0.25") | handler(
        f"{name}_count", rising(all_of), endpoint="/predict"
    )


def collector(name: str, values: str) -> dict[str, str]:
    """One of the Collector's own series."""
    return {f'{name}{{{COLLECTOR}, exporter="otlp_http/prometheus"}}': values}


def probe(values: str) -> dict[str, str]:
    """Whether the service answers the Collector's probe."""
    return {'probe_success{job="fraud-handler", instance="probe"}': values}


def up(values: str) -> dict[str, str]:
    """Whether the Collector answers."""
    return {f"up{{{COLLECTOR}}}": values}


def alertmanager(name: str, values: str, **labels: str) -> dict[str, str]:
    """One of Alertmanager's own series."""
    shown = "".join(f', {label}="{value}"' for label, value in labels.items())
    return {f'{name}{{job="alertmanager", instance="localhost:9093"{shown}}}': values}


def served(
    champion: float, challenger: float, keys: str = "many", own: float | None = None
) -> dict[str, str]:
    """Transactions a minute by role; a fifth should be the challenger's, and `own` have its keys
    (those that it answers). `keys`: so many that each group has as much traffic, or `one`."""
    total, own = champion + challenger, challenger if own is None else own
    found = handler("served_total", rising(champion), role="champion")
    found |= handler("served_total", rising(challenger), role="challenger")
    found |= handler("expected_served_total", rising(0.8 * total), role="champion")
    found |= handler("expected_served_total", rising(0.2 * total), role="challenger")
    groups = SPLIT_BUCKETS if keys == "many" else SPLIT_BUCKETS[:1]
    for bucket in groups:
        for role, count in (("champion", total - own), ("challenger", own)):
            each = rising(count / len(groups))
            found |= handler("split_transactions_total", each, role=role, bucket=bucket)
    return found


def decisions(apart: float) -> dict[str, str]:
    """100 joint decisions a minute, so many of them different."""
    name = "challenger_decisions_total"
    found = handler(name, rising(100 - apart), champion="legitimate", challenger="legitimate")
    found |= handler(name, rising(apart), champion="fraud", challenger="legitimate")
    found |= handler(name, rising(0), champion="legitimate", challenger="fraud")
    return found | handler(name, rising(0), champion="fraud", challenger="fraud")


ONE_OUTCOME = {
    "role": "champion",
    "class_name": "fraud",
    "truth": "fraud",
    "user_type": "basic",
    "value_band": "low",
}
EVEN = {"01": 25.0, "02": 25.0, "03": 25.0, "04": 25.0, "below": 0.0, "above": 0.0, "missing": 0.0}
SKEWED = EVEN | {"01": 5.0, "04": 45.0}
FRESH = up(constant(1)) | collector("otelcol_receiver_accepted_metric_points_total", rising(100))


LARGE_HOLDOUT = (
    model()
    | handler("model_holdout_rows", constant(200000))
    | handler("model_holdout_frauds", constant(6000))
)
