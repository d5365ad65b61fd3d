"""Every metric, label, span and span attribute of the service, each declared once.

The documentation, the rules and the dashboards are held against these tables by tests.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from itertools import product

from model.serving.cohorts import COHORTS
from model.serving.outcome_bins import OUTCOME_BOUNDS
from model.serving.version_slots import VERSION_SLOTS
from model.serving.vocabulary import CLASS_NAMES, PROBLEMS, RISK_LEVELS, USER_TYPES, VALUE_BANDS
from telemetry.baseline import bin_labels
from telemetry.error_types import STATUS_OF_ERROR, VALIDATION_ERRORS

OTHER = "other"
METHODS = ("GET", "POST", OTHER)


@dataclass(frozen=True)
class Endpoint:
    """The method that an endpoint answers, and the error types that it is known to give.

    A `probe` is asked by whoever watches the service: it has no span, is no traffic to be logged,
    and does not wait in the queue that it measures.
    """

    method: str
    errors: tuple[str, ...] = ()
    probe: bool = False

    def statuses(self) -> tuple[str, ...]:
        """The HTTP statuses that the endpoint is known to give."""
        return ("200", *_statuses_of(self.errors))


def _statuses_of(errors: tuple[str, ...]) -> list[str]:
    return sorted({str(STATUS_OF_ERROR[error]) for error in errors})


_UNREADABLE_BODY = ("invalid_json", "request_timeout", "too_large", "unsupported_media_type")
_WRONG_FIELDS = ("missing_field", "wrong_type", "unknown_field")

ENDPOINTS: dict[str, Endpoint] = {
    "/": Endpoint("GET", ("too_many_requests",)),
    "/health": Endpoint("GET", ("too_many_requests",), probe=True),
    "/health/live": Endpoint("GET", probe=True),
    "/health/ready": Endpoint("GET", ("unavailable",), probe=True),
    "/predict": Endpoint(
        "POST",
        (
            *VALIDATION_ERRORS, "too_many_explained", "request_timeout", "too_large",
            "unsupported_media_type", "unauthorized", "too_many_requests", "internal",
            "unavailable",
        ),
    ),
    "/metrics": Endpoint("GET", ("unauthorized", "too_many_requests"), probe=True),
    "/stats": Endpoint("GET", ("unauthorized", "too_many_requests"), probe=True),
    "/model_info": Endpoint("GET", ("too_many_requests",)),
    "/feedback": Endpoint(
        "POST",
        (
            *_UNREADABLE_BODY, *_WRONG_FIELDS, "unknown_category", "batch_size", "forged_receipt",
            "foreign_receipt", "repeated_receipt", "expired_receipt", "future_receipt",
            "unauthorized", "too_many_requests", "unavailable",
        ),
    ),
    "/simulate_traffic": Endpoint(
        "POST",
        (
            *_UNREADABLE_BODY, *_WRONG_FIELDS, "out_of_range", "unauthorized", "too_many_requests",
            "internal",
        ),
    ),
}  # fmt: skip
PROBES = tuple(path for path, endpoint in ENDPOINTS.items() if endpoint.probe)
# A platform restarts what does not answer these: nobody else's requests may keep them waiting.
PLATFORM_PROBES = ("/health/live", "/health/ready")
LIVE_ENDPOINT = "/predict"
SIMULATION_ENDPOINT = "/simulate_traffic"
SCORING_ENDPOINTS = (LIVE_ENDPOINT, SIMULATION_ENDPOINT)
STATUSES = ("200", "204", "304", "308", *_statuses_of(tuple(STATUS_OF_ERROR)), OTHER)

OUTCOME_BINS = bin_labels(len(OUTCOME_BOUNDS))
# Age of a prediction when its label comes: the first band whose bound, in seconds, it is below.
AGE_BANDS = {
    "10m": 600.0, "1h": 3_600.0, "1d": 86_400.0, "7d": 604_800.0, "30d": 2_592_000.0,
    "older": math.inf,
}  # fmt: skip
FEEDBACK_RESULTS = (
    "counted", "repeated", "forged", "expired", "foreign", "unavailable", "future"
)  # fmt: skip

DIRECTIONS = ("raises", "lowers")  # a contribution to a score above 0, or below
TRACE_KEPT, TRACE_LIMITED = TRACE_RESULTS = ("kept", "limited")
# Repeated transactions are counted for the windows of drift; seconds.
REPEAT_WINDOWS = {"15m": 900, "1h": 3600, "24h": 86_400}
PAIRS_SEEN, PAIRS_BY_CHANCE = "seen", "chance"

# So many that the variance which they give is known to a quarter (chi-square with 31 degrees).
SPLIT_BUCKETS = tuple(f"{number:02}" for number in range(32))
CHAMPION, CHALLENGER = ROLES = ("champion", "challenger")
CHALLENGER_RESULTS = ("scored", "failed", "late", "skipped")
HOLDOUT = "holdout"
TRAINING = "training"
# Of a series that speaks of one version of the model, always the last label. What exists from the
# start are the slots of the versions that are loaded; the others appear when they are counted.
OF_VERSION = {"version_slot": VERSION_SLOTS}


class Kind(Enum):
    """What OpenTelemetry calls the instrument; the value is Prometheus' type."""

    COUNTER = "counter"
    HISTOGRAM = "histogram"
    GAUGE = "gauge"


