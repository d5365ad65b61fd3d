"""The views: each one translates between HTTP and a plain function of the service."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock

from flask import Flask, Response, request

from service.access import Guard
from service.errors import ApiError
from service.feedback import MESSAGES, RETRYABLE, Feedback, is_batch, read_entries, read_entry
from service.flask_io import current_record, find_routing_key, read_json, to_response
from service.pages.stack_progress import read_progress
from service.predict import Predictor
from service.readiness import Readiness
from service.requests import PredictRequest, read_count, read_flag, read_object
from service.responses import answer_json
from service.simulate import TrafficSimulation
from telemetry.lifecycle import Telemetry
from telemetry.resource import name_job


def add_health(app: Flask, telemetry: Telemetry, readiness: Readiness, version: str) -> None:
    """State for people, and the probes of a platform."""
    started = time.time()

    @app.get("/health")
    def health() -> Response:
        usage = telemetry.system_usage.read()
        content = {
            "status": "healthy",
            "uptime_seconds": round(time.time() - started, 3),
            "total_predictions": sum(telemetry.totals().predictions.values()),
            "resources": {
                "cpu_percent": usage.cpu_percent,
                "memory_percent": usage.memory_percent,
                "disk_percent": usage.disk_percent,
            },
            "model_version": version,
        }
        return to_response(answer_json(content))

    @app.get("/health/live")
    def live() -> Response:
        return to_response(answer_json({"status": "alive"}))

    @app.get("/health/ready")
    def ready() -> Response:
        problem = readiness.why_not_ready()
        if problem is not None:
            return to_response(answer_json({"status": "not ready", "reason": problem}, 503))
        return to_response(answer_json({"status": "ready"}))


def add_predict(app: Flask, predictor: Predictor, guard: Guard) -> None:
    """One transaction, or a batch of them."""

    @app.post("/predict")
    def predict() -> Response:
        _check(guard)
        explain = read_flag("explain", request.args.get("explain", "false"))
        answer = predictor.predict(PredictRequest(read_json(), explain, find_routing_key()))
        return to_response(answer_json({**answer, "request_id": current_record().id}))


def add_feedback(app: Flask, feedback: Feedback, most: int, guard: Guard) -> None:
    """Delayed labels, at most `most` in one request."""

    @app.post("/feedback")
    def take_feedback() -> Response:
        _check(guard)
        body = read_json()
        if is_batch(body):
            counted = feedback.count_all(read_entries(body, most))
            results = [{"result": result} for result in counted]
            return to_response(answer_json({"results": results, "request_id": current_record().id}))
        result = feedback.count(read_entry(body))
        if result != "counted":
            error = "unavailable" if result == "unavailable" else f"{result}_receipt"
            headers = {"Retry-After": "60"} if result in RETRYABLE else {}
            raise ApiError(error, MESSAGES[result], "receipt", headers)
        return to_response(answer_json({"result": result, "request_id": current_record().id}))


def add_model_info(app: Flask, describe: Callable[[], Mapping[str, object]]) -> None:
    """What is served."""

    @app.get("/model_info")
    def model_info() -> Response:
        return to_response(answer_json(describe()))


def add_metrics(
    app: Flask, telemetry: Telemetry, version: str, guard: Guard, progress: Path | None
) -> None:
    """The exposition in Prometheus' text format, and the few counts of a glance.

    `progress`: the file that says whether what watches the service is still being made.
    """
    job = name_job(telemetry.tracer_provider.resource)

    @app.get("/metrics")
    def metrics() -> Response:
        _check(guard)
        if telemetry.exposition is None:
            return Response("# telemetry is off: OTEL_SDK_DISABLED=true\n", mimetype="text/plain")
        body, content_type = telemetry.exposition.render(request.headers.get("Accept", ""))
        return Response(body, content_type=content_type)

    @app.get("/stats")
    def stats() -> Response:
        _check(guard)
        totals = telemetry.totals()
        content: dict[str, object] = {
            "time": time.time(),
            "model_version": version,
            "predictions": totals.predictions,
            "predict_seconds": totals.seconds,
            "job": job,
        }
        stack = read_progress(progress)
        if stack is not None:
            content["stack"] = {"state": stack.state, "lines": stack.lines}
        return to_response(answer_json(content))


def add_simulation(app: Flask, simulation: TrafficSimulation, most: int, guard: Guard) -> None:
    """Made-up traffic, one run at a time in each worker."""
    running = Lock()

    @app.post("/simulate_traffic")
    def simulate_traffic() -> Response:
        _check(guard)
        body = read_object(read_json(), ("num_requests",))
        count = read_count(body["num_requests"], "num_requests", most)
        if not running.acquire(blocking=False):
            raise ApiError(
                "too_many_requests",
                "a simulation is running on this worker: try again when it is done",
                headers={"Retry-After": "1"},
            )
        try:
            done = simulation.run(count, secrets.randbits(64))
        finally:
            running.release()
        content = {
            "num_requests": count,
            "predictions": {"fraud": done.fraud, "legitimate": done.legitimate},
            "errors": done.errors,
            "duration_seconds": round(done.seconds, 6),
        }
        return to_response(answer_json(content))


def _check(guard: Guard) -> None:
    guard.check(request.headers.get("Authorization", ""))
