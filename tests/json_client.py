"""A client of the application, in process, for tests that read JSON answers."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.testing import FlaskClient


class JsonClient(FlaskClient):
    """Flask's own client. Its answers are Any, so that a test may index their JSON."""

    def open(self, *args: Any, **options: Any) -> Any:
        """Any method; the others come here."""
        return super().open(*args, **options)

    def get(self, *args: Any, **options: Any) -> Any:
        """GET."""
        return super().get(*args, **options)

    def post(self, *args: Any, **options: Any) -> Any:
        """POST."""
        return super().post(*args, **options)


def make_client(app: Flask) -> JsonClient:
    """A new client."""
    app.test_client_class = JsonClient
    client = app.test_client()
    assert isinstance(client, JsonClient)
    return client