Labels = tuple[str, ...]


@dataclass(frozen=True)
class Metric:
    """One metric: `name` and `unit` as OpenTelemetry has them, `exposed` as Prometheus shows them.

    `labels` gives each label's closed set of values; an empty set means that the values come from
    the model card. `listed`, where it is given, has the combinations one by one: not every pair of
    values exists. `known` are the combinations that exist at 0 from the start (None: all);
    the others appear when they are first counted. `bounds` are a histogram's upper bounds.
    """

    name: str
    exposed: str
    kind: Kind
    unit: str
    meaning: str
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    known: frozenset[Labels] | None = None
    listed: tuple[Labels, ...] | None = None
    bounds: tuple[float, ...] = ()

    def combinations(self) -> Iterator[Labels]:
        """Every combination of the closed sets, in a stable order."""
        if self.listed is not None:
            return iter(self.listed)
        return product(*self.labels.values())

    def is_known(self, labels: Labels) -> bool:
        """True where the series exists before anything was counted in it."""
        return self.known is None or labels in self.known


_KNOWN_REQUESTS = frozenset(
    {
        (endpoint.method, path, status)
        for path, endpoint in ENDPOINTS.items()
        for status in endpoint.statuses()
    }
    | {("GET", OTHER, "404"), ("POST", OTHER, "404")}
)
_KNOWN_DURATIONS = frozenset((endpoint.method, path) for path, endpoint in ENDPOINTS.items())
_KNOWN_ERRORS = frozenset(
    {(error, path) for path, endpoint in ENDPOINTS.items() for error in endpoint.errors}
    | {("not_found", OTHER)}
)

# Scoring one transaction takes tens of microseconds, a batch of a thousand a few milliseconds.
SCORING_SECONDS = (
    0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0
)  # fmt: skip
# A request takes one to a few milliseconds; the long tail is a stall, a queue or a time-out.
REQUEST_SECONDS = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0
)  # fmt: skip
# Fraud is rare, so most scores are near 0: the bounds are dense there.
SCORES = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99
)  # fmt: skip
EUROS = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0, 25000.0)

_QUALITY = {"evaluation": (HOLDOUT,), **OF_VERSION}

