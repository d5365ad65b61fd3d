"""The fraud-scoring service: a thin, stateless Flask application, behind ASGI where it is served.

`create_app` takes its parts; `build_flask` is the composition root: the only place that reads the
environment, loads the model and starts telemetry. gunicorn serves `handler:build()`; any WSGI
server can serve `handler:build_flask()`.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from flask import Flask
from opentelemetry.sdk.resources import SERVICE_NAME

from model.serving.errors import ModelError
from model.serving.explain import Explainer
from model.serving.scorer import Scorer
from service.access import Guard, build_guards, read_safe_settings
from service.asgi.application import AsgiApplication
from service.asgi.single import SinglePredictions
from service.challenger import Challenger
from service.client_limit import ClientLimit, build_client_limit
from service.explanations import Explanations
from service.fault_injection import add_fault_injection
from service.feedback import Feedback
from service.middleware import add_client_limit, add_error_handlers, add_request_middleware
from service.model_info import describe_model
from service.model_metadata import describe_models
from service.model_router import ModelRouter
from service.pages import add_pages
from service.predict import Predictor
from service.readiness import Readiness
from service.receipts import Receipts, derive_routing_secret, find_keys
from service.routes import (
    add_feedback,
    add_health,
    add_metrics,
    add_model_info,
    add_predict,
    add_simulation,
)
from service.security_headers import add_security_headers
from service.served_models import ServedModels, build_challenger, load_models
from service.settings import SettingError, Settings
from service.simulate import TrafficSimulation
from service.state import prepare_state_dir, read_or_make_secret
from service.used_receipts import SqliteUsedReceipts, UsedReceipts
from telemetry.errors import TelemetryError
from telemetry.lifecycle import Telemetry, start
from telemetry.tail_sampling import TraceSettings

# gunicorn's exit code for a worker that cannot boot: on any other it would start it for ever.
_CANNOT_BOOT = 3


@dataclass(frozen=True)
class Parts:
    """What stands behind a Flask application, in `app.extensions["parts"]`."""

    settings: Settings
    telemetry: Telemetry
    readiness: Readiness
    predictor: Predictor
    predict_guard: Guard
    client_limit: ClientLimit | None
    has_challenger: bool


def create_app(
    scorer: Scorer,
    telemetry: Telemetry,
    receipts: Receipts,
    settings: Settings,
    *,
    explainer: Explainer | None = None,
    challenger: Challenger | None = None,
    feedback: Feedback | None = None,
) -> Flask:
    """The application; everything that it needs is passed in."""
    app = Flask("handler", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body_bytes
    app.url_map.strict_slashes = False
    card, recorder, guards = scorer.card, telemetry.recorder, build_guards(settings)
    router, limit = ModelRouter(scorer, challenger), build_client_limit(settings)
    explanations = Explanations(card, explainer, settings.explain_percent, recorder)
    predictor = Predictor(
        card, router, explanations, receipts, recorder, telemetry.spans, settings.max_batch
    )
    readiness = Readiness(scorer, telemetry.why_not_writable)
    app.extensions["parts"] = Parts(
        settings, telemetry, readiness, predictor, guards.predict, limit, challenger is not None
    )
    add_health(app, telemetry, readiness, card.version)
    add_predict(app, predictor, guards.predict)
    simulation = TrafficSimulation(card, predictor, recorder)
    add_simulation(app, simulation, settings.max_simulated, guards.simulate)
    # At the first call: to look for examples is a third of a worker's start.
    add_model_info(app, cache(partial(describe_model, scorer, challenger)))
    add_metrics(app, telemetry, card.version, guards.metrics, settings.stack_progress_file)
    if feedback is not None:
        add_feedback(app, feedback, settings.max_batch, guards.feedback)
    add_pages(app, card, settings)
    _add_what_is_around(app, settings, telemetry)
    return app


def _add_what_is_around(app: Flask, settings: Settings, telemetry: Telemetry) -> None:
    """What happens before, after and instead of every view."""
    add_security_headers(app)
    add_request_middleware(app, telemetry.recorder)
    parts: Parts = app.extensions["parts"]
    add_client_limit(app, parts.client_limit)
    if settings.fault_headers:
        add_fault_injection(app)
    add_error_handlers(app)
    telemetry.instrument(app)


def create_asgi_app(app: Flask) -> AsgiApplication:
    """The application that answers single predictions itself, and by `app` all else."""
    parts: Parts = app.extensions["parts"]
    settings, telemetry = parts.settings, parts.telemetry
    single = None
    # An answer may wait for a challenger, and what is in a joblib file may be slow: in a thread.
    if not parts.has_challenger and parts.predictor.card.format == "onnx":
        single = SinglePredictions(
            parts.predictor,
            parts.predict_guard,
            parts.client_limit,
            telemetry.request_tracer,
            settings.max_body_bytes,
        )
    return AsgiApplication(app, single, telemetry.recorder, parts.readiness, settings)


def _open_used_receipts(
    settings: Settings, counters: Path, receipts: Path, telemetry: Telemetry
) -> UsedReceipts:
    """Redis where its address is given, else a file in the folder `receipts`."""
    folder_id = read_or_make_secret(counters / "feedback-id")[:16]
    if not settings.redis_url:
        most_bytes = settings.used_receipts_mib * 2**20
        own = "" if receipts == counters else folder_id
        return SqliteUsedReceipts(receipts / "feedback.sqlite", most_bytes, own)
    from service.redis_used_receipts import RedisUsedReceipts

    service = str(telemetry.tracer_provider.resource.attributes[SERVICE_NAME])
    return RedisUsedReceipts(settings.redis_url, service, folder_id)


def choose_traces(settings: Settings) -> TraceSettings:
    """Which traces are kept; strangers do not decide it."""
    trusted = {"true": True, "false": False, "auto": not settings.public}
    return TraceSettings(
        share_percent=settings.traces_share_percent,
        slow_ms=settings.traces_slow_ms,
        most_per_second=settings.traces_per_second,
        trust_caller=trusted[settings.trust_traceparent],
    )


def _open_feedback(
    models: ServedModels,
    receipts: Receipts,
    used: UsedReceipts,
    telemetry: Telemetry,
    settings: Settings,
) -> Feedback:
    """Delayed labels of the models that are served; what a killed worker left is counted."""
    feedback = Feedback(
        receipts,
        used,
        telemetry.recorder,
        # Outcomes are numbered by these counters: a model with other features begins others.
        telemetry.slot_name,
        models.roles(),
        settings.receipt_days * 86_400,
        earlier=models.labelled_later(),
    )
    feedback.recover()
    return feedback


def build(
    environ: Mapping[str, str] = os.environ,
    load: Callable[[Settings], ServedModels] = load_models,
) -> AsgiApplication:
    """The service as gunicorn's workers run it: see `build_flask`."""
    return create_asgi_app(build_flask(environ, load))


