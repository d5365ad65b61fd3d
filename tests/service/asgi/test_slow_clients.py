"""Clients that hold a connection: each kind is ended, and nobody else waits for it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterable

import pytest

from service.asgi.wsgi_bridge import Environ
from tests.conftest import Counted
from tests.lab.polling import until
from tests.service.asgi.conftest import Serve
from tests.service.asgi.server import HEAD, AsgiServer, read_all
from tests.service.test_refusals import but

JSON = {"Content-Type": "application/json"}
HALF_BODY = HEAD + b"Content-Length: 100\r\n\r\n{"
HALF_CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n5\r\n"
SLOW = {
    "silent": (b"", b""),
    "half a head": (HEAD, b"HTTP/1.1 408 "),
    "half a body": (HALF_BODY, b"HTTP/1.1 408 "),
    "half a body in chunks": (HALF_CHUNKS, b"HTTP/1.1 408 "),
}


def wait_for_connections(server: AsgiServer, count: int) -> None:
    until(lambda: len(server.connections()) == count, 30, f"{count} connections are open")


@pytest.mark.parametrize(("sent", "said"), SLOW.values(), ids=SLOW.keys())
def test_request_that_does_not_arrive_is_given_up(
    server: AsgiServer, counted: Counted, sent: bytes, said: bytes
) -> None:
    """Not before its time; then it is told why, counted, and its descriptor is free."""
    slow = server.open(sent)
    wait_for_connections(server, 1)
    server.let_pass(14)
    assert len(server.connections()) == 1
    server.let_pass(16)
    answer = read_all(slow)
    slow.close()
    assert answer[:13] == said
    assert not said or b'"type":"request_timeout"' in answer
    wait_for_connections(server, 0)
    assert counted("errors_total", type="request_timeout") == bool(said)
    assert counted("queue_size") == 0


def test_others_are_answered_beside_many_slow_ones(serve: Serve) -> None:
    """More than there are threads, with half of a body each."""
    server = serve(worker_threads=1)
    slow = [server.open(HALF_BODY) for _ in range(64)]
    wait_for_connections(server, 64)
    assert server.ask("POST", "/predict", but().encode(), JSON)[0] == 200
    assert server.ask("GET", "/model_info")[0] == 200
    for one in slow:
        one.close()


def test_kept_connection_without_a_request_is_closed(server: AsgiServer) -> None:
    kept = server.open(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    server.wait_until(lambda one: one.idle_since is not None, "idle")
    server.let_pass(74)
    assert len(server.connections()) == 1
    server.let_pass(76)
    assert read_all(kept).startswith(b"HTTP/1.1 200 ")
    kept.close()


def test_blank_lines_do_not_keep_a_connection(server: AsgiServer) -> None:
    """They are allowed before a request, and begin none."""
    kept = server.open(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
    server.wait_until(lambda one: one.idle_since is not None, "idle")
    kept.sendall(b"\r\n")
    server.wait_until(lambda one: one.idle_since is None, "receiving")
    server.let_pass(16)
    read_all(kept)
    kept.close()
    wait_for_connections(server, 0)


def test_answer_that_is_not_taken_is_given_up(serve: Serve) -> None:
    """What the system's buffers do not hold is sent piece by piece, and not for ever."""

    def long_answer(environ: Environ, start_response: object) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])  # type: ignore[operator]
        return (b"x" * 65536 for _ in range(500))

    server = serve(long_answer)
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect(("127.0.0.1", server.port))
    reader.sendall(b"GET /model_info HTTP/1.1\r\nHost: x\r\n\r\n")
    server.wait_until(lambda one: one.unsent_since is not None, "unsent")
    server.let_pass(16)
    wait_for_connections(server, 0)
    reader.close()


@pytest.mark.parametrize("sent", [HEAD, HALF_BODY, HALF_CHUNKS], ids=["head", "body", "chunks"])
def test_longest_waiting_connection_makes_room(serve: Serve, sent: bytes) -> None:
    server = serve(max_connections=16)
    first = server.open(sent)
    wait_for_connections(server, 1)
    server.wait_until(lambda one: one.waits_since() is not None, "waiting")
    others = [server.open(sent) for _ in range(15)]
    wait_for_connections(server, 16)
    assert server.ask("POST", "/predict", but().encode(), JSON)[0] == 200
    assert read_all(first) == b""
    for one in [first, *others]:
        one.close()


def test_half_a_body_behind_a_slow_answer_is_given_up(serve: Serve, counted: Counted) -> None:
    """The second request has not had its turn; it ends its own connection and no other."""
    held = threading.Event()

    def slow_answer(environ: Environ, start_response: object) -> Iterable[bytes]:
        held.wait(30)
        start_response("200 OK", [("Content-Length", "2")])  # type: ignore[operator]
        return [b"ok"]

    server = serve(slow_answer)
    first = b"GET /model_info HTTP/1.1\r\nHost: x\r\n\r\n"
    second = b"POST /feedback HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"
    sender = server.open(first + second)
    server.wait_until(lambda one: one.receiving_since is not None, "receiving")
    server.let_pass(16)
    held.set()
    answers = read_all(sender)
    assert answers.startswith(b"HTTP/1.1 200 ") and b"HTTP/1.1 408 " in answers
    assert counted("errors_total", type="request_timeout") == 1


def test_connection_whose_answer_came_before_its_body_is_closed_in_time(
    server: AsgiServer,
) -> None:
    """It is idle once the body is there."""
    sender = server.open(HEAD + b"Content-Length: 1000000\r\n\r\n")
    answer = b""
    while b"too_large" not in answer:
        answer += sender.recv(65536)
    sender.sendall(b"x" * 1_000_000)
    server.wait_until(lambda one: one.idle_since is not None, "idle")
    server.let_pass(76)
    wait_for_connections(server, 0)


def test_late_body_of_an_answered_request_is_no_second_answer(
    server: AsgiServer, counted: Counted
) -> None:
    sender = server.open(HEAD + b"Content-Length: 1000000\r\n\r\n")
    server.wait_until(lambda one: one.cycle is not None and one.cycle.response_complete, "answered")
    sender.sendall(b"x")
    server.let_pass(16)
    assert read_all(sender).count(b"HTTP/1.1 ") == 1
    assert counted("errors_total", type="request_timeout") == 0


def test_endless_head_is_refused(server: AsgiServer, counted: Counted) -> None:
    sender = server.open(HEAD)
    with pytest.raises(OSError):
        for number in range(10_000):
            sender.sendall(b"X-%d: %s\r\n" % (number, b"x" * 1000))
    sender.close()
    assert counted("errors_total", type="bad_request", endpoint="other") == 1


def test_body_beyond_all_limits_ends_the_connection(server: AsgiServer) -> None:
    """The refusal is said at once; the rest is thrown away, but not without end."""
    sender = server.open(HEAD + b"Content-Length: 1000000000\r\n\r\n")
    with pytest.raises(OSError):
        for _ in range(20_000):
            sender.sendall(b"x" * 10_000)
    sender.close()


def test_too_large_body_is_refused_while_it_comes(server: AsgiServer) -> None:
    body = but(color="x" * 1_000_000).encode()
    status, _, answer = server.ask("POST", "/predict", body, JSON)
    assert (status, json.loads(answer)["error"]["type"]) == (413, "too_large")
