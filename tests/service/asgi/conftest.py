"""The ASGI application before the service of tests/conftest.py, on a socket."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from flask import Flask

from handler import create_asgi_app
from service.asgi.application import AsgiApplication
from service.asgi.wsgi_bridge import WsgiApplication
from tests.service.asgi.server import AsgiServer, asgi_server

Serve = Callable[..., AsgiServer]


@pytest.fixture
def serve(app: Flask) -> Iterator[Serve]:
    """serve(behind=None, **settings): a running server; `behind` takes Flask's place."""
    with ExitStack() as stack:

        def run(behind: WsgiApplication | None = None, **settings: int) -> AsgiServer:
            parts = app.extensions["parts"]
            changed = dataclasses.replace(parts.settings, **settings)
            app.extensions["parts"] = dataclasses.replace(parts, settings=changed)
            application: AsgiApplication = create_asgi_app(app)
            application.flask = behind or app
            return stack.enter_context(asgi_server(application))

        yield run


@pytest.fixture
def server(serve: Serve) -> AsgiServer:
    """A running server with the settings of the tests."""
    return serve()