def build_flask(
    environ: Mapping[str, str] = os.environ,
    load: Callable[[Settings], ServedModels] = load_models,
) -> Flask:
    """The service as the environment describes it, or the process's end with one sentence."""
    try:
        settings = read_safe_settings(environ)
        models = load(settings)
        folder = prepare_state_dir(settings.state_dir)
        receipts_folder = prepare_state_dir(settings.receipt_dir or folder, "RECEIPT_DIR")
        share = settings.challenger_serves_percent / 100
        earlier = models.labelled_later()
        previous = earlier[0] if earlier else None
        facts = describe_models(models.champion, models.challenger, share, previous)
        keys = find_keys(settings.receipt_keys, receipts_folder)
        receipts = Receipts(keys)
        traces = choose_traces(settings)
        # A worker that is recycled and its successor are there at once.
        spare = settings.web_concurrency if settings.worker_max_requests else None
        telemetry = start(folder, facts, settings.port, environ, traces, spare)
        used = _open_used_receipts(settings, folder, receipts_folder, telemetry)
    except (SettingError, ModelError, TelemetryError) as error:
        print(f"The handler cannot start: {error}", file=sys.stderr, flush=True)
        sys.exit(_CANNOT_BOOT)
    # Half of the time to stop is for open requests, half for the last export.
    atexit.register(telemetry.close, settings.shutdown_seconds / 2)
    feedback = _open_feedback(models, receipts, used, telemetry, settings)
    return create_app(
        models.champion,
        telemetry,
        receipts,
        settings,
        explainer=models.explainer,
        challenger=build_challenger(
            models.challenger, settings, telemetry.recorder, derive_routing_secret(keys)
        ),
        feedback=feedback,
    )
