"""The fraud-scoring service: a thin, stateless Flask application.

`create_app` takes its parts; `build` is the composition root: the only place that reads the
environment, loads the model and starts telemetry. Served by gunicorn: `handler:build()`.
"""

from __future__ import annotations

import atexit
import hmac
import logging
import os
import re
import secrets
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

import msgspec
from flask import Flask, Response, g, request
from opentelemetry import trace
from opentelemetry.trace import StatusCode
from werkzeug.exceptions import HTTPException

from challenger import Challenger, Shares, check_same_schema
from errors import ApiError, from_http
from feedback import SENTENCES, Feedback, entries_of, entry_of
from ledger import Ledger, RedisLedger, SqliteLedger
from model.card import Feature
from model.errors import ModelError
from model.explain import Explainer
from model.registry import Registry
from model.scorer import Scorer, load_explainer, load_scorer, load_version
from openapi import description_of
from pages import reader, start_page
from receipts import Receipts, keys_of
from scoring import Companions, Scoring
from settings import SettingError, Settings, read_settings
from telemetry.baseline import Baseline
from telemetry.gauges import ModelFacts
from telemetry.providers import Telemetry, TelemetryError, start
from telemetry.recorder import Recorder
from telemetry.table import ATTRIBUTE_ERROR_TYPE, ENDPOINTS, OTHER

_log = logging.getLogger("handler")
_PROBES = ("/health", "/health/live", "/health/ready", "/metrics")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# A refused body is read and thrown away up to this size, so that the caller gets to read why:
# closing a connection with unread data resets it.
_DRAINED_BYTES = 8 * 1024 * 1024
# gunicorn's exit code for a worker that cannot boot: on any other it would start it for ever.
_CANNOT_BOOT = 3
_ALONE = Companions()


