"""A server that stops tells each client with its last answer that the connection ends."""

from __future__ import annotations

import pytest

from telemetry.lifecycle import Telemetry
from tests.service.asgi.server import AsgiServer, read_all, write_prediction
from tests.service.test_refusals import but

REQUESTS = {
    "answered on the event loop": write_prediction(but().encode()),
    "answered in a thread": b"GET /model_info HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("sent", REQUESTS.values(), ids=REQUESTS.keys())
def test_last_answer_ends_the_connection(server: AsgiServer, sent: bytes) -> None:
    connection = server.open(sent)
    first = b""
    while not first.endswith(b"}"):
        first += connection.recv(65536)
    server.wait_until(lambda one: one.idle_since is not None, "idle")
    server.application.stopping = True
    connection.sendall(sent)
    last = read_all(connection)
    assert first.startswith(b"HTTP/1.1 200 ") and b"connection: close" not in first
    assert last.startswith(b"HTTP/1.1 200 ") and b"\r\nconnection: close\r\n" in last
    connection.close()


def test_what_is_behind_the_last_answer_is_not_scored(
    server: AsgiServer, recorded: Telemetry
) -> None:
    """Three in one piece: who gets one answer sends the other two again, and they count once."""
    server.application.stopping = True
    connection = server.open(REQUESTS["answered on the event loop"] * 3)
    assert read_all(connection).count(b"HTTP/1.1 200 ") == 1
    assert sum(recorded.totals().predictions.values()) == 1
    connection.close()


def test_answer_that_is_being_made_is_the_last_one(server: AsgiServer) -> None:
    """Its body is not whole yet when the server is told to stop."""
    head, _, body = REQUESTS["answered on the event loop"].partition(b"\r\n\r\n")
    connection = server.open(head + b"\r\n\r\n" + body[:5])
    server.wait_until(
        lambda one: one.waits_since() is not None and one.cycle is not None, "waiting"
    )
    for one in server.connections():
        server.on_loop(one.begin_closing)
    connection.sendall(body[5:])
    answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 200 ") and b"\r\nconnection: close\r\n" in answer
    connection.close()
