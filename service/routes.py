"""The endpoints: each parses, asks a part, answers."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from threading import Lock

import msgspec
from flask import Flask, Response, g, request

from model.serving.scorer import Scorer
from service.challenger import Challenger
from service.errors import ApiError
from service.feedback import SENTENCES, Feedback, entries_of, entry_of
from service.predict import Scoring
from service.requests import authorize, body_of, number_of_requests, routing_key, wants_reasons
from service.settings import Settings
from telemetry.lifecycle import Telemetry


def add_views(
    app: Flask,
    scorer: Scorer,
    scoring: Scoring,
    telemetry: Telemetry,
    settings: Settings,
    challenger: Challenger | None,
) -> None:
    """Everything but feedback and the pages for people."""
    started = time.time()
    simulating = Lock()
    described = model_info(scorer, challenger)

    @app.get("/health")
    def health() -> Response:
        usage = telemetry.system_usage.read()
        return json_answer(
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
        return json_answer({"status": "alive"})

    @app.get("/health/ready")
    def ready() -> Response:
        return json_answer({"status": "ready"})

    @app.post("/predict")
    def predict() -> Response:
        answer = scoring.predict(body_of(), wants_reasons(), routing_key())
        return json_answer({**answer, "request_id": g.request_id})

    @app.get("/metrics")
    def metrics() -> Response:
        authorize(settings)
        if telemetry.exposition is None:
            return Response("# telemetry is off: OTEL_SDK_DISABLED=true\n", mimetype="text/plain")
        body, content_type = telemetry.exposition.render(request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)

    @app.get("/model_info")
    def info() -> Response:
        return json_answer(described)

    @app.post("/simulate_traffic")
    def simulate_traffic() -> Response:
        authorize(settings)
        count = number_of_requests(body_of(), settings.max_simulated)
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
        return json_answer(
            {
                "num_requests": count,
                "predictions": {"fraud": done.fraud, "legitimate": done.legitimate},
                "errors": done.errors,
                "duration_seconds": round(done.seconds, 6),
            }
        )


def add_feedback(app: Flask, feedback: Feedback, most: int) -> None:
    """`/feedback`, with at most `most` entries in one request."""

    @app.post("/feedback")
    def take() -> Response:
        body = body_of()
        if isinstance(body, dict) and "feedback" in body:
            entries = entries_of(body, most)
            results = [{"result": feedback.take(receipt, label)} for receipt, label in entries]
            return json_answer({"results": results, "request_id": g.request_id})
        result = feedback.take(*entry_of(body))
        if result != "counted":
            error = "unavailable" if result == "unavailable" else f"{result}_receipt"
            raise ApiError(error, SENTENCES[result], "receipt")
        return json_answer({"result": result, "request_id": g.request_id})


def json_answer(content: object, status: int = 200) -> Response:
    """`content` as JSON."""
    return Response(msgspec.json.encode(content), status, mimetype="application/json")


def model_info(scorer: Scorer, challenger: Challenger | None) -> dict[str, object]:
    """What `/model_info` tells: the parts of the card that a caller or a simulator needs."""
    card = scorer.card
    trained = datetime.fromtimestamp(scorer.trained_at, UTC)
    return {
        "version": card.version,
        "model_type": card.model_type,
        "format": card.format,
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