def create_app(
    scorer: Scorer,
    telemetry: Telemetry,
    receipts: Receipts,
    settings: Settings,
    companions: Companions = _ALONE,
    feedback: Feedback | None = None,
) -> Flask:
    """The application; everything that it needs is passed in."""
    app = Flask("handler", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.strict_slashes = False
    scoring = Scoring(scorer, telemetry, receipts, settings.max_batch, companions)
    _add_views(app, scorer, scoring, telemetry, settings, companions.challenger)
    if feedback is not None:
        _add_feedback(app, feedback, settings.max_batch)
    description = description_of(scorer.card, settings.max_batch, settings.max_simulated)
    app.register_blueprint(start_page(description))
    app.register_blueprint(reader())
    _add_bookkeeping(app, telemetry)
    _add_error_shape(app, telemetry)
    telemetry.instrument(app)
    return app


def _add_views(
    app: Flask,
    scorer: Scorer,
    scoring: Scoring,
    telemetry: Telemetry,
    settings: Settings,
    challenger: Challenger | None,
) -> None:
    started = time.time()
    simulating = Lock()
    described = model_info(scorer, challenger)

    @app.get("/health")
    def health() -> Response:
        usage = telemetry.resources.read()
        return _json(
            {
                "status": "healthy",
                "uptime_seconds": round(time.time() - started, 3),
                "total_predictions": telemetry.total_predictions(),
                "resources": {
                    "cpu_percent": usage.cpu_percent,
                    "memory_percent": usage.memory_percent,
                    "disk_percent": usage.disk_percent,
                },
                "model_version": scorer.card.version,
            }
        )

    @app.get("/health/live")
    def live() -> Response:
        return _json({"status": "alive"})

    @app.get("/health/ready")
    def ready() -> Response:
        return _json({"status": "ready"})

    @app.post("/predict")
    def predict() -> Response:
        answer = scoring.predict(_body(), _wants_reasons(), _routing_key())
        return _json({**answer, "request_id": g.request_id})

    @app.get("/metrics")
    def metrics() -> Response:
        _authorize(settings)
        if telemetry.exposition is None:
            return Response("# telemetry is off: OTEL_SDK_DISABLED=true\n", mimetype="text/plain")
        body, content_type = telemetry.exposition.render(request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)

    @app.get("/model_info")
    def info() -> Response:
        return _json(described)

    @app.post("/simulate_traffic")
    def simulate_traffic() -> Response:
        _authorize(settings)
        count = _number_of_requests(_body(), settings.max_simulated)
        if not simulating.acquire(blocking=False):
            raise ApiError(
                "too_many_requests",
                "a simulation is running on this worker: try again when it is done",
                headers={"Retry-After": "1"},
            )
        try:
            done = scoring.simulate(count, secrets.randbits(64))
        finally:
            simulating.release()
        return _json(
            {
                "num_requests": count,
                "predictions": {"fraud": done.fraud, "legitimate": done.legitimate},
                "errors": done.errors,
                "duration_seconds": round(done.seconds, 6),
            }
        )


def _add_feedback(app: Flask, feedback: Feedback, most: int) -> None:
    @app.post("/feedback")
    def take() -> Response:
        body = _body()
        if isinstance(body, dict) and "feedback" in body:
            entries = entries_of(body, most)
            results = [{"result": feedback.take(receipt, label)} for receipt, label in entries]
            return _json({"results": results, "request_id": g.request_id})
        result = feedback.take(*entry_of(body))
        if result != "counted":
            error = "unavailable" if result == "unavailable" else f"{result}_receipt"
            raise ApiError(error, SENTENCES[result], "receipt")
        return _json({"result": result, "request_id": g.request_id})


def _add_bookkeeping(app: Flask, telemetry: Telemetry) -> None:
    recorder = telemetry.recorder

    @app.before_request
    def accept() -> None:
        g.started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        # Who watches the queue does not stand in it.
        g.queued = _endpoint() not in _PROBES
        if g.queued:
            recorder.request_accepted()

    @app.after_request
    def count(response: Response) -> Response:
        seconds = time.perf_counter() - g.started
        endpoint = _endpoint()
        recorder.request_answered(request.method, endpoint, response.status_code, seconds)
        response.headers["X-Request-ID"] = g.request_id
        level = logging.DEBUG if endpoint in _PROBES else logging.INFO
        if _log.isEnabledFor(level):
            _log.log(level, "request answered", extra=_line(endpoint, response, seconds))
        return response

    @app.teardown_request
    def leave(_: BaseException | None) -> None:
        if g.get("queued"):
            recorder.request_left()


def _line(endpoint: str, response: Response, seconds: float) -> dict[str, object]:
    line: dict[str, object] = {
        "request_id": g.request_id,
        "method": request.method,
        "endpoint": endpoint,
        "status": response.status_code,
        "duration_ms": round(seconds * 1000, 3),
    }
    if "error_type" in g:
        line["error_type"] = g.error_type
    return line


def _add_error_shape(app: Flask, telemetry: Telemetry) -> None:
    @app.errorhandler(ApiError)
    def refuse(error: ApiError) -> Response:
        telemetry.recorder.refused(error.type, _endpoint())
        g.error_type = error.type
        trace.get_current_span().set_attribute(ATTRIBUTE_ERROR_TYPE, error.type)
        if error.type == "too_large":
            _drain()
        response = _json(error.body(g.request_id), error.status)
        response.headers.extend(error.headers)
        return response

    @app.errorhandler(HTTPException)
    def translate(error: HTTPException) -> Response:
        refusal = from_http(error)
        if refusal.type == "too_large":
            limit = app.config["MAX_CONTENT_LENGTH"]
            refusal.message = f"the body must have at most {limit} bytes"
        return refuse(refusal)

    @app.errorhandler(Exception)
    def fail(error: Exception) -> Response:
        # The exception's own message may echo what the caller sent: it is not logged.
        stack = "".join(traceback.format_tb(error.__traceback__))
        extra = {"request_id": g.request_id, "stack": stack}
        _log.error("a request failed: %s", type(error).__name__, extra=extra)
        trace.get_current_span().set_status(StatusCode.ERROR)
        message = "the service failed on this request; its log has the place by the request id"
        return refuse(ApiError("internal", message))


def _json(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, mimetype="application/json")


def _endpoint() -> str:
    """The route's path as the table has it: pages for people are one, unknown paths another."""
    rule = request.url_rule.rule if request.url_rule else request.path.rstrip("/")
    if rule == "/openapi.json" or rule.startswith("/docs"):
        return "/"
    return rule if rule in ENDPOINTS else OTHER


def _body() -> object:
    if request.mimetype != "application/json":
        got = request.mimetype[:60] or "none"
        raise ApiError(
            "unsupported_media_type", f"Content-Type must be application/json, got {got}"
        )
    try:
        return msgspec.json.decode(request.get_data(cache=False))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ApiError("invalid_json", f"the body must be JSON: {error}") from None


def _wants_reasons() -> bool:
    given = request.args.get("explain", "false")
    if given not in ("true", "false"):
        raise ApiError(
            "unknown_category", f"explain must be true or false, got {given[:60]!r}", "explain"
        )
    return given == "true"


def _routing_key() -> str:
    """What decides which model answers: the caller's own word, else each request for itself."""
    return request.headers.get("X-Routing-Key") or g.request_id


def _drain() -> None:
    length = request.content_length
    if length is None or length > _DRAINED_BYTES:
        return
    while request.environ["wsgi.input"].read(65536):
        pass


def _authorize(settings: Settings) -> None:
    token = settings.access_token
    if not token and not settings.public:
        return
    given = request.headers.get("Authorization", "")
    if not token or not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        raise ApiError(
            "unauthorized",
            "this endpoint needs the header Authorization: Bearer <ACCESS_TOKEN>",
            headers={"WWW-Authenticate": "Bearer"},
        )


def _number_of_requests(body: object, most: int) -> int:
    if not isinstance(body, dict):
        raise ApiError("wrong_type", f"the body must be an object, got {type(body).__name__}")
    if extra := [str(name) for name in body if name != "num_requests"]:
        raise ApiError("unknown_field", f"{extra[0][:60]!r} is not known", extra[0][:60])
    if "num_requests" not in body:
        raise ApiError("missing_field", "num_requests is missing", "num_requests")
    count = body["num_requests"]
    if not isinstance(count, int) or isinstance(count, bool):
        got = repr(count)[:60]
        raise ApiError(
            "wrong_type", f"num_requests must be a whole number, got {got}", "num_requests"
        )
    if not 1 <= count <= most:
        got = repr(count)[:60]
        raise ApiError(
            "out_of_range", f"num_requests must be between 1 and {most}, got {got}", "num_requests"
        )
    return count


def model_info(scorer: Scorer, challenger: Challenger | None) -> dict[str, object]:
    """What `/model_info` tells: the parts of the card that a caller or a simulator needs."""
    card = scorer.card
    trained = datetime.fromtimestamp(scorer.trained_at, UTC)
    return {
        "version": card.version,
        "model_type": card.model_type,
        "last_training": trained.isoformat(timespec="seconds"),
        "features": card.features,
        "threshold": card.threshold,
        "risk_levels": card.risk_levels,
        "user_types": card.user_types,
        "value_band": card.value_band,
        "metrics": card.metrics,
        "challenger": _challenger_info(challenger),
    }


def _challenger_info(challenger: Challenger | None) -> dict[str, object] | None:
    if challenger is None:
        return None
    return {
        "version": challenger.scorer.card.version,
        "shadow_percent": challenger.shares.shadow_percent,
        "serves_percent": challenger.shares.serves_percent,
    }


def _load_challenger(settings: Settings, champion: Scorer) -> Scorer | None:
    """The challenging model; the champion serves alone without it or if it does not fit."""
    if not settings.challenger:
        return None
    try:
        registry = Registry(settings.model_dir)
        challenger = load_version(registry, settings.challenger)
        check_same_schema(champion.card, challenger.card)
    except ModelError as error:
        _log.error("the champion serves alone: %s", error)
        return None
    return challenger


def _companions(
    settings: Settings, explainer: Explainer | None, challenger: Scorer | None, recorder: Recorder
) -> Companions:
    shares = Shares(
        settings.challenger_shadow_percent,
        settings.challenger_serves_percent,
        settings.challenger_timeout_ms / 1000,
    )
    second = None if challenger is None else Challenger(challenger, shares, recorder)
    return Companions(explainer, settings.explain_percent, second)


def _feedback(
    settings: Settings,
    folder: Path,
    receipts: Receipts,
    telemetry: Telemetry,
    champion: Scorer,
    challenger: Scorer | None,
) -> Feedback:
    ledger: Ledger = SqliteLedger(folder / "feedback.sqlite")
    if settings.redis_url:
        ledger = RedisLedger(settings.redis_url)
    roles = {champion.card.version: "champion"}
    if challenger is not None:
        roles[challenger.card.version] = "challenger"
    age = settings.receipt_days * 86_400
    return Feedback(receipts, ledger, telemetry.recorder, telemetry.instance, roles, age)


def facts_of(scorer: Scorer, challenger: Scorer | None) -> ModelFacts:
    """What telemetry publishes of the serving model."""
    card = scorer.card
    return ModelFacts(
        version=card.version,
        trained_at=scorer.trained_at,
        accuracy=card.metrics.accuracy,
        precision=card.metrics.precision,
        recall=card.metrics.recall,
        f1_score=card.metrics.f1_score,
        importance={feature.name: feature.importance for feature in card.features},
        features=tuple(_baseline(feature) for feature in card.features),
        score=Baseline("score", card.score_baseline.shares, card.score_baseline.edges),
        baseline_rows=card.data.training_rows,
        threshold=card.threshold,
        holdout_rows=card.metrics.rows,
        holdout_frauds=card.metrics.frauds,
        holdout_alert_rate=card.metrics.alert_rate,
        challenger=None if challenger is None else challenger.card.version,
    )


def _baseline(feature: Feature) -> Baseline:
    stored = feature.baseline
    missing = stored.missing if feature.nullable else None
    if feature.type in ("category", "boolean"):
        categories = feature.categories or ("false", "true")
        return Baseline(feature.name, stored.shares, categories=categories, missing=missing)
    low, high = feature.quantiles[0], feature.quantiles[-1]
    return Baseline(feature.name, stored.shares, stored.edges, low, high, missing=missing)


def build(environ: Mapping[str, str] = os.environ) -> Flask:
    """The service as the environment describes it, or the process's end with one sentence."""
    try:
        settings = read_settings(environ)
        scorer = load_scorer(settings.model_dir)
        explainer = load_explainer(settings.model_dir, scorer)
        challenger = _load_challenger(settings, scorer)
        folder = settings.state_dir or Path(tempfile.mkdtemp(prefix="fraud-handler-"))
        telemetry = start(folder, facts_of(scorer, challenger), settings.port, environ)
    except (SettingError, ModelError, TelemetryError) as error:
        print(f"The handler cannot start: {error}", file=sys.stderr, flush=True)
        sys.exit(_CANNOT_BOOT)
    # Half of the time to stop is for open requests, half for the last delivery.
    atexit.register(telemetry.close, settings.shutdown_seconds / 2)
    receipts = Receipts(keys_of(settings.receipt_keys, folder))
    companions = _companions(settings, explainer, challenger, telemetry.recorder)
    feedback = _feedback(settings, folder, receipts, telemetry, scorer, challenger)
    return create_app(scorer, telemetry, receipts, settings, companions, feedback)
