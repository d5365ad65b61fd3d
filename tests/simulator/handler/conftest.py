"""The real application on a port of loopback, with small limits.

Its model is conftest's: the fraud probability is `location_risk`, so nobody here knows its process
and labels are drawn with the answers.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.wsgi import LimitedStream

from service.settings import Settings, read_settings
from simulator.main import main
from tests.simulator.handler.outcomes import Before, Outcome, ReadOutcomes
from tests.simulator.runs import Simulate, Summary

SMALL = {"MAX_BATCH": "20", "MAX_BODY_BYTES": "4096"}
CLASS_NAMES = ("fraud", "legitimate")


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Settings:
    """Small limits, so that a batch of labels meets both; what else the test says."""
    return read_settings({**SMALL, **getattr(request, "param", {})})


@pytest.fixture
def before() -> Before:
    """before[path]: what happens to a request on it first, for a test to fill in."""
    return {}


@pytest.fixture
def url(app: Flask, before: Before) -> Iterator[str]:
    """The application on a free port of loopback."""
    inner = app.wsgi_app

    def outer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        act = before.get(environ["PATH_INFO"])
        refusal = act() if act else None
        if refusal is None:
            # As gunicorn does: a body that is read to its end must have one.
            length = int(environ.get("CONTENT_LENGTH") or 0)
            environ["wsgi.input"] = LimitedStream(environ["wsgi.input"], length)
            return inner(environ, start_response)
        start_response(refusal, [("Content-Length", "0")])
        return [b""]

    server = make_server("127.0.0.1", 0, outer, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def simulate(url: str, capsys: pytest.CaptureFixture[str]) -> Simulate:
    """Runs the simulator: its exit code and its JSON."""

    def run(*arguments: object) -> tuple[int, Summary]:
        words = f"--url {url} --rate 60 --seed 3 --large-body 6000 --json --quiet"
        code = main([*words.split(), *" ".join(map(str, arguments)).split()])
        return code, json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def outcomes(counted: Callable[..., float]) -> ReadOutcomes:
    """What the service has counted, by predicted class and truth."""

    def read() -> Counter[Outcome]:
        counts = {
            (predicted, truth): int(
                counted("outcomes_total", class_name=predicted, truth=truth, role="champion")
            )
            for predicted in CLASS_NAMES
            for truth in CLASS_NAMES
        }
        return +Counter(counts)

    return read
