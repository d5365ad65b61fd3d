"""Flask that answers a constant: what no handler of ours can be faster than."""

from __future__ import annotations

from flask import Flask, Response


def build() -> Flask:
    """The application for gunicorn."""
    app = Flask("bare")

    @app.post("/predict")
    def predict() -> Response:
        return Response('{"prediction":"legitimate"}', mimetype="application/json")

    @app.get("/health/ready")
    def ready() -> Response:
        return Response("{}")

    return app
