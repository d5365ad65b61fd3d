"""The fraud-scoring service: a thin, stateless Flask application.

`create_app` takes its parts; `build` is the composition root: the only place that reads the
environment, loads the model and starts telemetry. Served by gunicorn: `handler:build()`.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from flask import Flask
from opentelemetry.sdk.resources import SERVICE_NAME

from model.serving.errors import ModelError
from model.serving.explain import Explainer
from model.serving.scorer import Scorer
from service.access import build_guards, read_safe_settings
from service.challenger import Challenger
from service.explanations import Explanations
from service.fault_injection import add_fault_injection
from service.feedback import Feedback
from service.middleware import add_error_handlers, add_request_middleware
from service.model_info import describe_model
from service.model_metadata import describe_models
from service.model_router import ModelRouter
from service.openapi import describe_api
from service.pages import add_pages
from service.predict import Predictor
from service.readiness import Readiness
from service.receipts import Receipts, find_keys
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
from telemetry.metrics import CHALLENGER, CHAMPION

# gunicorn's exit code for a worker that cannot boot: on any other it would start it for ever.
_CANNOT_BOOT = 3


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
    router = ModelRouter(scorer, challenger)
    explanations = Explanations(card, explainer, settings.explain_percent, recorder)
    predictor = Predictor(
        card, router, explanations, receipts, recorder, telemetry.spans, settings.max_batch
    )
    readiness = Readiness(scorer, telemetry.why_not_writable)
    app.extensions["readiness"] = readiness
    add_health(app, telemetry, readiness, card.version)
    add_predict(app, predictor, guards.predict)
    simulation = TrafficSimulation(card, predictor, recorder)
    add_simulation(app, simulation, settings.max_simulated, guards.simulate)
    add_model_info(app, describe_model(scorer, challenger))
    add_metrics(app, telemetry, guards.metrics)
    if feedback is not None:
        add_feedback(app, feedback, settings.max_batch, guards.feedback)
    add_pages(app, describe_api(card, settings.max_batch, settings.max_simulated))
    add_security_headers(app)
    add_request_middleware(app, telemetry)
    if settings.fault_headers:
        add_fault_injection(app)
    add_error_handlers(app, telemetry)
    telemetry.instrument(app)
    return app


def _open_used_receipts(redis_url: str, folder: Path, telemetry: Telemetry) -> UsedReceipts:
    """Redis where its address is given, else a file in `folder`."""
    if not redis_url:
        return SqliteUsedReceipts(folder / "feedback.sqlite")
    from service.redis_used_receipts import RedisUsedReceipts

    service = str(telemetry.tracer_provider.resource.attributes[SERVICE_NAME])
    folder_id = read_or_make_secret(folder / "feedback-id")[:16]
    return RedisUsedReceipts(redis_url, service, folder_id)


def build(
    environ: Mapping[str, str] = os.environ,
    load: Callable[[Settings], ServedModels] = load_models,
) -> Flask:
    """The service as the environment describes it, or the process's end with one sentence."""
    try:
        settings = read_safe_settings(environ)
        models = load(settings)
        folder = prepare_state_dir(settings.state_dir)
        share = settings.challenger_serves_percent / 100
        facts = describe_models(models.champion, models.challenger, share)
        receipts = Receipts(find_keys(settings.receipt_keys, folder))
        telemetry = start(folder, facts, settings.port, environ)
        used = _open_used_receipts(settings.redis_url, folder, telemetry)
    except (SettingError, ModelError, TelemetryError) as error:
        print(f"The handler cannot start: {error}", file=sys.stderr, flush=True)
        sys.exit(_CANNOT_BOOT)
    # Half of the time to stop is for open requests, half for the last export.
    atexit.register(telemetry.close, settings.shutdown_seconds / 2)
    roles = {models.champion.card.version: CHAMPION}
    if models.challenger is not None:
        roles[models.challenger.card.version] = CHALLENGER
    feedback = Feedback(
        receipts,
        used,
        telemetry.recorder,
        telemetry.instance,
        roles,
        settings.receipt_days * 86_400,
    )
    feedback.recover()
    return create_app(
        models.champion,
        telemetry,
        receipts,
        settings,
        explainer=models.explainer,
        challenger=build_challenger(models.challenger, settings, telemetry.recorder),
        feedback=feedback,
    )
