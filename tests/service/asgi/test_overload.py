"""More work than can be done: refused at once, counted, and nobody else waits for it."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from flask import Flask

from handler import create_app, create_asgi_app
from service.asgi import application, threads
from service.asgi.wsgi_bridge import Environ
from service.challenger import Challenger, TrafficSplit
from service.client_limit import ClientLimit
from service.receipts import Receipts
from service.settings import Settings
from telemetry.lifecycle import Telemetry
from tests.conftest import Counted, LocationRiskScorer
from tests.lab.polling import until
from tests.service.asgi.conftest import Serve
from tests.service.asgi.server import write_prediction
from tests.service.test_refusals import but

JSON = {"Content-Type": "application/json"}


class Free:
    """A WSGI application that answers at once."""

    def __call__(self, environ: Environ, start_response: object) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "2")])  # type: ignore[operator]
        return [b"ok"]


class Busy(Free):
    """One that holds its thread until it is let go, at all but probes."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.begun = 0

    def __call__(self, environ: Environ, start_response: object) -> Iterable[bytes]:
        if not environ["PATH_INFO"].startswith("/health"):
            self.begun += 1
            assert self.free.wait(30)
        return super().__call__(environ, start_response)


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Busy:
    """What waits for it waits as long as it takes."""
    monkeypatch.setattr(threads, "_MOST_WAIT", 60)
    return Busy()


def test_full_queue_is_a_503_at_once(serve: Serve, busy: Busy, counted: Counted) -> None:
    """One runs, one waits, the third is told when to come again; the two are answered."""
    server = serve(busy, worker_threads=1, max_waiting=1)
    with ThreadPoolExecutor(2) as pool:
        accepted = [pool.submit(server.ask, "GET", "/model_info")]
        # Two that come in one turn of the loop are a crowd where one may wait.
        until(lambda: busy.begun == 1, 30, "one runs")
        accepted.append(pool.submit(server.ask, "GET", "/model_info"))
        until(lambda: counted("queue_size") == 2, 30, "two wait")
        status, headers, body = server.ask("GET", "/model_info")
        assert (status, headers["retry-after"]) == (503, "1")
        assert json.loads(body)["error"]["type"] == "unavailable"
        assert server.ask("GET", "/health/ready")[0] == 200
        assert server.ask("POST", "/predict", but().encode(), JSON)[0] == 200
        busy.free.set()
        assert [one.result(10)[0] for one in accepted] == [200, 200]
    assert counted("errors_total", type="unavailable", endpoint="/model_info") == 1
    assert counted("http_requests_total", status="503", endpoint="/model_info") == 1


def test_batch_that_hangs_holds_nothing_but_batches(
    serve: Serve, busy: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker says that it is stuck, and whoever starts workers replaces it."""
    server = serve(busy, worker_threads=1, max_waiting=1)
    batch = json.dumps({"transactions": [json.loads(but())]}).encode()
    with ThreadPoolExecutor(1) as pool:
        hung = pool.submit(server.ask, "POST", "/predict", batch, JSON)
        until(lambda: busy.begun == 1, 30, "it runs")
        assert not server.application.is_stuck()
        assert server.ask("POST", "/predict", but().encode(), JSON)[0] == 200
        monkeypatch.setattr(application, "_LONGEST_SCORING", 0.2)
        until(server.application.is_stuck, 30, "it is stuck")
        busy.free.set()
        assert hung.result(10)[0] == 200
    assert not server.application.is_stuck()
    assert server.ask("GET", "/model_info")[0] == 200


def test_batch_too_many_is_refused_without_a_task(
    serve: Serve, busy: Busy, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusals cost the batch that runs little; the connection goes on."""
    server = serve(busy, max_waiting=1)
    batch = json.dumps({"transactions": [json.loads(but())]}).encode()
    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(server.ask, "POST", "/predict", batch, JSON)]
        until(lambda: busy.begun == 1, 30, "it runs")
        held.append(pool.submit(server.ask, "POST", "/predict", batch, JSON))
        until(lambda: counted("queue_size") == 2, 30, "one waits")
        # It was counted before its task began, which this waits for.
        server.on_loop(lambda: None)
        monkeypatch.setattr(application.AsgiApplication, "__call__", None)
        client = server.open()
        for _ in range(2):
            # In one piece: what comes after its head has a task that waits for it.
            client.sendall(write_prediction(batch))
            answer = client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 503 ") and b"\r\nretry-after: 1\r\n" in answer
            assert b'"type":"unavailable"' in answer
        busy.free.set()
        assert [one.result(10)[0] for one in held] == [200, 200]
    assert counted("errors_total", type="unavailable", endpoint="/predict") == 2
    assert counted("queue_size") == 0


