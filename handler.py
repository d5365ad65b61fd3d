"""The fraud-scoring service: a thin, stateless Flask application.

`create_app` takes its parts; `build` is the composition root: the only place that reads the
environment, loads the model and starts telemetry. Served by gunicorn: `handler:build()`.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from flask import Flask

from model.serving.card import Feature
from model.serving.errors import ModelError, NotAllowed
from model.serving.explain import Explainer
from model.serving.registry import Registry
from model.serving.scorer import Scorer, load_explainer, load_scorer, load_version
from service.challenger import Challenger, Shares, check_same_schema
from service.fault_injection import add_fault_switch
from service.feedback import Feedback
from service.middleware import add_bookkeeping, add_error_shape
from service.openapi import description_of
from service.pages import reader, start_page
from service.predict import Companions, Scoring
from service.receipts import Receipts, keys_of
from service.routes import add_feedback, add_views
from service.settings import SettingError, Settings, read_settings
from service.used_receipts import Ledger, RedisLedger, SqliteLedger
from telemetry.baseline import Baseline
from telemetry.errors import TelemetryError
from telemetry.export.gauges import ModelMetadata
from telemetry.lifecycle import Telemetry, start
from telemetry.recorder import Recorder

_log = logging.getLogger("handler")
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
    add_views(app, scorer, scoring, telemetry, settings, companions.challenger)
    if feedback is not None:
        add_feedback(app, feedback, settings.max_batch)
    description = description_of(scorer.card, settings.max_batch, settings.max_simulated)
    app.register_blueprint(start_page(description))
    app.register_blueprint(reader())
    add_bookkeeping(app, telemetry)
    if settings.fault_headers:
        add_fault_switch(app)
    add_error_shape(app, telemetry)
    telemetry.instrument(app)
    return app


def _load_challenger(settings: Settings, champion: Scorer) -> Scorer | None:
    """The challenging model; the champion serves alone without it or if it does not fit."""
    if not settings.challenger:
        return None
    try:
        if settings.challenger == champion.card.version:
            raise ModelError(f"challenger {settings.challenger} is the champion by now")
        registry = Registry(settings.model_dir)
        challenger = load_version(registry, settings.challenger, settings.allow_joblib)
        check_same_schema(champion.card, challenger.card)
    except NotAllowed:
        raise  # The settings contradict each other: that is for a person to decide.
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
        settings.challenger_wait_ms / 1000,
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
    feedback = Feedback(receipts, ledger, telemetry.recorder, telemetry.instance, roles, age)
    feedback.begin()
    return feedback


def facts_of(scorer: Scorer, challenger: Scorer | None, share: float = 0.0) -> ModelMetadata:
    """What telemetry publishes of the serving model; the challenger is to answer `share`."""
    card = scorer.card
    return ModelMetadata(
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
        holdout_mean_score=card.metrics.mean_score,
        challenger=None if challenger is None else challenger.card.version,
        challenger_share=None if challenger is None else share,
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
        scorer = load_scorer(settings.model_dir, settings.allow_joblib)
        explainer = load_explainer(settings.model_dir, scorer)
        challenger = _load_challenger(settings, scorer)
        folder = settings.state_dir or Path(tempfile.mkdtemp(prefix="fraud-handler-"))
        facts = facts_of(scorer, challenger, settings.challenger_serves_percent / 100)
        telemetry = start(folder, facts, settings.port, environ)
    except (SettingError, ModelError, TelemetryError) as error:
        print(f"The handler cannot start: {error}", file=sys.stderr, flush=True)
        sys.exit(_CANNOT_BOOT)
    # Half of the time to stop is for open requests, half for the last delivery.
    atexit.register(telemetry.close, settings.shutdown_seconds / 2)
    receipts = Receipts(keys_of(settings.receipt_keys, folder))
    companions = _companions(settings, explainer, challenger, telemetry.recorder)
    feedback = _feedback(settings, folder, receipts, telemetry, scorer, challenger)
    return create_app(scorer, telemetry, receipts, settings, companions, feedback)