# The order is that of the cells in shared memory: another order makes all counts begin anew.
PREDICTIONS = Metric(
    "predictions", "predictions_total", Kind.COUNTER, "{prediction}",
    "Transactions scored.",
    {
        "class_name": CLASS_NAMES,
        "user_type": USER_TYPES,
        "endpoint": SCORING_ENDPOINTS,
        "risk_level": RISK_LEVELS,
    },
)  # fmt: skip
PREDICTION_LATENCY = Metric(
    "prediction.latency", "prediction_latency_seconds", Kind.HISTOGRAM, "s",
    "Time that the model took for one scoring call (one transaction or one batch).",
    bounds=SCORING_SECONDS,
)  # fmt: skip
FRAUD_SCORE = Metric(
    "fraud.detection.score", "fraud_detection_score", Kind.HISTOGRAM, "1",
    "Fraud probability given to each transaction.",
    bounds=SCORES,
)  # fmt: skip
MODEL_ACCURACY = Metric(
    "model.accuracy", "model_accuracy", Kind.GAUGE, "",
    "Share of right decisions on the data named by `evaluation`.", _QUALITY,
)  # fmt: skip
MODEL_PRECISION = Metric(
    "model.precision", "model_precision", Kind.GAUGE, "",
    "Share of true frauds among the predicted ones, on the data named by `evaluation`.", _QUALITY,
)  # fmt: skip
MODEL_RECALL = Metric(
    "model.recall", "model_recall", Kind.GAUGE, "",
    "Share of the frauds that were predicted, on the data named by `evaluation`.", _QUALITY,
)  # fmt: skip
MODEL_F1 = Metric(
    "model.f1.score", "model_f1_score", Kind.GAUGE, "",
    "Harmonic mean of precision and recall on the data named by `evaluation`.", _QUALITY,
)  # fmt: skip
MODEL_VERSION = Metric(
    "model.version", "model_version", Kind.GAUGE, "",
    "1 for each model that is loaded.",
    {"version": (), "role": ROLES, **OF_VERSION},
)  # fmt: skip
MODEL_TRAINED = Metric(
    "model.last.training.timestamp", "model_last_training_timestamp", Kind.GAUGE, "",
    "When the serving model was trained, in seconds since 1970.",
)  # fmt: skip
FEATURE_IMPORTANCE = Metric(
    "feature.importance", "feature_importance", Kind.GAUGE, "",
    "Importance of each feature, as shares that add up to 1.",
    {"feature": (), "source": (TRAINING,)},
)  # fmt: skip
CPU_USAGE = Metric(
    "system.cpu.usage", "system_cpu_usage_percent", Kind.GAUGE, "%",
    "Processor time used, of what the container (else the machine) may use.",
)  # fmt: skip
MEMORY_USAGE = Metric(
    "system.memory.usage", "system_memory_usage_percent", Kind.GAUGE, "%",
    "Memory in use, of the container's limit (else of the machine).",
)  # fmt: skip
DISK_USAGE = Metric(
    "system.disk.usage", "system_disk_usage_percent", Kind.GAUGE, "%",
    "Disk space in use where the service keeps its state.",
)  # fmt: skip
HTTP_REQUESTS = Metric(
    "http.requests", "http_requests_total", Kind.COUNTER, "{request}",
    "Requests answered.",
    {"method": METHODS, "endpoint": (*ENDPOINTS, OTHER), "status": STATUSES},
    known=_KNOWN_REQUESTS,
)  # fmt: skip
HTTP_DURATION = Metric(
    "http.request.duration", "http_request_duration_seconds", Kind.HISTOGRAM, "s",
    "Time from a request's acceptance by the application to its answer.",
    {"method": METHODS, "endpoint": (*ENDPOINTS, OTHER)},
    known=_KNOWN_DURATIONS,
    bounds=REQUEST_SECONDS,
)  # fmt: skip
TRANSACTION_VALUE = Metric(
    "transaction.value", "transaction_value_euros", Kind.HISTOGRAM, "euros",
    "Value of each scored transaction that has one.",
    {"value_band": VALUE_BANDS},
    bounds=EUROS,
)  # fmt: skip
THROUGHPUT = Metric(
    "throughput.requests", "throughput_requests_per_second", Kind.GAUGE, "{request}/s",
    "Requests answered per second, over the last ten full seconds.",
)  # fmt: skip
QUEUE_SIZE = Metric(
    "queue.size", "queue_size", Kind.GAUGE, "",
    "Requests accepted and not yet answered, and connections that wait in the socket's backlog.",
)  # fmt: skip
ERRORS = Metric(
    "errors", "errors_total", Kind.COUNTER, "{error}",
    "Requests and simulated transactions refused or failed, by the answer's error type.",
    {
        "type": tuple(STATUS_OF_ERROR),
        "endpoint": (*ENDPOINTS, OTHER),
    },
    known=_KNOWN_ERRORS,
)  # fmt: skip
FEATURE_ATTRIBUTION = Metric(
    "feature.attribution", "feature_attribution_total", Kind.COUNTER, "",
    "Sum of the absolute contributions to sampled live predictions (Shapley values).",
    {"feature": (), "direction": DIRECTIONS, **OF_VERSION},
)  # fmt: skip
EXPLANATIONS = Metric(
    "explanations", "explanations_total", Kind.COUNTER, "{prediction}",
    "Sampled live predictions whose contributions were counted.",
    OF_VERSION,
)  # fmt: skip
HOLDOUT_CONTRIBUTION = Metric(
    "feature.holdout.contribution", "feature_holdout_contribution", Kind.GAUGE, "",
    "Mean contribution of each feature to the scores of the holdout data, with its sign.",
    {"feature": (), **OF_VERSION},
)  # fmt: skip
SERVED = Metric(
    "served", "served_total", Kind.COUNTER, "{prediction}",
    "Live transactions by the model that answered.",
    {"role": ROLES},
)  # fmt: skip
EXPECTED_SERVED = Metric(
    "expected.served", "expected_served_total", Kind.COUNTER, "{prediction}",
    "Transactions that were divided between two models, by the shares that were set.",
    {"role": ROLES},
)  # fmt: skip
SPLIT_TRANSACTIONS = Metric(
    "split.transactions", "split_transactions_total", Kind.COUNTER, "{prediction}",
    "The same by the model whose keys they have and a hash of the key: how few keys there are.",
    {"role": ROLES, "bucket": SPLIT_BUCKETS},
    known=frozenset(product(ROLES, SPLIT_BUCKETS[:1])),
)  # fmt: skip
CHALLENGER_REQUESTS = Metric(
    "challenger.requests", "challenger_requests_total", Kind.COUNTER, "{request}",
    "What became of the requests that the challenger was to score.",
    {"result": CHALLENGER_RESULTS},
)  # fmt: skip
CHALLENGER_DECISIONS = Metric(
    "challenger.decisions", "challenger_decisions_total", Kind.COUNTER, "{prediction}",
    "Transactions that both models scored, by their two decisions.",
    {CHAMPION: CLASS_NAMES, CHALLENGER: CLASS_NAMES},
)  # fmt: skip
CHALLENGER_DIFFERENCE = Metric(
    "challenger.score.difference", "challenger_score_difference", Kind.HISTOGRAM, "1",
    "Distance of the two models' probabilities for the same transaction.",
    bounds=(0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5),
)  # fmt: skip
CHALLENGER_SHARE_TARGET = Metric(
    "challenger.share.target", "challenger_share_target", Kind.GAUGE, "",
    "Share of the requests that the challenger is set to answer; absent where there is none.",
)  # fmt: skip
FEATURE_VALUES = Metric(
    "feature.values", "feature_values_total", Kind.COUNTER, "{value}",
    "Values of live transactions by the bins of the champion's baseline.",
    {"feature": (), "bin": (), **OF_VERSION},
)  # fmt: skip
FEATURE_BASELINE = Metric(
    "feature.baseline.share", "feature_baseline_share", Kind.GAUGE, "",
    "Share of the training rows in each bin; `range` says what the bin holds.",
    {"feature": (), "bin": (), "range": (), **OF_VERSION},
)  # fmt: skip
SCORE_VALUES = Metric(
    "score.values", "score_values_total", Kind.COUNTER, "{value}",
    "Fraud probabilities that the champion gives live transactions, by the bins of its holdout's.",
    {"bin": (), **OF_VERSION},
)  # fmt: skip
SCORE_BASELINE = Metric(
    "score.baseline.share", "score_baseline_share", Kind.GAUGE, "",
    "Share of the holdout rows whose probability is in each bin; `range` says what the bin holds.",
    {"bin": (), "range": (), **OF_VERSION},
)  # fmt: skip
BASELINE_ROWS = Metric(
    "baseline.rows", "baseline_rows", Kind.GAUGE, "",
    "Training rows behind the features' baseline.",
    OF_VERSION,
)  # fmt: skip
DATA_QUALITY = Metric(
    "data.quality", "data_quality_total", Kind.COUNTER, "{value}",
    "Values for which a transaction was refused, by the feature at fault.",
    {"feature": (), "problem": PROBLEMS},
)  # fmt: skip
PROBABILITY = Metric(
    "prediction.probability", "prediction_probability_total", Kind.COUNTER, "",
    "Sum of the champion's fraud probabilities of live transactions, by its decision.",
    {"class_name": CLASS_NAMES, **OF_VERSION},
)  # fmt: skip
UNCERTAINTY = Metric(
    "prediction.uncertainty", "prediction_uncertainty_total", Kind.COUNTER, "",
    "Sum of p(1-p) of the same probabilities: the variance of the frauds to be expected.",
    {"class_name": CLASS_NAMES, **OF_VERSION},
)  # fmt: skip
MODEL_THRESHOLD = Metric(
    "model.decision.threshold", "model_decision_threshold", Kind.GAUGE, "",
    "From this probability on a transaction is predicted to be fraud.",
)  # fmt: skip
HOLDOUT_ROWS = Metric(
    "model.holdout.rows", "model_holdout_rows", Kind.GAUGE, "",
    "Rows of the holdout.",
    OF_VERSION,
)  # fmt: skip
HOLDOUT_FRAUDS = Metric(
    "model.holdout.frauds", "model_holdout_frauds", Kind.GAUGE, "",
    "Frauds among the rows of the holdout.",
    OF_VERSION,
)  # fmt: skip
HOLDOUT_ALERT_RATE = Metric(
    "model.holdout.alert.rate", "model_holdout_alert_rate", Kind.GAUGE, "",
    "Share of the holdout that is predicted to be fraud.",
    OF_VERSION,
)  # fmt: skip
HOLDOUT_MEAN_SCORE = Metric(
    "model.holdout.mean.score", "model_holdout_mean_score", Kind.GAUGE, "",
    "Mean fraud probability of the holdout.",
    OF_VERSION,
)  # fmt: skip
OUTCOMES = Metric(
    "outcomes", "outcomes_total", Kind.COUNTER, "{outcome}",
    "Predictions whose true class is known by feedback, each counted once.",
    {
        "role": ROLES,
        "class_name": CLASS_NAMES,
        "truth": CLASS_NAMES,
        "user_type": USER_TYPES,
        "value_band": VALUE_BANDS,
        **OF_VERSION,
    },
)  # fmt: skip
PAIRED_OUTCOMES = Metric(
    "paired.outcomes", "paired_outcomes_total", Kind.COUNTER, "{outcome}",
    "Labelled predictions that champion and challenger both scored, by their two decisions.",
    {CHAMPION: CLASS_NAMES, CHALLENGER: CLASS_NAMES, "truth": CLASS_NAMES},
)  # fmt: skip
OUTCOME_SCORES = Metric(
    "outcome.scores", "outcome_scores_total", Kind.COUNTER, "{outcome}",
    "The champion's labelled predictions, by probability and true class.",
    {"truth": CLASS_NAMES, "bin": OUTCOME_BINS, **OF_VERSION},
)  # fmt: skip
OUTCOME_PROBABILITY = Metric(
    "outcome.probability", "outcome_probability_total", Kind.COUNTER, "",
    "Sum of the probabilities of the champion's labelled predictions.",
    {"bin": OUTCOME_BINS, **OF_VERSION},
)  # fmt: skip
OUTCOME_SQUARED_ERROR = Metric(
    "outcome.squared.error", "outcome_squared_error_total", Kind.COUNTER, "",
    "Sum of (probability - label)^2 over the champion's labelled predictions (fraud is 1).",
    OF_VERSION,
)  # fmt: skip
OUTCOME_DELAY = Metric(
    "outcome.delay", "outcome_delay_seconds", Kind.HISTOGRAM, "s",
    "Time from a prediction to its label (delayed feedback).",
    bounds=(60.0, 600.0, 3600.0, 21600.0, 86400.0, 259200.0, 604800.0, 1209600.0, 2592000.0),
)  # fmt: skip
FEEDBACK = Metric(
    "feedback", "feedback_total", Kind.COUNTER, "{receipt}",
    "Receipts that came back with a label, by what became of them.",
    {"result": FEEDBACK_RESULTS},
)  # fmt: skip
DELIVERIES = Metric(
    "telemetry.deliveries", "telemetry_deliveries_total", Kind.COUNTER, "{delivery}",
    "Exports that the Collector took from this worker's slot, this one included.",
)  # fmt: skip
# Of eight slots of cohorts one is there from the start, so that services without a challenger pay
# for no more: who reads takes a series that appears for one that was 0.
_DECISIONS = {CHAMPION: CLASS_NAMES, CHALLENGER: CLASS_NAMES}
_FIRST_COHORT = (COHORTS[0],)
PAIRED_PREDICTIONS = Metric(
    "paired.predictions", "paired_predictions_total", Kind.COUNTER, "{prediction}",
    "Receipts that carry both models' decisions, by these and the week of the prediction.",
    {**_DECISIONS, "cohort": COHORTS},
    known=frozenset(product(CLASS_NAMES, CLASS_NAMES, _FIRST_COHORT)),
)  # fmt: skip
PAIRED_COHORT_OUTCOMES = Metric(
    "paired.cohort.outcomes", "paired_cohort_outcomes_total", Kind.COUNTER, "{outcome}",
    "Of these the labelled ones, by the week of the prediction.",
    {**_DECISIONS, "truth": CLASS_NAMES, "cohort": COHORTS},
    known=frozenset(product(CLASS_NAMES, CLASS_NAMES, CLASS_NAMES, _FIRST_COHORT)),
)  # fmt: skip
CHAMPION_DECISIONS = Metric(
    "champion.decisions", "champion_decisions_total", Kind.COUNTER, "{prediction}",
    "Live transactions by the champion's own decision, whichever model answered.",
    {"class_name": CLASS_NAMES, **OF_VERSION},
)  # fmt: skip
CHAMPION_ANSWERS = Metric(
    "champion.answers", "champion_answers_total", Kind.COUNTER, "{prediction}",
    "Those that the champion answered, by its decision: their labels count as its own.",
    {"class_name": CLASS_NAMES, **OF_VERSION},
)  # fmt: skip
OUTCOME_AGES = Metric(
    "outcome.ages", "outcome_ages_total", Kind.COUNTER, "{outcome}",
    "The champion's labelled predictions, by their age when the label came.",
    {"class_name": CLASS_NAMES, "truth": CLASS_NAMES, "age": tuple(AGE_BANDS), **OF_VERSION},
)  # fmt: skip