@pytest.mark.parametrize(
    ("path", "header"), [("/predict?explain=true", {}), ("/predict", {"X-Fault": "delay=400ms"})]
)
def test_what_takes_long_holds_no_batch(
    serve: Serve, busy: Busy, path: str, header: dict[str, str]
) -> None:
    """An explanation, or a fault that was asked for."""
    server = serve(busy, worker_threads=1)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(server.ask, "POST", path, but().encode(), JSON | header)
        until(lambda: busy.begun == 1, 30, "it runs")
        server.application.flask = Free()
        batch = json.dumps({"transactions": [json.loads(but())]}).encode()
        assert server.ask("POST", "/predict", batch, JSON)[0] == 200
        assert not held.done()
        busy.free.set()
        assert held.result(10)[0] == 200


def test_crowd_before_the_event_loop_is_refused(serve: Serve, counted: Counted) -> None:
    """Requests that are accepted while earlier ones have not had their turn."""
    server = serve(max_waiting=3)
    one = write_prediction(but().encode())
    gate, open_gate = threading.Event(), threading.Event()

    def hold_loop() -> None:
        gate.set()
        assert open_gate.wait(10)

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(server.on_loop, hold_loop)
        assert gate.wait(10)
        clients = [server.open(one) for _ in range(8)]
        open_gate.set()
        held.result(10)
        statuses = sorted(client.recv(12)[9:] for client in clients)
    for client in clients:
        client.close()
    # What comes in one look at the sockets waits together.
    assert statuses.count(b"200") >= 3
    assert set(statuses) <= {b"200", b"503"}
    assert counted("queue_size") == 0


def test_model_that_may_be_slow_is_scored_in_a_thread(
    recorded: Telemetry, scorer: LocationRiskScorer, settings: Settings, other: LocationRiskScorer
) -> None:
    """One from joblib, and a champion whose answer may wait for a challenger."""
    challenger = Challenger(other, TrafficSplit(100, 0, 0.1), recorded.recorder)
    receipts = Receipts(["key"])
    assert create_asgi_app(create_app(scorer, recorded, receipts, settings)).answers_itself
    two = create_app(scorer, recorded, receipts, settings, challenger=challenger)
    assert not create_asgi_app(two).answers_itself
    scorer.card = msgspec.structs.replace(scorer.card, format="joblib")
    assert not create_asgi_app(create_app(scorer, recorded, receipts, settings)).answers_itself


def test_limit_of_a_client_holds_on_the_event_loop(app: Flask, serve: Serve) -> None:
    """The same object as Flask's: one allowance for both ways."""
    parts = app.extensions["parts"]
    app.extensions["parts"] = dataclasses.replace(parts, client_limit=ClientLimit(0.5))
    server = serve()
    statuses = [server.ask("POST", "/predict", but().encode(), JSON) for _ in range(3)]
    assert [status for status, _, _ in statuses] == [200, 429, 429]
    _, headers, body = statuses[-1]
    assert json.loads(body)["error"]["type"] == "too_many_requests"
    assert int(headers["retry-after"]) >= 1
    assert server.ask("GET", "/health/live")[0] == 200