REQUEST_TRACES = Metric(
    "request.traces", "request_traces_total", Kind.COUNTER, "{trace}",
    "Traces that there was a reason to keep, by what became of them.",
    {"result": TRACE_RESULTS},
)  # fmt: skip

FOLLOWED_ROWS = Metric(
    "followed.rows", "followed_rows_total", Kind.COUNTER, "{transaction}",
    "Live transactions, estimated from those whose repetition is followed.",
    {"window": tuple(REPEAT_WINDOWS)},
)  # fmt: skip
FOLLOWED_PAIRS = Metric(
    "followed.row.pairs", "followed_row_pairs_total", Kind.COUNTER, "{pair}",
    "Ordered pairs of the same transaction within about the window: those seen, and the most that"
    " chance would give.",
    {"window": tuple(REPEAT_WINDOWS), "source": (PAIRS_SEEN, PAIRS_BY_CHANCE)},
)  # fmt: skip

FEATURE_CALENDAR = Metric(
    "feature.calendar", "feature_calendar", Kind.GAUGE, "",
    "1 where the feature follows the hour or the day of the week, else 0.",
    {"feature": (), **OF_VERSION},
)  # fmt: skip

METRICS: tuple[Metric, ...] = tuple(
    value for value in tuple(globals().values()) if isinstance(value, Metric)
)

# Spans: the server span of the Flask instrumentation ("POST /predict"), and within it:
SPAN_VALIDATE = "validate"
SPAN_SCORE = "score"
# Attributes of the span `score`; by the first the Collector keeps every predicted fraud.
ATTRIBUTE_CLASS_NAME = "prediction.class_name"
ATTRIBUTE_COUNT = "prediction.count"
ATTRIBUTE_MODEL_VERSION = "model.version"
# Attributes of the server span: the answer's status, and the type of its error.
ATTRIBUTE_STATUS_CODE = "http.response.status_code"
ATTRIBUTE_ERROR_TYPE = "error.type"
